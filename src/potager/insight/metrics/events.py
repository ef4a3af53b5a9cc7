"""What metrics announce."""

from __future__ import annotations

from dataclasses import dataclass

from potager.ground.events.bus import Event


@dataclass(frozen=True, slots=True)
class DefinitionChanged(Event):
    """A metric means something else than before; answers that rest on it are out of date."""

    metric: str
