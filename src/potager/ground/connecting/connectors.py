"""What a connector is, and finding them: no context knows one by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import entry_points
from typing import Any, Protocol

from potager.kit.errors import NotFound


class Connector(Protocol):
    """A module that reads files of its kinds; ``potager.connectors.files`` shows each function with its promise.

    ``ABOUT`` says what the files hold, for people. ``inspect(path)`` returns a shape, ``plan_from(shape)`` a plan,
    ``ReadPlan.from_dict`` a plan from its dictionary, ``preview(path, plan, rows)`` the first rows,
    ``read(path, plan, progress=, rejects_to=)`` a stream of all.
    """

    ABOUT: str
    ReadPlan: Any
    inspect: Callable[..., Any]
    plan_from: Callable[..., Any]
    preview: Callable[..., Any]
    read: Callable[..., Any]


def connector(name: str) -> Connector:
    """Return the connector called ``name``."""
    for entry in entry_points(group="potager.connectors"):
        if entry.name == name:
            found: Connector = entry.load()
            return found
    raise NotFound(f"There is no connector called {name}.", mend=f"There are: {', '.join(connectors())}.")


def connectors() -> list[str]:
    """Return the names of all connectors installed."""
    return sorted(entry.name for entry in entry_points(group="potager.connectors"))


def offered() -> list[tuple[str, str]]:
    """Return the connectors that a person may choose for a file, with what it would hold; plain tables first."""
    found = [(name, getattr(connector(name), "ABOUT", "")) for name in connectors()]
    return sorted(((name, str(about)) for name, about in found if about), key=lambda one: one[0] != "files")


def described(shape: Any) -> dict[str, Any]:
    """Return the shape of a file as plain JSON, for pages and the API."""
    return {
        "format": shape.format,
        "encoding": shape.encoding,
        "compression": shape.compression,
        "sheet": shape.sheet,
        "sheets": list(shape.sheets),
        "rows_estimate": shape.rows_estimate,
        "columns": [
            {
                "source": column.source_name,
                "name": column.name,
                "type": column.cast.type,
                "share_null": column.share_null,
                "samples": [str(sample) for sample in column.samples],
                "note": column.note,
            }
            for column in shape.columns
        ],
        "problems": [asdict(problem) for problem in shape.problems],
    }
