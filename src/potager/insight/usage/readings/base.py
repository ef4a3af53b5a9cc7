"""What every reading shares: parameters that are also the page's form, and an outcome that answers first."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from potager.engines.answers import CannotTell
from potager.engines.behavior import Grain, Periods
from potager.insight.metrics.reading import Ran
from potager.insight.usage.facts import Facts, facts_of, identity_trouble
from potager.insight.usage.models import Stream
from potager.kit.clock import today
from potager.kit.errors import FieldProblem, Invalid

if TYPE_CHECKING:
    from potager.kit.charts.chart import Chart

P = TypeVar("P", bound="Plain")
MOST_STEPS = 12
# Days that a calendar reaches from every time zone and period, whatever is added to them.
SENSIBLE: Mapping[str, Any] = MappingProxyType({"ge": date(1970, 1, 1), "le": date(2200, 1, 1)})


def listed(given: object) -> object:
    """Return one text or several as a list, without the empty ones."""
    several = given if isinstance(given, list | tuple) else [given]
    return [part.strip() for part in several if isinstance(part, str) and part.strip()]


Names = Annotated[list[str], BeforeValidator(listed)]


@dataclass(frozen=True, slots=True)
class Shown:
    """How a form shows a parameter: its label, its control, what its choices are called, whether it is folded away."""

    label: str
    widget: str
    fold: bool
    words: Mapping[str, str]


def parameter(
    default: Any,
    label: str,
    *,
    widget: str = "",
    help: str = "",
    fold: bool = False,
    words: Mapping[str, str] | None = None,
    **limits: Any,
) -> Any:
    """Return a parameter of a reading: its usual value, how a form shows it, and pydantic's limits."""
    field = Field(default, description=help or label, **limits)
    field.metadata.append(Shown(label, widget, fold, dict(words or {})))
    return field


def shown_of(reading: Reading[Any], name: str) -> Shown:
    """Return how a parameter is shown; an unknown one by its name."""
    field = reading.parameters.model_fields.get(name)
    metadata = field.metadata if field is not None else []
    return next((one for one in metadata if isinstance(one, Shown)), Shown(name, "", False, {}))


class Plain(BaseModel):
    """Parameters of a reading; its form, its address and its API are made of them."""

    model_config = ConfigDict(extra="forbid")

    def said(self) -> dict[str, Any]:
        """Return what differs from the usual, as an address or a record keeps it."""
        kept: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        return kept


class Parameters(Plain):
    """What readings of some days are given: the days, and conditions."""

    start: date | None = parameter(None, "From", widget="date", help="The first day.", **SENSIBLE)
    end: date | None = parameter(None, "To", widget="date", help="The last day.", **SENSIBLE)
    where: Names = parameter(
        [],
        "Only where",
        widget="list",
        fold=True,
        help="Such as country=Germany, or plan!=free,trial.",
        max_length=10,
    )


@dataclass(frozen=True, slots=True)
class Head:
    """A column of an outcome's table; ``unit`` as in :mod:`potager.kit.words`; ``date`` and ``text`` are units too."""

    title: str
    unit: str = "text"

    @property
    def number(self) -> bool:
        """Return whether the column holds numbers."""
        return self.unit not in {"text", "date"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in a table. ``who`` names the people or accounts behind it, where there are such."""

    value: Any
    who: str = ""
    note: str = ""
    partial: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A table of an outcome, with a title."""

    title: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    about: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a reading came to. The sentence answers; all else lets the reader see and dig."""

    sentence: str
    chart: Chart | None = None
    blocks: tuple[Block, ...] = ()
    notes: tuple[str, ...] = ()
    ran: tuple[Ran, ...] = ()
    refusal: CannotTell | None = None
    evidence: str = "measured"
    next: tuple[tuple[str, str, str], ...] = ()  # (title, reading, query) of looks that follow
    figures: Mapping[str, Any] | None = None


def refused(refusal: CannotTell, ran: Sequence[Ran] = ()) -> Outcome:
    """Return the outcome that says why there is no number."""
    return Outcome(refusal.because, refusal=refusal, ran=tuple(ran))


@dataclass(frozen=True, slots=True)
class Group:
    """The people or accounts behind a cell: how they are called in a sentence, their unit, and the SELECT of them.

    The SELECT gives one column ``who``, each once.
    """

    words: str
    unit: str
    sql: str
    tables: tuple[str, ...]


@dataclass(frozen=True)
class Reading(Generic[P]):
    """A kind of look at a stream.

    ``answer`` computes it; ``group`` finds who is behind a cell; ``needs`` says in a sentence what a stream lacks for
    it, or nothing.
    """

    name: str
    title: str
    about: str
    parameters: type[P]
    answer: Callable[[Stream, P], Outcome]
    group: Callable[[Stream, P, str], Group] | None = None
    needs: Callable[[Stream], str] = lambda stream: ""
    short: str = ""

    @property
    def tab(self) -> str:
        """Return the short title."""
        return self.short or self.title


_READINGS: dict[str, Reading[Any]] = {}


def enter(reading: Reading[P]) -> Reading[P]:
    """Enter a kind of reading."""
    _READINGS[reading.name] = reading
    return reading


def readings() -> list[Reading[Any]]:
    """Return all kinds, in the order of the menu."""
    from potager.insight.usage.readings import catalogue

    return [_READINGS[name] for name in catalogue.ORDER]


def reading_named(name: str) -> Reading[Any]:
    """Return one kind, or say which there are."""
    known = {reading.name: reading for reading in readings()}
    if name not in known:
        problem = FieldProblem("reading", f"There is no reading {name}.")
        raise Invalid(problem.problem, mend=f"Use {', '.join(known)}.", errors=[problem])
    return known[name]


def parsed(reading: Reading[P], given: Mapping[str, Any]) -> P:
    """Return a reading's parameters from an address or a record; Invalid names each that cannot be read."""
    fields = reading.parameters.model_fields
    values = {}
    for name, value in given.items():
        several = value if isinstance(value, list | tuple) else [value]
        kept = [part for part in several if part not in ("", None)]
        if kept:
            values[name] = kept if name in fields and _lists(fields[name]) else kept[-1]
    try:
        return reading.parameters.model_validate(values)
    except ValidationError as error:
        raise _invalid(reading, error) from error


def _lists(field: Any) -> bool:
    return "list" in str(field.annotation)


def _invalid(reading: Reading[Any], error: ValidationError) -> Invalid:
    problems = []
    for found in error.errors(include_url=False):
        name = str(found["loc"][0]) if found["loc"] else ""
        label = shown_of(reading, name).label
        problems.append(FieldProblem(name, f"{label}: {_sentence(found)}"))
    return Invalid(
        " ".join(problem.problem for problem in problems),
        mend="Correct what is named, or start again without it.",
        errors=problems,
    )


def _sentence(found: Any) -> str:
    if found["type"] == "extra_forbidden":
        return "there is no such parameter."
    words = re.sub(r"^(Value error, |Assertion failed, )", "", str(found["msg"]))
    return words[:1].lower() + words[1:].rstrip(".") + "."


@dataclass(frozen=True, slots=True)
class Days:
    """The days a reading is of, both included; ``last`` is the last day with events, ``whole`` until where it ends."""

    start: date
    end: date
    first: date
    last: date


def days_of(stream: Stream, given: Parameters, *, usual: int, grain: Grain = "day") -> Days | CannotTell:
    """Return the days given, or else the last ``usual`` days with events, from the start of a ``grain`` on."""
    trouble = identity_trouble(stream)
    if trouble is not None:
        return trouble
    facts: Facts = facts_of(stream)
    recent = facts.recent(usual)
    if recent is None or facts.first is None or facts.last is None:
        return no_events(stream)
    start, end = given.start or recent[0], given.end or recent[1]
    if given.end is not None and given.start is None:
        start = max(facts.first, end - timedelta(days=usual - 1))
    if given.start is None and grain != "day":
        whole = Periods(grain, start, stream.week_starts).starts(0)
        start = whole if whole >= facts.first else start
    if start > end:
        problem = FieldProblem("start", f"The first day, {start}, comes after the last, {end}.")
        raise Invalid(problem.problem, mend="Give the earlier day first.", errors=[problem])
    if start > facts.last or end < facts.first:
        return CannotTell(
            "incomplete",
            f"There are no events between {start} and {end}.",
            f"The events of {stream.name} go from {facts.first} to {facts.last}.",
        )
    return Days(start, min(end, today()) if end > today() else end, facts.first, facts.last)


def no_events(stream: Stream) -> CannotTell:
    """Refuse because there are no events."""
    return CannotTell(
        "incomplete", f"There are no events in {stream.name} yet.", "Import some, then look again."
    )
