"""A real MCP session: the program over standard input and output, as an assistant starts it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from potager.faces.api.operations import operations
from tests.faces.cli.conftest import shop, shop_served  # noqa: F401 - the same shop
from tests.faces.cli.test_program import QUESTION
from tests.journeys.house import House


def session(house: House, talk: Callable[[Any], Awaitable[Any]]) -> Any:
    """Talk with the house's server through a client over standard input and output."""
    from mcp import Client, StdioServerParameters

    server = StdioServerParameters(
        command=sys.executable, args=house.command("mcp")[1:], env=house.environment, cwd="."
    )

    async def meet() -> Any:
        async with Client(server, read_timeout_seconds=120) as client:
            return await talk(client)

    return asyncio.run(meet())


def data(result: Any) -> Any:
    """Return what a tool answered, as data."""
    assert not result.is_error, result
    found = result.structured_content
    if isinstance(found, dict):
        return found["result"] if set(found) == {"result"} else found
    return json.loads(result.content[0].text)


def test_the_tools_are_few_and_say_what_they_do(shop: House) -> None:  # noqa: F811
    async def talk(client: Any) -> Any:
        return (await client.list_tools()).tools, client.instructions

    tools, instructions = session(shop, talk)
    named = {tool.name: tool.description for tool in tools}
    assert set(named) == {
        "find_operation",
        "describe_operation",
        "run_operation",
        "answer_question",
        "explain_change",
        "list_metrics",
    }
    assert all(named.values()) and "answer_question" in instructions


def test_an_assistant_finds_describes_and_runs_an_operation(shop: House) -> None:  # noqa: F811
    async def talk(client: Any) -> Any:
        found = data(await client.call_tool("find_operation", {"words": "metric list"}))
        every = data(await client.call_tool("find_operation", {}))
        described = data(await client.call_tool("describe_operation", {"name": "metrics_metric_list"}))
        given = {"name": "metrics_metric_list", "given": {"limit": 5}}
        return found, every, described, data(await client.call_tool("run_operation", given))

    found, every, described, ran = session(shop, talk)
    assert "metrics_metric_list" in {one["operation"] for one in found}
    assert {one["operation"] for one in every} == set(operations())
    assert described["changes_something"] is False
    assert "search" in {part["name"] for part in described["takes"]}
    assert "amount" in {metric["name"] for metric in ran["items"]}


def test_the_same_question_has_the_same_number_everywhere(shop: House) -> None:  # noqa: F811
    async def talk(client: Any) -> Any:
        answered = data(await client.call_tool("answer_question", {"question": QUESTION}))
        change = {"metric": "amount", "period": "2026-03"}
        return answered, data(await client.call_tool("explain_change", change))

    answered, explained = session(shop, talk)
    here = json.loads(shop.run("--json", "ask", QUESTION).stdout)
    assert answered["estimate"] == here["estimate"] == explained["change"]
    assert answered["receipt"]["digest"] == here["receipt"]["digest"]
    page = shop.python(
        "import django; django.setup()\n"
        "from django.conf import settings; settings.ALLOWED_HOSTS = ['*']\n"
        "from django.test import Client\n"
        "from potager.ground.access.models import User\n"
        "client = Client()\n"
        "backend = 'allauth.account.auth_backends.AuthenticationBackend'\n"
        "client.force_login(User.objects.first(), backend=backend)\n"
        f"print(client.get('/answers/{answered['id']}').content.decode())"
    )
    assert answered["statement"] in page.replace("\u2060", "")


def test_what_is_refused_is_an_error_with_its_sentence(shop: House) -> None:  # noqa: F811
    async def talk(client: Any) -> Any:
        unknown = await client.call_tool("run_operation", {"name": "metrics_metric_lits", "given": {}})
        nameless = await client.call_tool("answer_question", {"question": "how is the weather?"})
        return unknown, nameless

    unknown, nameless = session(shop, talk)
    assert unknown.is_error and "metrics_metric_list" in unknown.content[0].text
    assert nameless.is_error and "No governed metric" in nameless.content[0].text


def over_http(house: House, secret: str, talk: Callable[[Any], Awaitable[Any]]) -> Any:
    """Talk with the house's web server as a client over streamable HTTP."""
    import httpx
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    async def meet() -> Any:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        async with httpx.AsyncClient(headers=headers, timeout=120) as http:
            transport = streamable_http_client(f"{house.address}/mcp", http_client=http)
            async with Client(transport, read_timeout_seconds=120) as client:
                return await talk(client)

    return asyncio.run(meet())


def test_the_web_server_gives_assistants_the_same_number(shop_served: House) -> None:  # noqa: F811
    async def talk(client: Any) -> Any:
        return data(await client.call_tool("answer_question", {"question": QUESTION}))

    there = over_http(shop_served, shop_served.token(), talk)
    here = json.loads(shop_served.run("--json", "ask", QUESTION).stdout)
    assert (there["estimate"], there["receipt"]["digest"]) == (here["estimate"], here["receipt"]["digest"])


def test_an_assistant_without_a_token_is_refused(shop_served: House) -> None:  # noqa: F811
    async def talk(client: Any) -> Any:
        return await client.call_tool("list_metrics", {})

    refused = over_http(shop_served, "", talk)
    assert refused.is_error and "Nobody is signed in" in refused.content[0].text
