"""Which kind a file is, by its header or its first record."""

from __future__ import annotations

from pathlib import Path

from potager.connectors.stripe.columns import is_dashboard, is_plain
from potager.connectors.stripe.delimited import CsvFile, csv_file
from potager.connectors.stripe.events import SUBSCRIPTION
from potager.connectors.stripe.rates import is_rates
from potager.connectors.stripe.records import beginning, first_object
from potager.connectors.stripe.shapes import Kind
from potager.kit.errors import Invalid


def recognize(path: Path | str) -> Kind | None:
    """Return what a file holds; None for none of the kinds. Only its header or first record is looked at.

    Raises :class:`Invalid` for an empty file and ``NotFound`` for one that is not there.
    """
    return looked_into(Path(path))[0]


def looked_into(path: Path) -> tuple[Kind | None, CsvFile | None]:
    """Return what a file holds as :func:`recognize`, and what it is like where it is a table."""
    start = beginning(path)
    if start[0] in "{[":
        return _of_object(start), None
    try:
        file = csv_file(path, expected=Kind.PLAIN.described)
    except Invalid:
        return None, None  # no table: none of the kinds
    if is_rates(file.headers):
        return Kind.RATES, file
    if is_dashboard(file.headers):
        return Kind.DASHBOARD, file
    return (Kind.PLAIN if is_plain(file.headers) else None), file


def _of_object(start: str) -> Kind | None:
    first = first_object(start)
    if first is None:
        return None
    if first.get("object") == "event" or str(first.get("type", "")).startswith(SUBSCRIPTION):
        return Kind.EVENTS
    if first.get("object") == "subscription" or str(first.get("id", "")).startswith("sub_"):
        return Kind.API
    if first.get("object") == "list" and not first.get("data"):
        return Kind.EVENTS if "events" in str(first.get("url")) else Kind.API
    return None


def described(path: Path) -> str:
    """Return what a file seems to be in words, for a sentence on one of another kind."""
    start = beginning(path)
    if start[0] in "{[":
        first = first_object(start)
        named = "" if first is None else str(first.get("object") or "")
        return f"JSON with a {named}" if named else "JSON of another kind"
    try:
        headers = csv_file(path, expected=Kind.PLAIN.described).headers
    except Invalid:
        return "no table with a header"
    return f"a table with the columns {', '.join(headers[:8])}"
