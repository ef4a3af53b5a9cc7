"""What jobs announce."""

from __future__ import annotations

from dataclasses import dataclass

from potager.ground.events.bus import Event


@dataclass(frozen=True, slots=True)
class JobEnded(Event):
    """A job is done, failed or was canceled."""

    job: str
    kind: str
    state: str
