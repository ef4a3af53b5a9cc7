"""Versions that tags name, and their order (semver.org, section 11)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

Rank = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]
_TAG = re.compile(
    r"^(?:(?P<family>[\w.+@/-]*?)[@/_-])?[vV]?(?P<numbers>\d+(?:\.\d+)+)"
    r"(?:[-.]?(?P<before>(?:alpha|beta|rc|pre|dev|preview|canary|next|snapshot|[ab])[0-9A-Za-z.-]*|(?<=-)[0-9A-Za-z.-]+))?"
    r"(?:\+(?P<build>[0-9A-Za-z.-]+))?$",
    re.IGNORECASE,
)
_PARTS = re.compile(r"\d+|[A-Za-z]+(?:-[A-Za-z]+)*")


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A version of a ``family`` (the package or product that its tag names): numbers, and what comes ``before`` it."""

    family: str
    numbers: tuple[int, ...]
    before: str = ""

    def __str__(self) -> str:
        return ".".join(map(str, self.numbers)) + (f"-{self.before}" if self.before else "")

    def __lt__(self, other: Version) -> bool:
        return self.rank < other.rank

    @property
    def rank(self) -> Rank:
        """What versions of a family are ordered by: a version comes after all that were made before it."""
        numbers = self.numbers
        while len(numbers) > 1 and numbers[-1] == 0:
            numbers = numbers[:-1]  # 1.2 and 1.2.0 are the same version
        parts = tuple(
            (not part.isdigit(), int(part) if part.isdigit() else 0, "" if part.isdigit() else part.lower())
            for part in _PARTS.findall(self.before)
        )
        return numbers, not self.before, parts


def version_of(tag: str) -> Version | None:
    """Return the version that a tag names, such as v1.2.0, web@3.0.0-rc.1 or api/v2.1; None where it names none."""
    found = _TAG.match(tag)
    if found is None:
        return None
    numbers = tuple(int(number) for number in found["numbers"].split("."))
    return Version(found["family"] or "", numbers, found["before"] or "")
