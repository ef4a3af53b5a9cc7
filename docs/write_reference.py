"""Writes docs/reference from the code. With ``--check`` it writes nothing and says which pages are out of date."""

from __future__ import annotations

import argparse
import inspect
import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs/reference"
Page = Callable[[], Iterator[str]]
# Each page: what the index says of it, its title, and the sentences it begins with.
ABOUT = {
    "api.md": (
        "every operation, its inputs",
        "API",
        "Every operation of the HTTP API, by context. All take a token and answer problem documents on failure; the\n"
        "document for machines is at `/api/openapi.json`; [Call the API](../guides/api.md) shows the common ways.",
    ),
    "cli.md": (
        "every command and its options",
        "Command line",
        "All that the program does. Exit codes: 0 done, 1 a problem (said on standard error), 2 not understood.\n"
        "`--json` prints what the API answers; `--server` and `--token` work against a server instead of this machine.",
    ),
    "configuration.md": (
        "every setting",
        "Configuration",
        "Settings come from the environment, are read once, and refused with a sentence where they cannot be used.\n"
        "None is needed to begin; [Run it for a team](../guides/run.md) shows which matter when.",
    ),
    "dependencies.md": (
        "what Potager stands on, why, under which license",
        "Dependencies",
        "Each one is alive, made for its job, and weighed: what it is for, its license, what would take its place.\n"
        "They are locked with hashes in `requirements/`; `make audit` looks for known weaknesses.",
    ),
    "errors.md": (
        "every kind of error",
        "Errors",
        "Every failure is one of these, over every face: a problem document (RFC 9457) over HTTP, a sentence and exit\n"
        "code 1 on the command line, an error with its sentence for assistants. `mend` says how to mend it.",
    ),
    "events.md": (
        "what webhooks can hear",
        "Events",
        "What a webhook can hear. Deliveries are signed as Standard Webhooks say; the body is a CloudEvent (JSON)\n"
        "whose `type` is the event and whose `data` has the fields below. An act (`acting.acted`) is told under the\n"
        "name of its action, such as `metrics.govern`.",
    ),
    "mcp.md": (
        "what assistants can call",
        "Assistants",
        "What an assistant finds over MCP; [Let assistants ask](../guides/assistants.md) says how to connect one.\n"
        "Three reach every operation, three are for what people ask most.",
    ),
    "permissions.md": (
        "who may do what",
        "Permissions",
        "Which roles have each permission. A record's team narrows it, a role given on one record widens it,\n"
        "and tokens narrow it by scope.",
    ),
    "questions.md": (
        "recipes, rules, reasons for not telling",
        "Questions",
        "The recipes that answer questions, what their rules may say, and the reasons for not telling.\n"
        "[Ask questions](../guides/questions.md) shows them in use.",
    ),
}
PAGES: dict[str, Page] = {}
LICENSES = {
    "Apache": "Apache-2.0", "MIT": "MIT", "BSD": "BSD", "Mozilla": "MPL-2.0", "MPL": "MPL-2.0", "LGPL": "LGPL-3.0",
    "Lesser": "LGPL-3.0", "Python Software Foundation": "PSF-2.0",
}  # fmt: skip


def page(name: str) -> Callable[[Page], Page]:
    """Register what writes ``name``."""

    def keep(write: Page) -> Page:
        PAGES[name] = write
        return write

    return keep


def cell(text: object) -> str:
    """Return a text as it stands in a table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def table(head: list[str], rows: list[list[object]]) -> Iterator[str]:
    """Return a Markdown table."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell(one) for one in row)} |"
    yield ""


@page("README.md")
def index() -> Iterator[str]:
    """The list of pages; the ones written by hand come last."""
    yield "# Reference\n\nWritten from the code by `make reference`; a test fails when a page lies.\n"
    yield from (f"- [{title}]({name}): {short}" for name, (short, title, _) in ABOUT.items())
    yield "\nBy hand: [the design system](design-system.md) and, by `make bench`, [benchmarks](benchmarks.md).\n"


@page("api.md")
def api() -> Iterator[str]:
    """Every operation."""
    from potager.faces.api.operations import operations

    context = ""
    for op in sorted(operations().values(), key=lambda one: one.words):
        if op.words[0] != context:
            context = op.words[0]
            yield f"## {context.capitalize()}\n"
        yield f"### `{op.method.upper()} {op.path}`\n"
        yield f"{op.summary} Operation `{op.id}`.\n"
        rows: list[list[object]] = [
            [f"`{p.name}`", p.place, kind_of(p), "yes" if p.required else "", p.help] for p in op.parameters
        ]
        if rows:
            yield from table(["input", "in", "type", "required", "what"], rows)


def kind_of(parameter: Any) -> str:
    """Return what an input takes."""
    return ", ".join(f"`{one}`" for one in parameter.choices) or parameter.type


@page("cli.md")
def cli() -> Iterator[str]:
    """Every command."""
    import click

    from potager.faces.api.operations import operations
    from potager.faces.cli.main import program

    context = click.Context(program, info_name="potager")
    options = [one for one in program.params if isinstance(one, click.Option)]
    yield from table(["option", "what"], [[f"`{'`, `'.join(one.opts)}`", one.help or ""] for one in options])
    made = {op.words[0] for op in operations().values()}
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        if command is None or name in made:
            continue
        yield f"## `potager {name}`\n\n{inspect.cleandoc(command.help or '')}\n"
        rows = [[f"`{said(one)}`", getattr(one, "help", "") or ""] for one in command.params]
        if rows:
            yield from table(["takes", "what"], rows)
    yield "## From the API\n\n`potager CONTEXT NOUN VERB`, one for each operation.\n"
    rows = [
        [f"`potager {' '.join(op.words)}`", op.summary]
        for op in sorted(operations().values(), key=lambda one: one.words)
    ]
    yield from table(["command", "what"], rows)
    yield "`potager metrics new TABLE` proposes metrics from a table's columns and publishes them;"
    yield "`potager metrics import PATH` publishes a file, a folder or a dbt project.\n"


def said(parameter: Any) -> str:
    """Return how an input is typed."""
    import click

    if isinstance(parameter, click.Argument):
        return str(parameter.human_readable_name)
    return " / ".join([*parameter.opts, *parameter.secondary_opts])


@page("mcp.md")
def mcp() -> Iterator[str]:
    """What assistants can call."""
    import asyncio

    from potager.faces.mcp.server import build

    for tool in asyncio.run(build(_nobody).list_tools()):
        yield f"## `{tool.name}`\n\n{inspect.cleandoc(tool.description or '')}\n"
        schema = getattr(tool, "input_schema", None) or {}
        rows = [
            [f"`{name}`", "yes" if name in schema.get("required", []) else "", part.get("description", "")]
            for name, part in schema.get("properties", {}).items()
        ]
        if rows:
            yield from table(["takes", "required", "what"], rows)


def _nobody(_: object) -> Any:
    raise LookupError("Nobody calls while the reference is written.")


@page("permissions.md")
def permissions() -> Iterator[str]:
    """Who may do what."""
    from django.apps import apps

    from potager.ground.access.roles import Role
    from potager.ground.context import Context

    rows: list[list[object]] = []
    for config in apps.get_app_configs():
        if isinstance(config, Context):
            rows += [
                [f"`{one.name}`", one.title, *("•" if role >= one.role else "" for role in Role)]
                for one in config.permissions
            ]
    yield from table(["permission", "lets people", *(role.title.lower() for role in Role)], rows)


@page("events.md")
def events() -> Iterator[str]:
    """What webhooks can hear."""
    import dataclasses

    from potager.ground.events.bus import Event

    # A dataclass with slots is made twice; the later one is the one that is used.
    known = {one.name(): one for one in _all(Event)}
    for one in (known[name] for name in sorted(known)):
        if not one.__module__.startswith("potager."):
            continue
        yield f"## `{one.name()}`\n\n{inspect.cleandoc(one.__doc__ or '')}\n"
        yield from table(["field", "type"], [[f"`{f.name}`", f.type] for f in dataclasses.fields(one)])


def _all(kind: type[Any]) -> set[type[Any]]:
    found = set(kind.__subclasses__())
    return found | {deeper for one in found for deeper in _all(one)}


@page("errors.md")
def errors() -> Iterator[str]:
    """Every kind of problem."""
    from potager.kit.errors import Problem

    rows: list[list[object]] = [
        [one.status, f"`urn:potager:problem:{one.type}`", one.title, inspect.cleandoc(one.__doc__ or "")]
        for one in sorted(_all(Problem), key=lambda one: (one.status, one.type))
        if one.__module__ == "potager.kit.errors"
    ]
    yield from table(["status", "type", "title", "when"], rows)


@page("questions.md")
def questions() -> Iterator[str]:
    """Recipes, rules and refusals."""
    from typing import get_args

    from potager.engines.answers import Reason
    from potager.insight.questions.models import Cadence, Status, Verdict
    from potager.insight.questions.recipes.registry import kinds
    from potager.insight.questions.rules import STANDARD, STANDARD_DOWN

    for kind in kinds():
        yield f"## {kind.name.capitalize()}: {kind.title}\n\n{inspect.cleandoc(kind.answer.__doc__ or '')}\n"
        if kind.variables:
            yield from table(
                ["in a rule", "is"], [[f"`{name}`", text] for name, text in kind.variables.items()]
            )
        for title, rules in (("Unless said", STANDARD), ("Where less is better", STANDARD_DOWN)):
            if rule := rules.get(kind.name):
                said = ", ".join(f"{verdict} when `{text}`" for verdict, text in rule.items())
                yield f"{title}: {said}.\n"
    yield "## Words\n"
    for title, choices in (("Verdicts", Verdict), ("Cadences", Cadence), ("Status", Status)):
        yield f"{title}: " + ", ".join(f"`{one.value}`" for one in choices) + ".\n"
    yield "Reasons for not telling: " + ", ".join(f"`{one}`" for one in get_args(Reason)) + ".\n"


@page("configuration.md")
def configuration() -> Iterator[str]:
    """Every setting."""
    settings = yaml.safe_load((ROOT / "docs/configuration.yml").read_text("utf-8"))
    rows: list[list[object]] = [
        [f"`{name}`", one["default"] or "–", one["does"]] for name, one in settings.items()
    ]
    yield from table(["variable", "unless set", "what"], rows)


@page("dependencies.md")
def dependencies() -> Iterator[str]:
    """What Potager stands on."""
    words = yaml.safe_load((ROOT / "docs/dependencies.yml").read_text("utf-8"))
    wanted = requirements()
    for title, key in (("When it runs", "run"), ("When it is tested", "test")):
        yield f"## {title}\n"
        rows: list[list[object]] = [
            [f"`{name}`", wanted[key].get(name, ""), one["for"], license_of(name), one["instead"]]
            for name, one in words[key].items()
        ]
        yield from table(["package", "version", "for", "license", "instead"], rows)
    yield (
        "## Shipped inside\n\n"
        + (ROOT / "src/potager/faces/web/static/potager/vendor/README.md")
        .read_text("utf-8")
        .partition("\n")[2]
        .strip()
        + "\n"
    )


def requirements() -> dict[str, dict[str, str]]:
    """Return the packages that pyproject.toml names, with their versions: to run and to test."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    tests = project["dependency-groups"]["test"]
    run = split([*project["project"]["dependencies"], *(one for extra in extras for one in extra)])
    test = split([one for one in tests if isinstance(one, str)])
    return {"run": run, "test": {name: version for name, version in test.items() if name not in run}}


def split(lines: list[str]) -> dict[str, str]:
    """Return package names with their version bounds."""
    found: dict[str, str] = {}
    for line in lines:
        matched = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?\s*(.*)", line)
        assert matched is not None
        found.setdefault(matched[1].lower(), matched[2])
    return found


def license_of(name: str) -> str:
    """Return a package's license as its own metadata says."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return "see the package"
    stated = about.get("License-Expression") or ""
    if stated:
        return str(stated)
    hints = [*(about.get_all("Classifier") or []), str(about.get("License") or "")[:80]]
    lines = [hint for hint in hints if hint.startswith("License ::")] or hints
    return next(
        (short for word, short in LICENSES.items() if any(word in line for line in lines)), "see the package"
    )


def opening(name: str) -> Iterator[str]:
    """Return how a page begins."""
    if name in ABOUT:
        _, title, text = ABOUT[name]
        yield f"# {title}\n\n{text}\n"


def main() -> int:
    """Write the pages, or say which ones lie."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "potager.project.settings")
    import django

    django.setup()
    stale = []
    for name, write in PAGES.items():
        text = "\n".join([*opening(name), *write()]).rstrip() + "\n"
        path = FOLDER / name
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text, "utf-8")
    if stale:
        print(f"{'Out of date' if check else 'Written'}: {', '.join(stale)}.")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
