"""The one way an engine says that there is no number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reason = Literal[
    "stale",
    "incomplete",
    "too_few",
    "definition_changed",
    "not_governed",
    "ambiguous",
    "undefined",
    "not_identified",
]


@dataclass(frozen=True, slots=True)
class CannotTell:
    """A refusal that is a proper answer: why there is no number, and what would make one possible.

    ``reason`` is for programs, ``because`` is the sentence people read, ``mend`` says what would change it.
    """

    reason: Reason
    because: str
    mend: str = ""

    def __str__(self) -> str:
        """Return the sentence people read, with its mend."""
        return f"{self.because} {self.mend}".strip()
