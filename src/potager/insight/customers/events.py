"""What others may want to hear of customers. Events carry ids, never names or addresses: they outlive an erasure."""

from __future__ import annotations

from dataclasses import dataclass

from potager.ground.events.bus import Event


@dataclass(frozen=True, slots=True)
class Merged(Event):
    """Two records became one: what belonged to ``merged`` belongs to ``kept`` now."""

    kind: str
    kept: str
    merged: str


@dataclass(frozen=True, slots=True)
class Unmerged(Event):
    """A merge was undone."""

    kind: str
    kept: str
    merged: str


@dataclass(frozen=True, slots=True)
class PersonErased(Event):
    """A person was erased; whoever keeps words or numbers about them lets go of what tells who it was."""

    person: str


@dataclass(frozen=True, slots=True)
class Synced(Event):
    """Accounts or people came from a table of the lake, or were taken away again."""

    sync: str
    noun: str
