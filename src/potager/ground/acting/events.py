"""What every action announces."""

from __future__ import annotations

from dataclasses import dataclass

from potager.ground.events.bus import Event


@dataclass(frozen=True, slots=True)
class Acted(Event):
    """An action was done on a record; the search index and outgoing webhooks hear all of them."""

    action: str
    kind: str
    id: str
    title: str
