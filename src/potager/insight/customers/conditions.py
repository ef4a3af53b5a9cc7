"""The conditions of a segment: one a line, all must hold, in words that read aloud.

``plan is pro`` · ``seats >= 10`` · ``country is one of DE, AT, CH`` · ``tier is not free`` · ``name contains bank`` ·
``plan is unknown``. What is not a field of the record is a trait. What is unknown fulfills no comparison: a customer
whose country nobody knows is neither ``country is DE`` nor ``country is not DE``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, F, Func, Q, Value
from django.db.models.lookups import In

from potager.insight.customers.models import DOMAIN, EMAIL, Noun
from potager.kit.errors import FieldProblem, Invalid

Given = str | float | int | bool
_LINE = re.compile(
    r"^(?P<field>[A-Za-z][\w.]*)\s+"
    r"(?:(?P<bare>is\s+(?:un)?known)"
    r"|(?P<operator>is\s+not\s+one\s+of|is\s+one\s+of|is\s+not|is|contains|starts\s+with)\s+(?P<value>.+)"
    r"|(?P<sign>>=|<=|>|<|=|!=)\s*(?P<amount>.+))$",
    re.IGNORECASE,
)
_SIGNS = {">=": "gte", "<=": "lte", ">": "gt", "<": "lt"}
_WORDS = {"contains": "icontains", "starts with": "istartswith"}
TEXTS: Mapping[str, Mapping[str, str]] = {
    Noun.ACCOUNTS: {name: name for name in ("key", "name", "plan", "segment", "tier")},
    Noun.PEOPLE: {
        "key": "key",
        "name": "name",
        "account": "account__key",
        "account.name": "account__name",
        "account.plan": "account__plan",
        "account.segment": "account__segment",
        "account.tier": "account__tier",
    },
}
_HANDLES: Mapping[str, tuple[str, str]] = {Noun.ACCOUNTS: (DOMAIN, DOMAIN), Noun.PEOPLE: (EMAIL, EMAIL)}


_NUMBERS, _TEXTS = ["integer", "real", "number"], ["text", "string"]


class JsonType(Func):
    """The type of one trait, as the database names it."""

    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Ask SQLite."""
        return self.as_sql(
            compiler, connection, template="json_type(%(expressions)s)", arg_joiner=", '$.' || "
        )

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Ask PostgreSQL."""
        return self.as_sql(compiler, connection, template="jsonb_typeof(%(expressions)s)", arg_joiner=" -> ")


@dataclass(frozen=True, slots=True)
class Condition:
    """One line, understood."""

    field: str
    operator: str
    values: tuple[Given, ...] = ()


def parse(text: str, noun: str) -> list[Condition]:
    """Return the lines of a condition, understood; Invalid names the line that is not."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [_parsed(line, number, noun) for number, line in enumerate(lines, 1)]


def _parsed(line: str, number: int, noun: str) -> Condition:
    found = _LINE.match(line)
    if found is None:
        raise _unread(line, number, "Write a field, a comparison and a value, such as: seats >= 10")
    field = found["field"].lower()
    if "." in field and field not in TEXTS[noun]:
        known = ", ".join(TEXTS[noun])
        raise _unread(line, number, f"There is no field {field}. The fields are {known}; others are traits.")
    if found["bare"]:
        return Condition(field, "unknown" if "unknown" in found["bare"].lower() else "known")
    if found["sign"]:
        if found["sign"] in {"=", "!="}:
            return Condition(field, "is" if found["sign"] == "=" else "is not", (_value(found["amount"]),))
        amount = _value(found["amount"])
        if (
            field in TEXTS[noun]
            or (isinstance(amount, str) and not _is_day(amount))
            or isinstance(amount, bool)
        ):
            raise _unread(
                line, number, "Only a trait that is a number or a day (2026-03-31) has more or less."
            )
        return Condition(field, found["sign"], (amount,))
    operator = " ".join(found["operator"].lower().split())
    if operator.endswith("one of"):
        values = tuple(_value(part) for part in found["value"].split(",") if part.strip())
        return Condition(field, operator, values)
    return Condition(field, operator, (_value(found["value"]),))


def _unread(line: str, number: int, mend: str) -> Invalid:
    problem = FieldProblem("condition", f"Line {number} cannot be read: {line[:80]!r}.", mend)
    return Invalid(problem.problem, mend=mend, errors=[problem])


def _is_day(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is not None


def _value(text: str) -> Given:
    said = text.strip()
    if len(said) > 1 and said[0] == said[-1] and said[0] in "'\"":
        return said[1:-1]
    if said.lower() in {"yes", "true"}:
        return True
    if said.lower() in {"no", "false"}:
        return False
    try:
        return int(said)
    except ValueError:
        pass
    return float(said) if re.fullmatch(r"-?\d+\.\d+", said) else said


def as_filter(text: str, noun: str) -> Q:
    """Return the condition as a filter on accounts or people."""
    found = Q()
    for condition in parse(text, noun):
        found &= _one(condition, noun)
    return found


def _one(condition: Condition, noun: str) -> Q:
    origin, named = _HANDLES[noun]
    if condition.field == "internal":
        wanted = condition.values == (True,)
        return Q(internal=wanted if condition.operator == "is" else not wanted)
    if condition.field == named:
        return _on_handle(condition, origin)
    column = TEXTS[noun].get(condition.field)
    return _on_text(condition, column) if column else _on_trait(condition)


def _on_handle(condition: Condition, origin: str) -> Q:
    if condition.operator in {"known", "unknown"}:
        has = Q(handles__origin=origin)
        return Q(pk__in=_ids(origin, has)) if condition.operator == "known" else ~Q(pk__in=_ids(origin, has))
    values = [str(value).lower() for value in condition.values]
    if condition.operator in _WORDS:
        held = Q(handles__origin=origin, **{f"handles__value__{_WORDS[condition.operator]}": values[0]})
    else:
        held = Q(handles__origin=origin, handles__value__in=values)
    inside = Q(pk__in=_ids(origin, held))
    known = Q(pk__in=_ids(origin, Q(handles__origin=origin)))
    return ~inside & known if condition.operator.startswith("is not") else inside


def _ids(origin: str, held: Q) -> Any:
    from potager.insight.customers.models import Account, Person

    model: type[Account] | type[Person] = Account if origin == DOMAIN else Person
    return model.objects.filter(held).values("pk")


def _on_text(condition: Condition, column: str) -> Q:
    unknown = Q(**{column: ""}) | Q(**{f"{column}__isnull": True})
    if condition.operator in {"known", "unknown"}:
        return unknown if condition.operator == "unknown" else ~unknown
    if condition.operator in _WORDS:
        return Q(**{f"{column}__{_WORDS[condition.operator]}": str(condition.values[0])})
    held = Q()
    for value in condition.values:
        held |= Q(**{f"{column}__iexact": _said(value)})
    return ~held & ~unknown if condition.operator.startswith("is not") else held


def _said(value: Given) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _on_trait(condition: Condition) -> Q:
    # The lookup is always spelled out, so that a trait called "in" or "contains" stays a trait.
    path = f"traits__{condition.field}"
    known = Q(traits__has_key=condition.field) & ~Q(**{f"{path}__exact": None})
    if condition.operator in {"known", "unknown"}:
        return known if condition.operator == "known" else ~known
    if condition.operator in _SIGNS:
        amount = condition.values[0]
        kinds = _TEXTS if isinstance(amount, str) else _NUMBERS
        # Databases order texts and numbers too, each in its own way: "12" is not more than 3.
        alike = Q(In(JsonType(F("traits"), Value(condition.field)), kinds))
        return alike & Q(**{f"{path}__{_SIGNS[condition.operator]}": amount})
    if condition.operator in _WORDS:
        return Q(**{f"{path}__{_WORDS[condition.operator]}": str(condition.values[0])})
    held = Q()
    for value in condition.values:
        held |= Q(**{f"{path}__exact": value})
        if not isinstance(value, str):  # a source may have written the number as text
            held |= Q(**{f"{path}__exact": str(value)})
    return known & ~held if condition.operator.startswith("is not") else held
