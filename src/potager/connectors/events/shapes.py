"""The words of events: whose they are, what their columns mean, and the tables that come of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa

from potager.connectors.files import ColumnShape, FileShape
from potager.kit.errors import FieldProblem

Kind = Literal["segment", "posthog", "snowplow", "plain"]
KINDS: tuple[Kind, ...] = ("segment", "posthog", "snowplow", "plain")
KIND_NAMES: dict[str, str] = {
    "segment": "Segment events",
    "posthog": "PostHog events",
    "snowplow": "Snowplow enriched events",
    "plain": "events",
}
# What a column of a file may mean. ``person`` is known by name, ``anonymous`` is a device or a visitor.
ROLES = (
    "event_id", "person", "anonymous", "account", "event", "time", "original_time", "sent_at", "received_at",
    "properties",
)  # fmt: skip

_MOMENT: pa.DataType = pa.timestamp("us", tz="UTC")
EVENTS = pa.schema(
    [
        ("event_id", pa.string()), ("person", pa.string()), ("account", pa.string()), ("event", pa.string()),
        ("occurred_at", _MOMENT), ("received_at", _MOMENT), ("properties", pa.string()),
    ]
)  # fmt: skip
IDENTITIES = pa.schema([("alias", pa.string()), ("person", pa.string())])
ACCOUNTS = pa.schema(
    [("account", pa.string()), ("person", pa.string()), ("since", _MOMENT), ("traits", pa.string())]
)


@dataclass(frozen=True, slots=True)
class EventShape:
    """What a file of events is: whose it is (``kind``), which column means what (``roles``), and the file itself."""

    kind: Kind
    roles: dict[str, str]
    file: FileShape
    problems: tuple[FieldProblem, ...]

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self.file.path

    @property
    def format(self) -> str:
        """Whose events they are and in which format, in words."""
        return f"{KIND_NAMES[self.kind]}, {self.file.format}"

    @property
    def encoding(self) -> str:
        """The encoding of the file."""
        return self.file.encoding

    @property
    def compression(self) -> str:
        """How the file is packed; empty where it is not."""
        return self.file.compression

    @property
    def sheet(self) -> str:
        """The sheet of a workbook."""
        return self.file.sheet

    @property
    def sheets(self) -> tuple[str, ...]:
        """The sheets of a workbook."""
        return self.file.sheets

    @property
    def rows_estimate(self) -> int:
        """How many rows the file has, about."""
        return self.file.rows_estimate

    @property
    def bytes(self) -> int:
        """The size of the file."""
        return self.file.bytes

    @property
    def fingerprint(self) -> str:
        """The sha256 of the file."""
        return self.file.fingerprint

    @property
    def columns(self) -> tuple[ColumnShape, ...]:
        """The columns of the file."""
        return self.file.columns
