"""What a check found in a definition: where, what, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from potager.kit.errors import FieldProblem, Invalid

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing found at one line of one document. ``message`` says what is wrong, ``mend`` what to do."""

    source: str
    line: int
    level: Level
    message: str
    mend: str

    @property
    def where(self) -> str:
        """Return the place as people say it: ``orders.yml line 12``."""
        return place(self.source, self.line)

    def field_problem(self) -> FieldProblem:
        """Return the finding as one entry of a :class:`~potager.kit.errors.Problem`."""
        return FieldProblem(where=self.where, problem=self.message, mend=self.mend)


def place(source: str, line: int) -> str:
    """Return ``orders.yml line 12``."""
    return f"{source} line {line}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``Did you mean a or b?`` for the nearest of ``known``, else an empty string."""
    by_folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), list(by_folded), n=2, cutoff=0.6)
    return f"Did you mean {' or '.join(by_folded[name] for name in near)}?" if near else ""


def choose_from(word: str, known: Sequence[str], *, kind: str) -> str:
    """Return a mend for an unknown ``word``: the nearest names, or the first of what there is."""
    near = did_you_mean(word, known)
    if near:
        return near
    if not known:
        return f"There is no {kind} yet; add one."
    shown = ", ".join(sorted(known)[:8]) + (" …" if len(known) > 8 else "")
    return f"Use one of: {shown}."


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that forbid use."""
    return [finding for finding in findings if finding.level == "error"]


def refuse(findings: Iterable[Finding]) -> None:
    """Raise :class:`Invalid` naming every error among ``findings``; do nothing when there is none."""
    bad = errors(findings)
    if bad:
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        raise Invalid(
            f"{bad[0].where}: {bad[0].message}{more}",
            mend=bad[0].mend,
            errors=[finding.field_problem() for finding in bad],
        )
