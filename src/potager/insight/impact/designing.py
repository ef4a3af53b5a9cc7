"""A bet's design as it is written down: what there is to go by, checked word by word."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, get_args

from potager.insight.metrics.periods import GRAINS, Grain
from potager.kit.errors import FieldProblem, Invalid

PanelMethod = Literal["staggered_adoption", "difference_in_differences", "synthetic_control", "synthetic_did"]
Trend = Literal["level", "trend"]
Sides = Literal["two", "greater", "less"]
PARTS = ("assignment", "holdout", "panel", "series", "elasticity", "belief")


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who got what at random: a lake ``table`` with a row per ``unit``, or a ``dimension`` of the metric."""

    table: str
    unit: str
    arm: str
    on: str
    where: Mapping[str, Any]
    dimension: str
    treated: str
    control: str
    share: float | None
    covariate: bool
    planned_units: int | None
    sides: Sides


@dataclass(frozen=True, slots=True)
class StartsIn:
    """A lake table that says when each unit started."""

    table: str
    unit: str
    start: str
    where: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PanelDesign:
    """The metric by period and segment: who started when, and who did not."""

    by: str
    grain: Grain | None
    treated: tuple[str, ...]
    starts: Mapping[str, date]
    starts_in: StartsIn | None
    controls: tuple[str, ...]
    treated_too: tuple[str, ...]
    method: PanelMethod | None
    history: int | None


@dataclass(frozen=True, slots=True)
class SeriesDesign:
    """The metric as one series, with metrics that the change does not reach as controls."""

    grain: Grain | None
    controls: tuple[str, ...]
    treated_controls: tuple[str, ...]
    season: int
    trend: Trend
    history: int | None


@dataclass(frozen=True, slots=True)
class Elasticity:
    """An input metric with an estimated edge to the bet's metric."""

    driver: str


@dataclass(frozen=True, slots=True)
class Belief:
    """A range that somebody gave, and who."""

    low: float
    high: float
    level: float
    by: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything there is to go by."""

    assignment: Assignment | None = None
    holdout: Assignment | None = None
    panel: PanelDesign | None = None
    series: SeriesDesign | None = None
    elasticity: Elasticity | None = None
    belief: Belief | None = None

    @property
    def says(self) -> list[str]:
        """Return in sentences what there is to go by."""
        lines = []
        if self.assignment:
            lines.append(_assigned(self.assignment, "Units were assigned at random"))
        if self.holdout:
            lines.append(_assigned(self.holdout, "A random part was kept back"))
        if self.panel:
            started = "each at its own time" if self.panel.starts or self.panel.starts_in else "at launch"
            who = ", ".join(self.panel.treated) or "units"
            lines.append(f"By {self.panel.by}: {who} started {started}, the others did not.")
        if self.series:
            beside = ", ".join(self.series.controls)
            lines.append(f"One series{', beside ' + beside if beside else ', with nothing beside it'}.")
        if self.elasticity:
            lines.append(f"An estimated edge of the tree leads from {self.elasticity.driver}.")
        if self.belief:
            lines.append(f"{self.belief.by or 'Somebody'} gave a range.")
        return lines


def _assigned(part: Assignment, words: str) -> str:
    where = f"in {part.table}" if part.table else f"by {part.dimension}"
    return f"{words}, on record {where}: {part.treated} against {part.control}."


def parse_design(given: Mapping[str, Any]) -> Plan:
    """Return a design as it is meant; raise :class:`Invalid` naming every word that cannot be read."""
    reader = _Reader()
    plan = reader.plan(given)
    if reader.problems:
        first = reader.problems[0]
        raise Invalid(
            f"The design cannot be read: {first.problem}", mend=first.mend, errors=list(reader.problems)
        )
    return plan


class _Reader:
    """Reads a design and collects what is wrong with it."""

    def __init__(self) -> None:
        self.problems: list[FieldProblem] = []

    def plan(self, given: Any) -> Plan:
        parts = self.mapping(given, "design", PARTS)
        made: dict[str, Any] = {}
        for name in ("assignment", "holdout"):
            if name in parts:
                made[name] = self.assignment(parts[name], f"design.{name}")
        if "panel" in parts:
            made["panel"] = self.panel(parts["panel"])
        if "series" in parts:
            made["series"] = self.series(parts["series"])
        if "elasticity" in parts:
            found = self.mapping(parts["elasticity"], "design.elasticity", ("driver",))
            made["elasticity"] = Elasticity(self.text(found, "driver", "design.elasticity", needed=True))
        if "belief" in parts:
            made["belief"] = self.belief(parts["belief"])
        return Plan(**made)

    def assignment(self, given: Any, where: str) -> Assignment:
        names = (
            "table", "unit", "arm", "on", "where", "dimension", "treated", "control", "share", "covariate",
            "planned_units", "sides",
        )  # fmt: skip
        found = self.mapping(given, where, names)
        table, dimension = self.text(found, "table", where), self.text(found, "dimension", where)
        if bool(table) == bool(dimension):
            self.wrong(
                where, "An assignment is a lake table, or a dimension of the metric.", "Give one of the two."
            )
        share = self.number(found, "share", where, 0.5)
        if share is not None and not 0.0 < share < 1.0:
            self.wrong(f"{where}.share", "The planned share lies between 0 and 1.", "Such as 0.5.")
        return Assignment(
            table=table,
            unit=self.text(found, "unit", where, needed=bool(table)),
            arm=self.text(found, "arm", where) or "arm",
            on=self.text(found, "on", where),
            where=self.conditions(found.get("where"), f"{where}.where"),
            dimension=dimension,
            treated=self.text(found, "treated", where) or "treatment",
            control=self.text(found, "control", where) or "control",
            share=share,
            covariate=bool(found.get("covariate", bool(table))),
            planned_units=self.whole(found, "planned_units", where, None),
            sides=self.choice(found, "sides", where, get_args(Sides), "two"),
        )

    def panel(self, given: Any) -> PanelDesign:
        where = "design.panel"
        names = (
            "by", "grain", "treated", "starts", "starts_in", "controls", "treated_too", "method", "history",
        )  # fmt: skip
        found = self.mapping(given, where, names)
        treated = self.texts(found, "treated", where)
        starts = self.days(found.get("starts"), f"{where}.starts")
        starts_in = None
        if found.get("starts_in") is not None:
            inner = self.mapping(
                found["starts_in"], f"{where}.starts_in", ("table", "unit", "start", "where")
            )
            starts_in = StartsIn(
                table=self.text(inner, "table", f"{where}.starts_in", needed=True),
                unit=self.text(inner, "unit", f"{where}.starts_in", needed=True),
                start=self.text(inner, "start", f"{where}.starts_in", needed=True),
                where=self.conditions(inner.get("where"), f"{where}.starts_in.where"),
            )
        if not (treated or starts or starts_in):
            self.wrong(where, "A panel says who got it.", "Give treated, starts, or starts_in.")
        return PanelDesign(
            by=self.text(found, "by", where, needed=True),
            grain=self.choice(found, "grain", where, GRAINS, None),
            treated=treated,
            starts=starts,
            starts_in=starts_in,
            controls=self.texts(found, "controls", where),
            treated_too=self.texts(found, "treated_too", where),
            method=self.choice(found, "method", where, get_args(PanelMethod), None),
            history=self.whole(found, "history", where, None),
        )

    def series(self, given: Any) -> SeriesDesign:
        where = "design.series"
        names = ("grain", "controls", "treated_controls", "season", "trend", "history")
        found = self.mapping(given, where, names)
        return SeriesDesign(
            grain=self.choice(found, "grain", where, GRAINS, None),
            controls=self.texts(found, "controls", where),
            treated_controls=self.texts(found, "treated_controls", where),
            season=self.whole(found, "season", where, 1) or 1,
            trend=self.choice(found, "trend", where, get_args(Trend), "level"),
            history=self.whole(found, "history", where, None),
        )

    def belief(self, given: Any) -> Belief:
        where = "design.belief"
        found = self.mapping(given, where, ("low", "high", "level", "by"))
        low, high = self.number(found, "low", where, None), self.number(found, "high", where, None)
        level = self.number(found, "level", where, 0.8)
        if low is None or high is None or not low < high:
            self.wrong(where, "A belief is a range with two ends, the lower one first.", "Give low and high.")
        if level is None or not 0.0 < level < 1.0:
            self.wrong(f"{where}.level", "A level lies between 0 and 1.", "Such as 0.8.")
        return Belief(low or 0.0, high or 0.0, level or 0.8, self.text(found, "by", where))

    # Words and numbers

    def wrong(self, where: str, problem: str, mend: str) -> None:
        self.problems.append(FieldProblem(where, problem, mend))

    def mapping(self, given: Any, where: str, names: Sequence[str]) -> Mapping[str, Any]:
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            self.wrong(where, f"{where} has parts with names.", f"They are {', '.join(names)}.")
            return {}
        for name in sorted(set(map(str, given)) - set(names)):
            self.wrong(f"{where}.{name}", f"{where} has no {name}.", f"It has {', '.join(names)}.")
        return {name: value for name, value in given.items() if value is not None}

    def text(self, found: Mapping[str, Any], name: str, where: str, *, needed: bool = False) -> str:
        given = found.get(name)
        if given is None or given == "":
            if needed:
                self.wrong(f"{where}.{name}", f"{where} does not say which {name}.", f"Give {name}.")
            return ""
        if isinstance(given, Mapping | list):
            self.wrong(f"{where}.{name}", f"{name} is one word.", "Write it as text.")
            return ""
        return str(given)

    def texts(self, found: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
        given = found.get(name, [])
        several = [given] if isinstance(given, str | int) else given
        if not isinstance(several, list | tuple) or any(isinstance(one, Mapping | list) for one in several):
            self.wrong(f"{where}.{name}", f"{name} is a list of words.", "Write [a, b].")
            return ()
        return tuple(str(one) for one in several)

    def number(
        self, found: Mapping[str, Any], name: str, where: str, otherwise: float | None
    ) -> float | None:
        if name not in found:
            return otherwise
        try:
            number = float(found[name])
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            self.wrong(f"{where}.{name}", f"{name} is a number.", "Such as 0.5.")
            return otherwise
        return number

    def whole(self, found: Mapping[str, Any], name: str, where: str, otherwise: int | None) -> int | None:
        number = self.number(found, name, where, None)
        if number is None:
            return otherwise
        if number != int(number) or number < 1:
            self.wrong(f"{where}.{name}", f"{name} is a whole number from 1 on.", "Such as 52.")
            return otherwise
        return int(number)

    def choice(
        self, found: Mapping[str, Any], name: str, where: str, choices: Sequence[str], otherwise: Any
    ) -> Any:
        if name not in found:
            return otherwise
        if found[name] not in choices:
            self.wrong(
                f"{where}.{name}", f"There is no {name} {found[name]!r}.", f"Use {', '.join(choices)}."
            )
            return otherwise
        return found[name]

    def conditions(self, given: Any, where: str) -> Mapping[str, Any]:
        if given is None:
            return {}
        if not isinstance(given, Mapping) or any(isinstance(value, Mapping) for value in given.values()):
            self.wrong(where, "Conditions are columns with values.", "Write {column: value}.")
            return {}
        return {str(name): value for name, value in given.items()}

    def days(self, given: Any, where: str) -> Mapping[str, date]:
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            self.wrong(where, "Starts are units with days.", "Write {DE: 2025-03-03}.")
            return {}
        made = {}
        for name, day in given.items():
            try:
                made[str(name)] = day if isinstance(day, date) else date.fromisoformat(str(day)[:10])
            except ValueError:
                self.wrong(f"{where}.{name}", f"'{day}' is no day.", "Write 2025-03-03.")
        return made
