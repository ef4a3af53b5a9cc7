"""A metric by the segments of a dimension: the last whole period against the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from potager.insight.metrics import reading
from potager.insight.metrics.pages.looking import Look
from potager.insight.metrics.pages.standing import relative
from potager.insight.metrics.periods import Period
from potager.insight.metrics.semantics import MetricQuery
from potager.kit import words

MOST = 25
MOST_READ = 5000


@dataclass(frozen=True)
class Row:
    """One segment. ``link`` keeps only it, and is empty where no condition can be written for it."""

    name: str
    value: float | None
    before: float | None
    share: str
    link: str

    @property
    def relative(self) -> float | None:
        """Return the change as a share of what was before."""
        return relative(self.value, self.before)


@dataclass(frozen=True)
class Split:
    """A metric by segment, the largest first; ``total`` says how many segments there are."""

    rows: tuple[Row, ...]
    total: int
    period: Period
    against: Period
    additive: bool
    sql: str


def table(look: Look) -> Split | None:
    """Return the segments of the last whole period."""
    if look.whole is None:
        return None
    against = look.whole.previous()
    now, sql = _values(look, look.whole)
    before, _ = _values(look, against)
    additive = reading.additive(look.metric)
    if additive:  # a sum over no rows is zero: nothing happened in that segment
        now, before = ({**dict.fromkeys([*now, *before], 0.0), **found} for found in (now, before))
    whole = sum(value for value in now.values() if value is not None) if additive else 0.0
    ranked = sorted(set(now) | set(before), key=lambda name: _rank(now.get(name), name))
    short = next((one.short for one in look.dimensions if look.by in (one.name, one.short)), look.by)
    shares = words.column([_share(now.get(name), whole) for name in ranked[:MOST]], "share")
    rows = tuple(
        Row(
            "unknown" if name is None else str(name),
            now.get(name),
            before.get(name),
            share,
            _link(look, short, name),
        )
        for name, share in zip(ranked[:MOST], shares, strict=True)
    )
    return Split(rows, len(ranked), look.whole, against, additive, sql)


def _rank(value: float | None, name: object) -> tuple[bool, float, str]:
    return value is None, -(value or 0.0), str(name)


def _share(value: float | None, whole: float) -> float | None:
    return value / whole if value is not None and whole > 0 else None


def _link(look: Look, dimension: str, name: object) -> str:
    """Return the page filtered to one segment; a value with a comma in it cannot be written as a condition."""
    value = "unknown" if name is None else str(name)
    if "," in value or value != value.strip():
        return ""
    kept = [said for said in look.said if not said.startswith(f"{dimension}=")]
    return look.link(where=[*kept, f"{dimension}={value}"], by="")


def _values(look: Look, period: Period) -> tuple[dict[Any, float | None], str]:
    query = MetricQuery(
        metrics=(look.metric.name,),
        group_by=(look.by,),
        start=period.start,
        end=period.end,
        where=look.where,
        order_by=(f"-{look.metric.name}",),
        limit=MOST_READ,
    )
    result = reading.ask(look.metric, query)
    names, values = (result.table.column(position).to_pylist() for position in (0, 1))
    return dict(zip(names, values, strict=True)), result.sql


def tabs(look: Look) -> list[dict[str, Any]]:
    """Return the dimensions to choose from."""
    return [
        {
            "title": one.label,
            "url": look.link(by="" if look.by in (one.name, one.short) else one.short) + "#segments",
            "current": look.by in (one.name, one.short),
        }
        for one in look.dimensions
    ]
