"""What a reading came to, as the API shows it."""

from __future__ import annotations

from typing import Any

from ninja import Field, Schema

from potager.insight.usage.readings.base import Outcome


class ReadingColumnOut(Schema):
    """A column of a table."""

    title: str
    unit: str


class ReadingCellOut(Schema):
    """A value; who names the people or accounts behind it for the operation that lists them."""

    value: Any = None
    who: str = ""
    low: float | None = None
    high: float | None = None
    partial: bool = False
    note: str = ""


class ReadingTableOut(Schema):
    """A table of an outcome."""

    title: str
    about: str
    columns: list[ReadingColumnOut]
    rows: list[list[ReadingCellOut]]


class ReadingRefusalOut(Schema):
    """Why there is no number, and what would make one possible."""

    reason: str
    because: str
    mend: str


class ReadingQueryOut(Schema):
    """A query that ran, on which snapshots."""

    role: str
    sql: str
    snapshots: dict[str, str]
    engine: str
    seconds: float


class ReadingOut(Schema):
    """What a reading came to: the sentence answers, the tables show, the queries say how it was found."""

    sentence: str
    evidence: str = Field(description="measured, association or predictive")
    notes: list[str]
    refusal: ReadingRefusalOut | None
    tables: list[ReadingTableOut]
    figures: dict[str, Any]
    queries: list[ReadingQueryOut]


def outcome_out(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome in the shape of :class:`ReadingOut`."""
    return {
        "sentence": outcome.sentence,
        "evidence": outcome.evidence,
        "notes": list(outcome.notes),
        "refusal": outcome.refusal,
        "tables": [
            {"title": block.title, "about": block.about, "columns": block.heads, "rows": block.rows}
            for block in outcome.blocks
        ],
        "figures": dict(outcome.figures or {}),
        "queries": outcome.ran,
    }
