"""Subscriptions and rates as a source of imports: found out, planned, previewed and read as every connector is."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from potager.connectors.files import Preview, Progress, Rejected
from potager.connectors.stripe.columns import ROLES, guessed
from potager.connectors.stripe.delimited import csv_file
from potager.connectors.stripe.rates import read_rates
from potager.connectors.stripe.reading import read as read_terms
from potager.connectors.stripe.recognizing import described, recognize
from potager.connectors.stripe.shapes import Kind
from potager.kit.errors import FieldProblem, Invalid

ABOUT = "Subscriptions or currency rates: what Stripe exports, or any table of them"
TERMS_TABLE, RATES_TABLE = "billing.terms", "billing.rates"
_SHOWN_UP_TO = 8 << 20
_BATCH = 100_000
_OF_A_TABLE = (Kind.PLAIN, Kind.DASHBOARD)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a file holds, and the table it is proposed for; ``headers`` are its columns where it has any."""

    kind: Kind
    fingerprint: str
    bytes: int
    headers: tuple[str, ...] = ()
    format: str = ""
    encoding: str = ""
    compression: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    rows_estimate: int = 0
    columns: tuple[Any, ...] = ()
    problems: tuple[FieldProblem, ...] = ()

    @property
    def table(self) -> str:
        """The table that is proposed."""
        return RATES_TABLE if self.kind == Kind.RATES else TERMS_TABLE


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """How a file is read: as which kind, which column has which role (tables only), in which currency rates are."""

    kind: Kind
    headers: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    base: str = "EUR"

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain JSON values."""
        return {
            "kind": str(self.kind),
            "headers": list(self.headers),
            "roles": dict(self.roles),
            "base": self.base,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> ReadPlan:
        """Return the plan that ``to_dict`` wrote; raise ``Invalid`` with a sentence for what is wrong."""
        known = {"kind": str, "headers": list, "roles": dict, "base": str}
        # What a plan of columns has besides is not ours.
        wrong = [
            FieldProblem(
                name, f"{name} of the plan is not of the right type.", "Take the plan as it was proposed."
            )
            for name, kind in known.items()
            if name in given and not isinstance(given[name], kind)
        ]
        if given.get("kind") not in set(Kind):
            wrong.append(
                FieldProblem("kind", "The plan names no kind of file.", f"Use one of {', '.join(Kind)}.")
            )
        if wrong:
            raise Invalid(wrong[0].problem, mend=wrong[0].mend, errors=wrong)
        roles = {role: str(given.get("roles", {}).get(role, "")) for role in ROLES}
        return cls(
            Kind(given["kind"]), tuple(map(str, given.get("headers", ()))),
            roles if given["kind"] in _OF_A_TABLE else {}, str(given.get("base", "EUR")),
        )  # fmt: skip


def inspect(path: Path) -> Shape:
    """Return what a file holds. Raises ``Invalid`` for one that is neither subscriptions nor rates."""
    kind = recognize(path)
    headers = _headers(path)
    if kind is None:
        if not headers:
            raise Invalid(
                f"{path.name} is {described(path)}, no file of subscriptions or rates.",
                mend="; ".join(f"{one.value}: {one.described}" for one in Kind) + ".",
            )
        kind = Kind.PLAIN  # its columns can be told
    with path.open("rb") as file:
        fingerprint = hashlib.file_digest(file, "sha256").hexdigest()
    return Shape(kind, fingerprint, path.stat().st_size, headers, format=kind.described)


def _headers(path: Path) -> tuple[str, ...]:
    try:
        return tuple(csv_file(path, expected=Kind.PLAIN.described).headers)
    except Invalid:
        return ()


def plan_from(shape: Shape) -> ReadPlan:
    """Return the plan that is proposed: each role with the column its name tells."""
    roles = {}
    if shape.kind in _OF_A_TABLE:
        found = guessed(shape.headers, dashboard=shape.kind == Kind.DASHBOARD)
        roles = {role: found.get(role, "") for role in ROLES}
    return ReadPlan(shape.kind, shape.headers, roles)


@dataclass(slots=True)
class Rejects:
    """What was set aside: how many, and how often for which reason."""

    count: int = 0
    tally: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(slots=True)
class Imported:
    """A file as it is read: batches for the lake, what was set aside, and what was assumed."""

    batches: pa.RecordBatchReader
    rows: int
    rejects: Rejects
    notes: tuple[str, ...] = ()


@contextmanager
def read(
    path: Path,
    plan: ReadPlan,
    *,
    progress: Callable[[Progress], None] | None = None,
    rejects_to: Path | None = None,
) -> Iterator[Imported]:
    """Yield a file as terms or rates, known since it was brought; what is set aside is written to ``rejects_to``."""

    def seen(records: int) -> None:
        if progress is not None:
            progress(Progress(records, None, "rows", records, 0))

    table, rejected, notes = _read(path, plan, rejects_to, seen)
    # One sentence stands for all that are mended in the same way.
    said: dict[str, str] = {}
    tally: Counter[tuple[str, str]] = Counter()
    for row in rejected.select(["because", "mend"]).to_pylist():
        tally["", said.setdefault(row["mend"], row["because"])] += 1
    yield Imported(
        table.to_reader(max_chunksize=_BATCH), table.num_rows, Rejects(rejected.num_rows, tally), notes
    )


def _read(
    path: Path, plan: ReadPlan, rejects_to: Path | None = None, seen: Callable[[int], None] | None = None
) -> tuple[pa.Table, pa.Table, tuple[str, ...]]:
    brought = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    if plan.kind == Kind.RATES:
        rates = read_rates(path, plan.base)
        known = pa.array([brought] * rates.num_rows, pa.timestamp("us", tz="UTC"))
        nothing = pa.table({"because": pa.array([], pa.string()), "mend": pa.array([], pa.string())})
        note = f"A rate says what one unit of a currency is worth in {plan.base}."
        return rates.append_column("known_at", known), nothing, (note,)
    # Roles that have no column are left to the guess only where nobody was asked.
    mapping = dict(plan.roles) if plan.roles else None
    found = read_terms(
        path, kind=plan.kind, mapping=mapping, rejects_to=rejects_to, known_at=brought, seen=seen
    )
    return found.history, found.rejected, found.notes


def preview(path: Path, plan: ReadPlan, rows: int = 20) -> Preview:
    """Return the first rows as they would come in. Raises ``Invalid`` for a file too large to be read at once."""
    if path.stat().st_size > _SHOWN_UP_TO:
        raise Invalid(
            "The file is too large to show its first rows.",
            mend="Try it without importing: that says how many rows come in, and what is set aside.",
        )
    table, rejected, _ = _read(path, plan)
    shown = [
        Rejected(
            int("".join(filter(str.isdigit, row["where"])) or 0),
            ((row["id"] or "", row["because"], row["mend"]),),
        )
        for row in rejected.slice(0, rows).to_pylist()
    ]
    return Preview(table.slice(0, rows), tuple(shown))
