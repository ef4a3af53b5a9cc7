"""What is written for people holds: links lead somewhere, commands exist, words are spelled one way."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import click
import pytest

from potager.faces.api.operations import operations
from potager.faces.cli.main import program

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")] if path.name != "LICENSE.md"
)
BY_HAND = [path for path in PAGES if "reference" not in path.parts]
BRITISH = re.compile(
    r"\b(\w*(?:behaviour|colour|favour|labour|centre|catalogue|licence|organis|prioritis|recognis|analys(?:e\b|ed|ing)|summaris|cancelled)\w*)\b",
    re.IGNORECASE,
)
MACHINE = re.compile(r"(?:^|[\s`\"'(])/(?:tmp|work|home|root|opt)/")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_and_pictures_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


def blocks(path: Path, languages: tuple[str, ...]) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def commands(path: Path) -> list[list[str]]:
    lines = [
        line for text in blocks(path, ("", "sh", "shell", "bash", "console")) for line in text.splitlines()
    ]
    inline = re.findall(r"`(potager [^`\n]+)`", path.read_text("utf-8"))
    said = [line.removeprefix("$ ").strip() for line in [*lines, *inline]]
    return [shlex.split(line, comments=True)[1:] for line in said if line.startswith("potager ")]


@pytest.mark.parametrize("path", BY_HAND, ids=named)
def test_commands_exist_with_their_options(path: Path) -> None:
    for words in commands(path):
        command: click.Command = program
        context = click.Context(program, info_name="potager")
        rest = list(words)
        while isinstance(command, click.Group) and rest:
            if rest[0].startswith("--"):
                option = next(one for one in command.params if rest[0] in one.opts)
                rest = rest[1 if getattr(option, "is_flag", False) else 2 :]
                continue
            if rest[0].isupper():  # CONTEXT NOUN VERB
                break
            deeper = command.get_command(context, rest[0])
            if deeper is None:  # a group may have a usual command, whose name need not be said
                deeper = command.get_command(context, getattr(command, "usual", ""))
            else:
                rest = rest[1:]
            assert deeper is not None, words
            command = deeper
        known = {name for one in command.params for name in [*one.opts, *one.secondary_opts]} | {"--help"}
        assert {word for word in rest if word.startswith("--")} <= known, words


@pytest.mark.parametrize("path", BY_HAND, ids=named)
def test_addresses_of_the_api_exist(path: Path) -> None:
    known = {re.sub(r"\{\w+\}", "{}", op.path) for op in operations().values()} | {"/api/openapi.json"}
    for address in re.findall(r"(/api/[\w/{}.-]+)", path.read_text("utf-8")):
        assert re.sub(r"\{\w+\}", "{}", address.rstrip(".")) in known, address


@pytest.mark.parametrize("path", BY_HAND, ids=named)
def test_python_in_pages_can_be_read(path: Path) -> None:
    for text in blocks(path, ("python",)):
        ast.parse(text)


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_words_are_spelled_one_way_and_no_machine_is_named(path: Path) -> None:
    text = path.read_text("utf-8")
    assert BRITISH.findall(text) == []
    assert MACHINE.search(text) is None


def test_the_architecture_page_names_every_package_and_none_that_is_not_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    assert len(text.splitlines()) <= 110
    source = ROOT / "src/potager"
    for path in re.findall(r"`((?:ground|insight|engines|faces|connectors|kit|demo|garden)/[\w/.]+)`", text):
        assert (source / path).exists(), path
    for package in [
        *source.iterdir(),
        *(
            one
            for layer in ("ground", "insight", "engines", "faces", "garden", "connectors", "demo")
            for one in (source / layer).iterdir()
        ),
    ]:
        if package.is_dir() and (package / "__init__.py").exists():
            assert re.search(rf"\b{package.name}\b", text), package
