"""What the columns of a table hold, in two queries: enough to propose definitions from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
from sqlglot import exp

from potager.insight.metrics.semantics.expressions import DIALECT
from potager.kit.errors import NotFound

if TYPE_CHECKING:
    from potager.ground.lake.warehouse import Warehouse

Kind = Literal["whole", "number", "text", "date", "moment", "boolean", "other"]
_SAMPLED_ROWS = 1_000
_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What one column holds.

    ``distinct`` is an estimate (HyperLogLog). ``lowest`` and ``highest`` are as text. ``negative`` is the share of
    numbers below zero, ``dates`` the share of texts that read as a date; both of the rows with a value.
    """

    name: str
    kind: Kind
    nulls: int
    distinct: int
    lowest: str | None
    highest: str | None
    negative: float
    dates: float
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableProfile:
    """What a table holds: its number of rows and its columns, in their order."""

    table: str
    rows: int
    columns: tuple[ColumnProfile, ...]

    def column(self, name: str) -> ColumnProfile:
        """Return the profile of one column; raise KeyError when there is none."""
        found: Mapping[str, ColumnProfile] = {column.name: column for column in self.columns}
        return found[name]


def kind_of(arrow: pa.DataType) -> Kind:
    """Return what kind of values a column of this Arrow type holds."""
    value = arrow.value_type if pa.types.is_dictionary(arrow) else arrow
    kinds: tuple[tuple[Kind, tuple[str, ...]], ...] = (
        ("boolean", ("is_boolean",)),
        ("whole", ("is_integer",)),
        ("number", ("is_floating", "is_decimal")),
        ("date", ("is_date",)),
        ("moment", ("is_timestamp",)),
        ("text", ("is_string", "is_large_string", "is_string_view")),
    )
    for kind, tests in kinds:
        if any(getattr(pa.types, test)(value) for test in tests):
            return kind
    return "other"


def profile(warehouse: Warehouse, table: str) -> TableProfile:
    """Return what ``table`` holds; raise :class:`NotFound` when the lake does not have it.

    One query reads every column once, a second takes samples from the first thousand rows.
    """
    known = warehouse.tables()
    if table not in known:
        raise NotFound(f"There is no table `{table}` in the lake.", mend="Import the data first.")
    schema = known[table].schema
    relation = exp.to_table(table, dialect=DIALECT)
    measured: list[exp.Expr] = [exp.Count(this=exp.Star()).as_("rows")]
    for position, field in enumerate(schema):
        measured += _measures(position, field)
    query = exp.select(*measured).from_(relation.copy())
    facts = warehouse.query(query.sql(DIALECT)).table.to_pylist()[0]
    sampled = warehouse.query(exp.select("*").from_(relation).limit(_SAMPLED_ROWS).sql(DIALECT)).table
    columns = [
        _column(
            facts, position, field, sampled.column(position) if sampled.num_columns == len(schema) else None
        )
        for position, field in enumerate(schema)
    ]
    return TableProfile(table, int(facts["rows"]), tuple(columns))


def _measures(position: int, field: pa.Field[Any]) -> list[exp.Expr]:
    column = exp.column(field.name, quoted=True)
    kind = kind_of(field.type)
    counted = exp.Count(this=column.copy()).as_(f"count_{position}")
    if kind == "other":
        return [counted]
    measured = [
        counted,
        exp.ApproxDistinct(this=column.copy()).as_(f"distinct_{position}"),
        exp.cast(exp.func("MIN", column.copy()), "text").as_(f"lowest_{position}"),
        exp.cast(exp.func("MAX", column.copy()), "text").as_(f"highest_{position}"),
    ]
    one = exp.Literal.number(1)
    if kind in {"whole", "number"}:
        below = exp.LT(this=column.copy(), expression=exp.Literal.number(0))
        measured.append(exp.Count(this=exp.Case().when(below, one)).as_(f"negative_{position}"))
    if kind == "text":
        # Spark reads 71053 as a year, so the shape is asked for too.
        text = exp.cast(
            column.copy(), "text", dialect=DIALECT
        )  # identifiers of a type of their own arrive as text
        shaped = exp.Like(this=text, expression=exp.Literal.string("____-__-__%"))
        moment = exp.TryCast(this=column.copy(), to=exp.DataType.build("timestamp"))
        measured.append(exp.Count(this=exp.Case().when(shaped, moment)).as_(f"dates_{position}"))
    return measured


def _column(
    facts: Mapping[str, object], position: int, field: pa.Field[Any], sampled: pa.ChunkedArray[Any] | None
) -> ColumnProfile:
    rows, count = _whole(facts["rows"]), _whole(facts[f"count_{position}"])
    lowest, highest = facts.get(f"lowest_{position}"), facts.get(f"highest_{position}")

    def share(name: str) -> float:
        return _whole(facts.get(f"{name}_{position}")) / count if count else 0.0

    samples: dict[str, None] = {}
    for value in sampled.drop_null().unique().to_pylist() if sampled is not None else []:
        samples.setdefault(str(value)[:60])
        if len(samples) == _SAMPLES:
            break
    return ColumnProfile(
        name=field.name,
        kind=kind_of(field.type),
        nulls=rows - count,
        distinct=min(_whole(facts.get(f"distinct_{position}")), count),
        lowest=None if lowest is None else str(lowest),
        highest=None if highest is None else str(highest),
        negative=share("negative"),
        dates=share("dates"),
        samples=tuple(samples),
    )


def _whole(value: object) -> int:
    return int(str(value)) if value is not None else 0
