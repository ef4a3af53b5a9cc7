"""What goes wrong, said once: every error a person can meet is a :class:`Problem`.

A problem knows its HTTP status, a stable type, a sentence that says what is wrong and one that says how to mend
it. Faces turn it into RFC 9457 documents, form messages and exit codes; nothing below them knows which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong at one place of the input: a field, a line of a file, a column."""

    where: str
    problem: str
    mend: str = ""


class Problem(Exception):  # noqa: N818 - the name of RFC 9457 for what people meet
    """An error with a sentence. Raise one of the subclasses."""

    status: ClassVar[int] = 400
    type: ClassVar[str] = "problem"
    title: ClassVar[str] = "This did not work"

    def __init__(self, detail: str, *, mend: str = "", errors: Sequence[FieldProblem] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.mend = mend
        self.errors = tuple(errors)

    def document(self, instance: str = "") -> dict[str, Any]:
        """Return the RFC 9457 problem document."""
        return {
            "type": f"urn:potager:problem:{self.type}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "mend": self.mend,
            "errors": [asdict(error) for error in self.errors],
        }


class Invalid(Problem):
    """The input cannot be accepted as it is."""

    status, type, title = 422, "invalid", "The input cannot be accepted as it is"


class NotSignedIn(Problem):
    """Nobody knows who asks."""

    status, type, title = 401, "not-signed-in", "Sign in first"


class NotAllowed(Problem):
    """The actor may not do this."""

    status, type, title = 403, "not-allowed", "You may not do this"


class NotFound(Problem):
    """There is no such record, or the actor may not see it."""

    status, type, title = 404, "not-found", "There is nothing here"


class Conflict(Problem):
    """The record's state does not allow this."""

    status, type, title = 409, "conflict", "This does not fit the present state"


class Changed(Problem):
    """Somebody else changed the record since it was read (ETag)."""

    status, type, title = 412, "changed", "Somebody changed this meanwhile"


class TooLarge(Problem):
    """More than can be taken in one piece."""

    status, type, title = 413, "too-large", "This is too large"


class TooMany(Problem):
    """Too many requests."""

    status, type, title = 429, "too-many", "Too many requests"


class Unavailable(Problem):
    """Something Potager needs does not answer now; trying again later may help."""

    status, type, title = 503, "unavailable", "Not available right now"
