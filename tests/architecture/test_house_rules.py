"""The house rules that a linter cannot say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "potager"
WRITES = {
    "save",
    "create",
    "delete",
    "update",
    "bulk_create",
    "bulk_update",
    "get_or_create",
    "update_or_create",
}
# Mechanisms below the actions: each is the one place that writes what it writes.
MECHANISMS = {
    "ground/access/models.py": "makes people, for sign-up and the actions of accounts",
    "ground/records/models.py": "counts versions when an action saves",
    "ground/records/checks.py": "keep(), called by actions",
    "ground/acting/action.py": "writes the audit entry",
    "ground/events/bus.py": "keeps the outbox",
    "ground/jobs/work.py": "keeps how far a job is",
    "ground/jobs/schedule.py": "keeps when something was last done",
    "ground/webhooks/deliver.py": "keeps what came of a delivery",
    "ground/search/reactions.py": "keeps the index",
    "faces/api/idempotency.py": "keeps answers for their key",
}
EDGE_FILES = ("api.py", "pages.py")
EDGE_FOLDERS = ("faces/", "ground/serving/", "project/")


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if "/migrations/" not in name:
            yield name, ast.parse(path.read_text("utf-8"))


def is_about_rows(call: ast.Call) -> bool:
    """Whether a call like ``x.update(…)`` is one on rows: on a manager, a queryset or a record."""
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr not in WRITES:
        return False
    words = ast.unparse(function.value)
    if ".objects" in words or "_base_manager" in words:
        return True
    if words in {"router", "resource", "goals", "terms"}:  # a route, and the described noun's own action
        return False
    keyworded = bool(call.keywords) and not call.args
    if function.attr in {"save", "delete"}:
        return not call.args  # numpy's delete takes arrays
    on_a_class = words.rpartition(".")[2][:1].isupper()  # somebody's constructor
    return function.attr in {"update", "create"} and keyworded and not on_a_class


def test_only_actions_write():
    found = []
    for name, tree in modules():
        if name.endswith("actions.py") or "/actions/" in name or name in MECHANISMS:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and is_about_rows(node):
                found.append(f"{name}:{node.lineno} {ast.unparse(node.func)}")
    assert not found, "Writes outside actions:\n" + "\n".join(found)


def test_requests_are_seen_at_the_edge_only():
    found = []
    for name, tree in modules():
        at_edge = (
            name.startswith(EDGE_FOLDERS)
            or name.endswith(EDGE_FILES)
            or "/api/" in name
            or "/pages/" in name
            or name == "ground/accounts/adapter.py"
        )
        if at_edge:
            continue
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            found += [
                f"{name}: {n}"
                for n in names
                if n.split(".")[0] in {"ninja", "mcp"} or n.startswith("django.http")
            ]
    assert not found, found


def test_files_stay_short():
    long = {
        path.relative_to(SOURCE).as_posix(): count
        for path in SOURCE.rglob("*.py")
        if "/migrations/" not in path.as_posix()
        and (count := len(path.read_text("utf-8").splitlines())) > 420
    }
    assert not long, f"Split these by topic: {long}"


def test_every_package_says_what_it_is_about():
    silent = [
        path.parent.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("__init__.py")
        if not {"migrations", "management", "commands", "templatetags"} & set(path.parts)
        and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert not silent, silent


def test_every_action_says_what_it_does():
    from potager.ground.acting.action import ACTIONS

    silent = [found.name for found in ACTIONS.values() if not found.help and "._" not in found.name]
    assert ACTIONS and not silent


def test_every_permission_an_action_asks_is_defined():
    from potager.ground.access.roles import permission
    from potager.ground.acting.action import ACTIONS

    for found in ACTIONS.values():
        assert permission(found.permission)


@pytest.mark.django_db
def test_no_migration_is_missing():
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_no_two_shapes_of_the_api_have_the_same_name():
    """The document knows shapes by name: of two with the same one, the later would silently be both."""
    from ninja import Schema

    from potager.faces.api.root import api

    assert api.get_openapi_schema()
    homes: dict[str, set[str]] = {}
    waiting = [Schema]
    while waiting:
        for shape in waiting.pop().__subclasses__():
            waiting.append(shape)
            if shape.__module__.startswith("potager.") and "[" not in shape.__name__:
                homes.setdefault(shape.__name__, set()).add(shape.__module__)
    twice = {name: sorted(modules) for name, modules in homes.items() if len(modules) > 1}
    assert not twice, f"Name one of each differently: {twice}"
