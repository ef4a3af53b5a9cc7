"""Tables and records for people, JSON for programs."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import click

_WIDEST = 40
_HOUSE = re.compile(r".*(?:_id|_at|_digest|_hash)")
_SHOWN_LAST = (
    "id",
    "url",
    "owner_id",
    "team_id",
    "visibility",
    "version",
    "created_at",
    "updated_at",
    "archived_at",
)


def show(context: click.Context, answer: Any) -> None:
    """Print what an operation answered."""
    if (context.find_root().obj or {}).get("json") or not isinstance(answer, (dict, list)):
        text = answer if isinstance(answer, str) else json.dumps(answer, indent=2, ensure_ascii=False)
        if isinstance(answer, bytes):
            sys.stdout.buffer.write(answer)
            return
        click.echo(text)
        return
    if isinstance(answer, dict) and set(answer) == {"items", "next_cursor", "total"}:
        table(answer["items"])
        click.echo(f"{len(answer['items'])} of {answer['total']}", err=True)
        if answer["next_cursor"]:
            click.echo(f"More: --cursor {answer['next_cursor']}", err=True)
    elif isinstance(answer, list):
        table(answer)
    else:
        record(answer)


def table(rows: list[Any]) -> None:
    """Print rows as a table, the telling columns first."""
    from rich.console import Console
    from rich.table import Table

    if not rows:
        click.echo("Nothing yet.", err=True)
        return
    if not isinstance(rows[0], dict):
        for row in rows:
            click.echo(row)
        return
    names = [
        name
        for name, value in rows[0].items()
        if name not in _SHOWN_LAST[1:] and name != "title" and not isinstance(value, (dict, list))
    ]
    names = _fitting(rows, names, Console().width)
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        numeric = isinstance(rows[0][name], (int, float)) and not isinstance(rows[0][name], bool)
        shown.add_column(name.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(_cell(row.get(name)) for name in names))
    Console().print(shown)


def _fitting(rows: list[dict[str, Any]], names: list[str], width: int) -> list[str]:
    """Return the columns that fit on a line: the telling ones first, then keys and moments; all are in ``--json``."""
    house = [name for name in names if name == "id" or _HOUSE.fullmatch(name)]
    ordered = [name for name in names if name not in house]
    ordered = [*ordered[:2], *(["id"] if "id" in house else []), *ordered[2:]]
    ordered += [name for name in house if name not in ordered]
    chosen: list[str] = []
    for name in ordered:
        needs = 2 + min(_WIDEST, max(len(name), *(len(_cell(row.get(name))) for row in rows)))
        if needs <= width or not chosen:
            chosen.append(name)
            width -= needs
    return [name for name in names if name in chosen]


def record(answer: dict[str, Any]) -> None:
    """Print one record, a value per line, the house's own fields last."""
    names = [name for name in answer if name not in _SHOWN_LAST] + [
        name for name in _SHOWN_LAST if name in answer
    ]
    width = max((len(name) for name in names), default=0)
    for name in names:
        value = answer[name]
        if value in (None, "", [], {}):
            continue
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)
        click.echo(f"{click.style(name.replace('_', ' ').ljust(width), bold=True)}  {text}")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}"
    text = str(value)
    return text if len(text) <= 80 else text[:79] + "…"
