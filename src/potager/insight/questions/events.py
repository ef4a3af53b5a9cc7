"""What questions announce."""

from __future__ import annotations

from dataclasses import dataclass

from potager.ground.events.bus import Event


@dataclass(frozen=True, slots=True)
class AnswerChanged(Event):
    """The answer to a question is another than it was; ``says`` is the difference in sentences."""

    question: str
    answer: str
    before: str
    after: str
    says: str
