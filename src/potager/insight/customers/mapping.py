"""Which column of a table becomes what of a customer: proposed from names, checked, and read as SQL."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from potager.insight.customers.models import Noun
from potager.insight.customers.traits import MOST_TRAITS, trait_name
from potager.kit.errors import FieldProblem, Invalid

FIELDS: Mapping[str, tuple[str, ...]] = {
    Noun.ACCOUNTS: (
        "key",
        "name",
        "domains",
        "plan",
        "segment",
        "tier",
        "internal",
        "source_id",
        "updated_at",
    ),
    Noun.PEOPLE: ("key", "name", "emails", "account", "internal", "source_id", "updated_at"),
}
_USUAL: Mapping[str, tuple[str, ...]] = {
    "key": (
        "key",
        "account_id",
        "account_key",
        "customer_id",
        "customer",
        "company_id",
        "user_id",
        "person_id",
        "id",
    ),
    "name": ("name", "account_name", "company_name", "company", "full_name", "display_name"),
    "domains": ("domain", "domains", "website", "email_domain", "url"),
    "emails": ("email", "e_mail", "email_address", "mail"),
    "account": ("account", "account_id", "account_key", "company_id", "customer_id", "organization_id"),
    "plan": ("plan", "plan_name", "product"),
    "segment": ("segment", "size", "company_size"),
    "tier": ("tier", "support_tier", "service_level"),
    "internal": ("internal", "is_internal"),
    "source_id": ("source_id", "external_id", "crm_id"),
    "updated_at": ("updated_at", "modified_at", "last_modified"),
}
_LENGTHS = {"key": 200, "name": 300, "plan": 120, "segment": 120, "tier": 120, "account": 200}
_LISTED = re.compile(r"[,;|\n]+")
_YES = {"true", "t", "yes", "y", "1", "internal"}


def propose(columns: Sequence[str], noun: str) -> dict[str, Any]:
    """Return a mapping as the columns' names suggest it; columns that fit no field become traits."""
    left = {column.lower(): column for column in columns if not column.startswith("_")}
    found: dict[str, Any] = {}
    for name in FIELDS[noun]:
        usual = _USUAL[name]
        if name == "key" and noun == Noun.PEOPLE:
            usual = ("user_id", "person_id", "key", "id")  # without any, the address is the key
        match = next((word for word in usual if word in left), None)
        if match is not None:
            found[name] = left.pop(match)
    found["traits"] = {trait_name(column): column for column in left.values()}
    return found


def checked(mapping: Mapping[str, Any], columns: Sequence[str], noun: str) -> dict[str, Any]:
    """Return the mapping, or Invalid with what is wrong about it."""
    problems = []
    given = {name: column for name, column in mapping.items() if name != "traits" and column}
    traits = dict(mapping.get("traits") or {})
    for name, column in given.items():
        if name not in FIELDS[noun]:
            problems.append(
                FieldProblem(name, f"There is no field {name}.", f"They are {', '.join(FIELDS[noun])}.")
            )
        elif column not in columns:
            problems.append(FieldProblem(name, f"The table has no column {column}."))
    for trait, column in traits.items():
        if column not in columns:
            problems.append(FieldProblem("traits", f"The table has no column {column}."))
        elif trait_name(trait) != trait:
            problems.append(
                FieldProblem("traits", f"A trait cannot be called {trait!r}.", f"Say {trait_name(trait)}.")
            )
    if len(traits) > MOST_TRAITS:
        problems.append(FieldProblem("traits", f"{MOST_TRAITS} traits are the most."))
    if not given.get("key") and not (noun == Noun.PEOPLE and given.get("emails")):
        problems.append(FieldProblem("key", "Say which column holds the key.", "It tells one from another."))
    if problems:
        said = " ".join(problem.problem for problem in problems)
        raise Invalid(
            f"The columns cannot be read so: {said}", mend="Correct what is named.", errors=problems
        )
    return {**given, "traits": traits}


def query(table: str, mapping: Mapping[str, Any]) -> str:
    """Return the SELECT that reads a table by a mapping, each key's latest row first among its own.

    ``_nth`` counts the rows of one key from 1 (the latest by ``updated_at``, or the first by all columns), ``_of`` how
    many there are.
    """
    named = {name: column for name, column in mapping.items() if name != "traits"}
    if "key" in named:
        parts = [f"TRIM(CAST({_quoted(named['key'])} AS VARCHAR)) AS f_key"]
    else:  # the address is the key, in the one form it is kept in
        parts = [f"LOWER(TRIM(CAST({_quoted(named['emails'])} AS VARCHAR))) AS f_key"]
    parts += [
        f"TRIM(CAST({_quoted(column)} AS VARCHAR)) AS f_{name}"
        for name, column in named.items()
        if name != "key"
    ]
    traits = list(mapping["traits"].values())
    parts += [f"{_quoted(column)} AS t_{number}" for number, column in enumerate(traits)]
    columns = [part.rpartition(" AS ")[2] for part in parts]
    latest = [f"{_quoted('f_updated_at')} DESC"] if "updated_at" in named else []
    order = ", ".join(latest + [name for name in columns if name != "f_updated_at"])
    inner = f"SELECT {', '.join(parts)} FROM {table}"  # noqa: S608 - quoted columns of a known table
    return (
        f"SELECT {', '.join(columns)}, "  # noqa: S608
        f"ROW_NUMBER() OVER (PARTITION BY f_key ORDER BY {order}) AS _nth, COUNT(*) OVER (PARTITION BY f_key) AS _of "
        f"FROM ({inner}) AS given"
    )


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


@dataclass(slots=True)
class Row:
    """One customer as the table says it; what is empty there is None here and changes nothing."""

    key: str
    fields: dict[str, Any]
    traits: dict[str, Any]
    lists: list[str] = field(default_factory=list)
    account: str = ""
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A row that has a problem: which kind, said how, and whether the row came in without the part."""

    key: str
    kind: str
    says: str
    taken: bool


def read(batch: pa.RecordBatch, mapping: Mapping[str, Any]) -> Iterator[Row | Trouble]:
    """Yield each row of a batch of :func:`query`, or why it cannot be taken."""
    names = [name for name in mapping if name not in {"traits", "key", "updated_at"}]
    traits = list(mapping["traits"])
    for given in batch.to_pylist():
        key = given["f_key"] or ""
        trouble = _trouble(key, given, names)
        if trouble is not None:
            yield trouble
            continue
        said = {name: given[f"f_{name}"] for name in names if given[f"f_{name}"]}
        values = {trait: _plain(given[f"t_{number}"]) for number, trait in enumerate(traits)}
        row = Row(key, {}, {trait: value for trait, value in values.items() if value is not None})
        for name, text in said.items():
            if name in {"domains", "emails"}:
                row.lists = _listed(text)
            elif name in {"account", "source_id"}:
                setattr(row, name, text)
            else:
                row.fields[name] = text.lower() in _YES if name == "internal" else text
        yield row


def _listed(text: str) -> list[str]:
    """Return the parts of a cell that may hold several; blanks part them where each part reads like an address."""
    found: list[str] = []
    for part in _LISTED.split(text.strip("[]'\" ")):
        pieces = part.split()
        found += pieces if all("." in piece for piece in pieces) else [part.strip()]
    return found


def _trouble(key: str, given: Mapping[str, Any], names: Sequence[str]) -> Trouble | None:
    if not key:
        return Trouble("", "no key", "The row has no key.", False)
    if given["_nth"] > 1:
        says = f"The key occurs {given['_of']} times; one row of them was taken."
        return Trouble(key[:200], "key occurs again", says, False)
    if "\0" in "".join(str(given[f"f_{name}"] or "") for name in names) + key:
        return Trouble("", "null character", "The row holds a null character.", False)
    for name in ("key", *names):
        most, text = _LENGTHS.get(name), key if name == "key" else given[f"f_{name}"] or ""
        if most is not None and len(text) > most:
            says = f"The {name} has {len(text)} characters; {most} are the most."
            return Trouble(key[:200], f"{name} too long", says, False)
    return None


def _plain(value: Any) -> str | int | float | bool | None:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if value is None or isinstance(value, bool | int):
        return value
    return str(value).replace("\0", "")[:2000] or None
