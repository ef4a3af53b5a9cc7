"""What a connector is, and finding them: no context knows one by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from potager.kit.errors import NotFound

if TYPE_CHECKING:
    import pyarrow as pa


class Seen(Protocol):
    """How far a reading is."""

    done: int
    total: int
    unit: Any
    rows: int
    rejected: int


class Reading(Protocol):
    """A file being read: typed batches, and what was set aside."""

    @property
    def batches(self) -> pa.RecordBatchReader:
        """The rows, streamed."""

    @property
    def rows(self) -> int:
        """How many rows were read so far."""

    @property
    def rejects(self) -> Any:
        """What was set aside: ``count``, ``reasons`` and ``write_csv(path)``."""


class Connector(Protocol):
    """Reads files of its kinds. Plans travel as plain dictionaries."""

    def inspect(self, path: Path) -> Any:
        """Return the shape of a file: format, columns, problems, fingerprint."""

    def plan_from(self, shape: Any) -> Any:
        """Return the plan that fits the shape."""

    def plan_of(self, stored: Mapping[str, Any]) -> Any:
        """Return a plan from its dictionary."""

    def preview(self, path: Path, plan: Any, rows: int = 50) -> Any:
        """Return the first rows as they would be imported."""

    def read(self, path: Path, plan: Any, *, progress: Callable[[Any], None] | None = None) -> Any:
        """Read the whole file."""


def connector(name: str) -> Any:
    """Return the connector called ``name``."""
    for entry in entry_points(group="potager.connectors"):
        if entry.name == name:
            return entry.load()
    raise NotFound(f"There is no connector called {name}.", mend=f"There are: {', '.join(connectors())}.")


def connectors() -> list[str]:
    """Return the names of all connectors installed."""
    return sorted(entry.name for entry in entry_points(group="potager.connectors"))
