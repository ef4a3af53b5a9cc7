"""What the columns of a table are for, guessed from their names, types and values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from potager.insight.metrics.semantics.profiling import ColumnProfile, TableProfile
from potager.insight.metrics.semantics.words import RESERVED, SQL_WORDS

MOST_CATEGORIES = 200
_DATE_LIKE_SHARE = 0.99
# Put after a noun that SQL reserves, such as order.
_CLASH = "_record"
_IDENTIFIER = re.compile(r"(^|_)(id|ids|no|nr|num|number|key|code|uuid|guid|sku|ref)$")
# Words that name what somebody is or does; in the order in which one is taken for "the customer", "the order".
ACTORS = (
    "customer",
    "account",
    "user",
    "client",
    "member",
    "company",
    "organization",
    "person",
    "visitor",
    "patient",
)
DEEDS = (
    "order",
    "invoice",
    "transaction",
    "purchase",
    "booking",
    "payment",
    "session",
    "visit",
    "ticket",
    "shipment",
)
# What shops call the things they sell.
_SAME_AS = {"stock": "product", "sku": "product", "article": "product", "item": "product"}
_QUANTITIES = ("quantity", "qty", "units", "pieces", "items", "seats", "count", "hours")
_PRICES = ("unit_price", "price", "unit_cost", "rate", "unit_amount", "cost_per_unit")
_AMOUNTS = (
    "amount",
    "revenue",
    "sales",
    "total",
    "value",
    "cost",
    "fee",
    "tax",
    "discount",
    "paid",
    "spend",
    "mrr",
)
_NOT_SUMMED = re.compile(
    r"(^|_)(rate|ratio|percent|pct|share|score|age|year|month|day|hour|week|lat|lon|latitude|longitude|zip|rank|index)$"
)
_TIMES = ("event", "order", "invoice", "occurred", "happened", "created", "date", "time", "at")


@dataclass(frozen=True, slots=True)
class Role:
    """One column and the name that a definition gives to what it holds; ``expression`` is its SQL."""

    column: ColumnProfile
    name: str
    expression: str

    @property
    def noun(self) -> str:
        """Return the word for one of what the column holds, in snake case."""
        return self.name.removesuffix(_CLASH)


@dataclass(frozen=True)
class Roles:
    """The columns of a table by what they are for. ``price_of_quantity`` pairs a quantity with its price."""

    row: str
    primary: Role | None
    entities: tuple[Role, ...]
    times: tuple[Role, ...]
    categories: tuple[Role, ...]
    quantities: tuple[Role, ...]
    averages: tuple[Role, ...]
    price_of_quantity: tuple[Role, Role] | None
    left_out: tuple[tuple[str, str], ...]

    @property
    def noun(self) -> str:
        """Return the word for one row, in snake case."""
        return self.row.removesuffix(_CLASH)

    def first(self, words: Iterable[str]) -> Role | None:
        """Return the entity that the earliest of ``words`` names."""
        return next((one for word in words for one in self.entities if word in one.name.split("_")), None)


def identifier(name: str, *, clash: str = "_value") -> str:
    """Return a name that definitions accept: lower-case words joined by single underscores.

    ``clash`` is put after a word that is too short or reserved.
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    words = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
    words = re.sub(r"^[0-9_]+", "", words) or "column_value"
    if len(words) < 2 or words in SQL_WORDS or words in RESERVED or words.startswith("potager_"):
        words = f"{words}{clash}"
    return words


def singular(word: str) -> str:
    """Return the singular of an English plural, well enough for names of tables."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def plural(word: str) -> str:
    """Return the plural of an English noun, well enough for names of measures."""
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")


def quoted(column: str) -> str:
    """Return a column's name as SQL reads it, quoted only where it must be."""
    if re.fullmatch(r"[a-z_][a-z0-9_]*", column) and column not in SQL_WORDS:
        return column
    return '"' + column.replace('"', '""') + '"'


def roles_of(profile: TableProfile) -> Roles:
    """Return what each column of the table seems to be for."""
    row = identifier(singular(identifier(profile.table.rpartition(".")[2])), clash=_CLASH)
    taken: set[str] = {row}
    times: list[Role] = []
    entities: list[Role] = []
    categories: list[Role] = []
    quantities: list[Role] = []
    averages: list[Role] = []
    left_out: list[tuple[str, str]] = []
    primary: Role | None = None
    for column in profile.columns:
        name = identifier(column.name)
        if column.distinct == 0:
            left_out.append((column.name, "it is empty"))
        elif _is_time(column):
            expression = (
                f"CAST({quoted(column.name)} AS TIMESTAMP)" if column.kind == "text" else quoted(column.name)
            )
            times.append(Role(column, _free(name, taken), expression))
        elif _IDENTIFIER.search(name) and _may_identify(column, name):
            stem = _IDENTIFIER.sub("", name).strip("_") or row
            stem = _SAME_AS.get(stem, stem)
            if _is_row_key(column, profile, stem, row) and primary is None:
                primary = Role(column, row, quoted(column.name))
            else:
                entities.append(
                    Role(column, _free(identifier(stem, clash=_CLASH), taken), quoted(column.name))
                )
        elif column.kind in {"whole", "number"}:
            (averages if _is_averaged(name) else quantities).append(
                Role(column, _free(name, taken), quoted(column.name))
            )
        elif column.kind == "boolean" or (column.kind == "text" and column.distinct <= MOST_CATEGORIES):
            categories.append(Role(column, _free(name, taken), quoted(column.name)))
        else:
            why = (
                f"it has about {column.distinct:,} different values"
                if column.kind == "text"
                else "of its type"
            )
            left_out.append((column.name, why))
    times.sort(key=lambda role: (role.column.nulls, _position(role.name, _TIMES)))
    return Roles(
        row=row,
        primary=primary,
        entities=tuple(entities),
        times=tuple(times),
        categories=tuple(categories),
        quantities=tuple(quantities),
        averages=tuple(averages),
        price_of_quantity=_priced(quantities, averages),
        left_out=tuple(left_out),
    )


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    taken.add(candidate)
    return candidate


def _is_time(column: ColumnProfile) -> bool:
    return column.kind in {"date", "moment"} or (column.kind == "text" and column.dates >= _DATE_LIKE_SHARE)


def _may_identify(column: ColumnProfile, name: str) -> bool:
    # Identifiers with gaps come out of CSV files and spreadsheets as numbers with a point.
    return column.kind in {"whole", "text", "other"} or (column.kind == "number" and name.endswith("id"))


def _is_row_key(column: ColumnProfile, profile: TableProfile, stem: str, row: str) -> bool:
    unique = column.nulls == 0 and column.distinct >= 0.95 * profile.rows
    return unique and stem in {row, row.removesuffix(_CLASH)}


def _is_averaged(name: str) -> bool:
    return bool(_NOT_SUMMED.search(name)) or name in _PRICES or name.endswith(("_price", "_rate"))


def is_amount(name: str) -> bool:
    """Say whether a name speaks of money or another amount that is worth a metric of its own."""
    return any(word in _AMOUNTS for word in name.split("_"))


def _priced(quantities: list[Role], averages: list[Role]) -> tuple[Role, Role] | None:
    quantity = next((one for word in _QUANTITIES for one in quantities if word in one.name.split("_")), None)
    price = next((one for word in _PRICES for one in [*averages, *quantities] if one.name == word), None)
    return (quantity, price) if quantity is not None and price is not None and quantity is not price else None


def _position(name: str, words: tuple[str, ...]) -> int:
    return next((position for position, word in enumerate(words) if word in name.split("_")), len(words))
