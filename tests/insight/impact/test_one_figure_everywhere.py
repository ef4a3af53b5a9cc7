"""What product investments returned is one figure, whoever asks and through whichever face; home is two clicks away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from html.parser import HTMLParser
from queue import SimpleQueue
from typing import Any

import pytest
from click.testing import CliRunner
from django.test import Client
from mcp import Client as Assistant

from potager.faces.api.calling import Caller
from potager.faces.cli import session
from potager.faces.cli.main import program
from potager.faces.mcp.server import build
from potager.insight.impact.ledger import ledger
from potager.insight.questions import actions as questions
from potager.kit.clock import today
from tests.faces.mcp.test_assistants import data
from tests.insight.impact.test_ledger import observed
from tests.insight.impact.worlds import App
from tests.people import Person

ASKED = "What did product investments return?"
Here = SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]


class Links(HTMLParser):
    """The links of a page: where each leads, and what it says."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._open = ""
        self._words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._open, self._words = dict(attrs).get("href") or "", []

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._open:
            self.found.append((self._open, read(" ".join(self._words))))
            self._open = ""


class Words(HTMLParser):
    """The words of a page, without its tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(text: str) -> str:
    """Return text as eyes read it: what keeps lines together has no width, and every space is one."""
    return " ".join(text.replace("\N{WORD JOINER}", "").split())


def shown(browser: Client, address: str) -> tuple[str, list[tuple[str, str]]]:
    """Return what a page says, and its links."""
    page = browser.get(address)
    assert page.status_code == 200, address
    text = page.content.decode()
    return read(" ".join(Words(text).words)), Links(text).found


@pytest.fixture
def program_at_home(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program works on this installation, in this process and as its owner."""
    monkeypatch.setattr(session, "data_exists", lambda: True)
    monkeypatch.setenv("POTAGER_USER", ada.user.email)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Here:
    """An assistant's tools run on the thread of the test: another one would not see its transaction."""
    work: Here = SimpleQueue()

    async def on_the_tests_thread(function: Callable[..., Any], *given: Any, **_: Any) -> Any:
        promised: Future[Any] = Future()
        work.put((lambda: function(*given), promised))
        return await asyncio.wrap_future(promised)

    monkeypatch.setattr("anyio.to_thread.run_sync", on_the_tests_thread)
    return work


@pytest.fixture
def cfo(app: App) -> Any:
    """The ledger of one bet, and the CFO's question kept and answered."""
    observed(app)
    kept = questions.keep_question(
        actor=app.actor, values={"words": ASKED, "recipe": "portfolio", "slots": {"show": "returns"}}
    )
    questions.ask(actor=app.actor, question=kept)
    return kept


def over_mcp(person: Person, here: Here, tool: str, given: dict[str, Any]) -> Any:
    """Call a tool as an assistant does, and return what it answered."""
    server = build(lambda _: calling)
    calling = Caller.local(person.actor)

    async def meet() -> Any:
        async with Assistant(server) as assistant:
            return await assistant.call_tool(tool, given)

    def talk() -> Any:
        try:
            return asyncio.run(meet())
        finally:
            here.put(None)

    with ThreadPoolExecutor(1) as other:
        talking = other.submit(talk)
        while (asked := here.get(timeout=60)) is not None:
            run, promised = asked
            try:
                promised.set_result(run())
            except Exception as error:  # it is the server that has to hear of it
                promised.set_exception(error)
        return data(talking.result())


def on_command(*words: str) -> Any:
    """Return what the program prints as JSON."""
    done = CliRunner().invoke(program, ["--json", *words])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def figure_of(answer: Any) -> tuple[Any, ...]:
    """Return what has to be the same everywhere: the sentence, the figure with its range, and what it is in."""
    names = ("statement", "verdict", "estimate", "low", "high", "unit")
    return tuple(answer[name] if isinstance(answer, dict) else getattr(answer, name) for name in names)


@pytest.mark.usefixtures("program_at_home")
def test_the_question_the_ask_box_the_api_the_program_and_an_assistant_give_one_figure(app, cfo, ada, here):
    total = ledger(app.actor, today()).total
    on_its_page = ada.browser.get(f"/questions/{cfo.pk}").context["record"]
    in_words = ada.browser.post("/ask", {"q": ASKED}, follow=True).context["record"]
    over_http = json.loads(ada.call("post", "/ask", {"text": ASKED}).content)
    in_the_program = on_command("ask", ASKED)
    by_an_assistant = over_mcp(ada, here, "answer_question", {"question": ASKED})
    kept = figure_of(on_its_page)
    assert kept[2:5] == total.returned
    assert figure_of(in_words) == kept
    assert figure_of(over_http) == figure_of(in_the_program) == figure_of(by_an_assistant) == kept


@pytest.mark.usefixtures("program_at_home")
def test_the_ledger_itself_says_the_same_through_every_face(cfo, ada, here):
    answered = cfo.answers.get()
    same = {"estimate": answered.estimate, "low": answered.low, "high": answered.high}
    over_http = json.loads(ada.call("get", "/impact/ledger").content)
    in_the_program = on_command("impact", "ledger", "get")
    by_an_assistant = over_mcp(ada, here, "run_operation", {"name": "impact_ledger_get", "given": {}})
    assert over_http["total"]["returned"] == same
    assert over_http == in_the_program == by_an_assistant


def test_the_sentence_is_the_same_on_the_page_of_the_question_the_ledger_and_the_sheet(cfo, ada):
    sentence = read(cfo.answers.get().statement)
    said_of_ledger = shown(ada.browser, "/impact/")[0]
    figure = sentence[sentence.index("returned") : sentence.index(";")]
    assert sentence in shown(ada.browser, f"/questions/{cfo.pk}")[0]
    assert figure.split(" from ")[0] in said_of_ledger
    assert figure.split(" from ")[0] in shown(ada.browser, "/impact/sheet")[0]


@pytest.mark.parametrize("who", ["ada", "bo", "vi"])
def test_home_is_one_click_from_the_figure_and_two_from_its_receipt(cfo, who, request):
    browser = request.getfixturevalue(who).browser
    sentence = read(cfo.answers.get().statement)
    figure = sentence[sentence.index("returned") : sentence.index(")") + 1]
    home, links = shown(browser, "/")
    assert figure in home
    first = next(href for href, says in links if figure in says and href == "/impact/")
    ledger_page, links = shown(browser, first)
    assert figure in ledger_page
    second = next(href for href, _ in links if href.startswith("/impact/sheet"))
    sheet, _ = shown(browser, second)
    assert figure in sheet and "Hash" in sheet


@pytest.mark.parametrize("who", ["ada", "bo", "vi"])
def test_the_answer_on_home_leads_to_the_cfos_question_in_one_click(cfo, who, request):
    browser = request.getfixturevalue(who).browser
    sentence = read(cfo.answers.get().statement)
    _, links = shown(browser, "/")
    asked = next(href for href, says in links if sentence in says)
    page, _ = shown(browser, asked)
    assert ASKED in page and sentence in page
