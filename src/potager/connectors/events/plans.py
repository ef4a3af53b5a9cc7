"""The mapping a person agrees to: whose events they are, which column means what, in which time zone; kept as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from potager.connectors.events.shapes import KINDS, ROLES, Kind
from potager.connectors.files import ReadPlan as FilePlan
from potager.connectors.files.dates import format_problem
from potager.kit.errors import FieldProblem, Invalid

FUTURE_MINUTES = 60


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """How a file of events is read.

    ``roles`` names the column (by its label in the file) of each role. ``zone`` is the time zone of times that name
    none. ``every`` is what an event is called in a file whose rows say no name. ``future_minutes``: how far a clock
    may be ahead before an event counts as one from the future. ``group``: which of PostHog's groups is the account;
    empty: company, organization or account, and else the only one. ``date_formats`` are strptime formats beside ISO.
    """

    kind: Kind
    file: FilePlan
    roles: dict[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    every: str = "event"
    future_minutes: int = FUTURE_MINUTES
    group: str = ""
    date_formats: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain JSON values."""
        return {
            "kind": self.kind, "file": self.file.to_dict(), "roles": dict(self.roles), "zone": self.zone,
            "every": self.every, "future_minutes": self.future_minutes, "group": self.group,
            "date_formats": list(self.date_formats),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> ReadPlan:
        """Return the plan that ``to_dict`` wrote; raise ``Invalid`` with a sentence for each thing that is wrong."""
        kinds: dict[str, tuple[type, str]] = {
            "kind": (str, "text"), "file": (dict, "the plan of a file"), "roles": (dict, "a column for each role"),
            "zone": (str, "text"), "every": (str, "text"), "future_minutes": (int, "a whole number"),
            "group": (str, "text"), "date_formats": (list, "a list of formats"),
        }  # fmt: skip
        wrong = [
            FieldProblem(key, f"A plan for events has no field “{key}”.", f"Use {', '.join(kinds)}.")
            for key in given
            if key not in kinds
        ]
        wrong += [
            FieldProblem(key, f"{key} must be {word}, not {given[key]!r}.", f"Give {word}.")
            for key, (kind, word) in kinds.items()
            if key in given and (not isinstance(given[key], kind) or isinstance(given[key], bool))
        ]
        wrong += [
            FieldProblem(key, f"The plan has no {key}.", f"Add {key}.")
            for key in ("kind", "file")
            if key not in given
        ]
        if wrong:
            raise _refused(wrong)
        values = {key: given[key] for key in kinds if key in given and key not in {"kind", "file"}}
        values["date_formats"] = tuple(str(one) for one in given.get("date_formats", ()))
        values["roles"] = {str(role): str(source) for role, source in given.get("roles", {}).items()}
        return cls(kind=cast("Kind", given["kind"]), file=FilePlan.from_dict(given["file"]), **values)


def check(plan: ReadPlan) -> ReadPlan:
    """Return ``plan`` when it can be followed; raise ``Invalid`` with a sentence for each thing that is wrong."""
    wrong: list[FieldProblem] = []
    if plan.kind not in KINDS:
        wrong.append(
            FieldProblem("kind", f"“{plan.kind}” is no kind of events.", f"Use one of {', '.join(KINDS)}.")
        )
    labels = {column.source for column in plan.file.columns}
    for role, source in plan.roles.items():
        if role not in ROLES:
            wrong.append(
                FieldProblem("roles", f"“{role}” is nothing a column can mean.", f"Use {', '.join(ROLES)}.")
            )
        elif source not in labels:
            wrong.append(
                FieldProblem(f"roles.{role}", f"The file has no column “{source}”.", "Name another.")
            )
    wrong += missing(plan.kind, plan.roles)
    try:
        ZoneInfo(plan.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wrong.append(
            FieldProblem("zone", f"“{plan.zone}” is no time zone.", "Use one such as Europe/Berlin or UTC.")
        )
    if plan.future_minutes < 0:
        wrong.append(FieldProblem("future_minutes", "future_minutes cannot be negative.", "Give 0 or more."))
    if not plan.every.strip():
        wrong.append(FieldProblem("every", "An event must be called something.", "Such as event."))
    for one in plan.date_formats:
        if problem := format_problem(one):
            wrong.append(FieldProblem("date_formats", problem, "Use for example %d/%m/%Y %H:%M."))
    if wrong:
        raise _refused(wrong)
    return plan


def missing(kind: str, roles: Mapping[str, str]) -> list[FieldProblem]:
    """Return what a plan must say and does not: who, and when."""
    wrong = []
    if not {"person", "anonymous"} & set(roles):
        wrong.append(
            FieldProblem(
                "roles.person", "No column says who did it.", "Name the column with the person's id."
            )
        )
    if not {"time", "original_time", "received_at"} & set(roles):
        wrong.append(FieldProblem("roles.time", "No column says when it happened.", "Name the column."))
    if kind != "plain" and "event" not in roles:
        wrong.append(FieldProblem("roles.event", "No column says what was done.", "Name the column."))
    return wrong


def _refused(wrong: list[FieldProblem]) -> Invalid:
    more = f" ({len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return Invalid(f"{wrong[0].problem}{more}", mend=wrong[0].mend or "Correct the plan.", errors=wrong)
