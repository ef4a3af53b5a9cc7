"""A first semantic model and metrics for a table, in YAML that a person could have written."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from potager.insight.metrics.semantics.profiling import TableProfile
from potager.insight.metrics.semantics.roles import (
    ACTORS,
    DEEDS,
    Role,
    Roles,
    identifier,
    is_amount,
    plural,
    roles_of,
)
from potager.kit.errors import Invalid

ACTIVE_DAYS = 28


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed document, and in sentences what was assumed and what was left out."""

    yaml_text: str
    notes: tuple[str, ...]


@dataclass
class _Draft:
    """The lines of each part of the document, as they come together."""

    entities: list[str] = field(default_factory=list)
    dimensions: list[str] = field(default_factory=list)
    measures: list[str] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    metric_names: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)

    def measure(self, name: str, aggregation: str, expression: str, description: str) -> None:
        self.measures += [
            f"      - name: {name}",
            f"        description: {_scalar(description)}",
            f"        agg: {aggregation}",
            f"        expr: {_scalar(expression)}",
        ]

    def metric(self, name: str, label: str, description: str, kind: str, parameters: list[str]) -> None:
        self.metric_names.add(name)
        self.labels.add(label)
        self.metrics += [
            f"  - name: {name}",
            f"    label: {_scalar(label)}",
            f"    description: {_scalar(description)}",
            f"    type: {kind}",
            "    type_params:",
            *(f"      {line}" for line in parameters),
            "",
        ]

    def simple(self, name: str, label: str, description: str) -> None:
        self.metric(name, label, description, "simple", [f"measure: {name}"])

    def ratio(self, name: str, label: str, description: str, over: str, under: str) -> None:
        self.metric(name, label, description, "ratio", [f"numerator: {over}", f"denominator: {under}"])


def propose(table_name: str, schema: pa.Schema, profile: TableProfile) -> Proposal:
    """Return definitions for a table: what a row is, its time, dimensions, measures, and a first set of metrics.

    ``table_name`` is ``namespace.table``; ``schema`` its columns; ``profile`` what they hold. Raises
    :class:`~potager.kit.errors.Invalid` when no column says when a row happened, since every metric needs a time.
    """
    missing = [name for name in schema.names if name not in {column.name for column in profile.columns}]
    if missing:
        raise Invalid(f"The profile of `{table_name}` lacks `{missing[0]}`.", mend="Profile the table again.")
    roles = roles_of(profile)
    if not roles.times:
        raise Invalid(
            f"No column of `{table_name}` says when a row happened.",
            mend="Add a date column, or write a date as text like 2024-01-31.",
        )
    draft = _Draft()
    _dimensions(draft, roles)
    _measures(draft, roles)
    _people(draft, roles, profile)
    for column, why in roles.left_out:
        draft.notes.append(f"The column `{column}` is left out: {why}.")
    return Proposal(_document(table_name, roles, draft), tuple(draft.notes))


def _document(table_name: str, roles: Roles, draft: _Draft) -> str:
    table = table_name.rpartition(".")[2]
    row = roles.noun.replace("_", " ")
    lines = [
        "semantic_models:",
        f"  - name: {identifier(table)}",
        f"    description: One row per {row}.",
        f"    model: ref('{table}')",
        "    defaults:",
        f"      agg_time_dimension: {roles.times[0].name}",
    ]
    if roles.primary is None:
        lines.append(f"    primary_entity: {roles.row}")
    if draft.entities:
        lines += ["", "    entities:", *draft.entities]
    lines += ["", "    dimensions:", *draft.dimensions, "", "    measures:", *draft.measures, "", "metrics:"]
    return "\n".join([*lines, *draft.metrics]).rstrip() + "\n"


def _dimensions(draft: _Draft, roles: Roles) -> None:
    keyed = [(roles.primary, "primary")] if roles.primary is not None else []
    for role, kind in [*keyed, *((role, "foreign") for role in roles.entities)]:
        draft.entities += [
            f"      - name: {role.name}",
            f"        type: {kind}",
            f"        expr: {_scalar(role.expression)}",
        ]
    for role in roles.times:
        draft.dimensions += [f"      - name: {role.name}", "        type: time"]
        if role.expression != role.name:
            draft.dimensions.append(f"        expr: {_scalar(role.expression)}")
        draft.dimensions += ["        type_params:", "          time_granularity: day"]
    for role in roles.categories:
        draft.dimensions += [f"      - name: {role.name}", "        type: categorical"]
        if role.expression != role.name:
            draft.dimensions.append(f"        expr: {_scalar(role.expression)}")
    time = roles.times[0]
    draft.notes.append(
        f"Time is counted by `{time.column.name}` ({time.column.lowest} to {time.column.highest})."
    )


def _measures(draft: _Draft, roles: Roles) -> None:
    row = roles.noun.replace("_", " ")
    rows = plural(roles.noun)
    draft.measure(rows, "count", "1", f"The number of {plural(row)}")
    if roles.price_of_quantity is not None:
        quantity, price = roles.price_of_quantity
        product = f"{quantity.expression} * {price.expression}"
        name, label = ("cost", "Cost") if "cost" in price.name else ("revenue", "Revenue")
        _summed(
            draft,
            name,
            label,
            product,
            f"{_upper(_words(quantity))} times {_words(price)}, added up",
            quantity,
            price,
        )
    for role in roles.quantities:
        shown = _words(role)
        if roles.price_of_quantity is not None and role is roles.price_of_quantity[1]:
            continue
        label = shown[:1].upper() + shown[1:]
        _summed(draft, role.name, label, role.expression, f"The {shown} of all {plural(row)}, added up", role)
    for role in roles.averages:
        name = f"average_{role.name}"
        draft.measure(name, "average", role.expression, f"The {_words(role)} of {_a(row)}, on average")
        draft.simple(name, f"Average {_words(role)}", f"The {_words(role)} of {_a(row)}, on average")
    label = plural(row)
    draft.simple(rows, _upper(label), f"How many {label} there are")


def _summed(draft: _Draft, name: str, label: str, expression: str, description: str, *roles: Role) -> None:
    if name in draft.metric_names:
        return
    draft.measure(name, "sum", expression, description)
    draft.simple(name, label, description)
    below = [role.column.name for role in roles if role.column.negative > 0]
    if below:
        draft.notes.append(f"{label} is net: `{below[0]}` is below zero in some rows, such as returns.")


def _people(draft: _Draft, roles: Roles, profile: TableProfile) -> None:
    """Add what is counted per customer, order and the like."""
    row = roles.noun.replace("_", " ")
    main = _main_amount(draft, roles)
    actor, deed = roles.first(ACTORS), roles.first(DEEDS)
    for role in roles.entities:
        counted = plural(role.noun)
        shown = _words(role)
        if counted in draft.metric_names:
            continue
        draft.measure(counted, "count_distinct", role.expression, f"Different {plural(shown)}")
        label = plural(shown)
        draft.simple(counted, _upper(label), f"How many different {label} there are")
    for role in dict.fromkeys(one for one in (deed, actor) if one is not None):
        shown, counted = _words(role), plural(role.noun)
        if main is not None:
            label = f"{main[1]} per {shown}"
            draft.ratio(
                f"{main[0]}_per_{role.noun}", label, f"{main[1]} divided by {plural(shown)}", main[0], counted
            )
    if actor is None:
        return
    shown, counted = _words(actor), plural(actor.noun)
    if deed is not None:
        label = f"{plural(_words(deed))} per {shown}"
        label = label[:1].upper() + label[1:]
        name = f"{plural(deed.noun)}_per_{actor.noun}"
        draft.ratio(name, label, f"{label}, on average", plural(deed.noun), counted)
    description = f"Different {plural(shown)} seen in the {ACTIVE_DAYS} days up to a day"
    parameters = [
        f"measure: {counted}",
        "cumulative_type_params:",
        f"  window: {ACTIVE_DAYS} days",
        "  period_agg: last",
    ]
    label = f"{ACTIVE_DAYS}-day active {plural(shown)}"
    draft.metric(f"active_{counted}_{ACTIVE_DAYS}d", label, description, "cumulative", parameters)
    if actor.column.nulls:
        _without(draft, roles, actor, main, row)
        share = actor.column.nulls / profile.rows
        draft.notes.append(
            f"{actor.column.nulls:,} of {profile.rows:,} {plural(row)} ({share:.1%}) name no {shown}: anything per "
            f"{shown} leaves them out of the count, and their amounts stay in."
        )


def _without(draft: _Draft, roles: Roles, actor: Role, main: tuple[str, str, str] | None, row: str) -> None:
    """Add the share of rows, and of the main amount, that name nobody."""
    shown, rows = _words(actor), plural(roles.noun)
    absent = f"CASE WHEN {actor.expression} IS NULL THEN"
    parts = [(rows, plural(row), f"{absent} 1 ELSE 0 END")]
    if main is not None:
        parts.append((main[0], main[1].lower(), f"{absent} {main[2]} ELSE 0 END"))
    for whole, label, expression in parts:
        name = f"{whole}_without_{actor.noun}"
        words = f"{_upper(label)} without {_a(shown)}"
        draft.measure(name, "sum", expression, words)
        draft.simple(name, words, f"{words} named on the row")
        share = f"Share of {label} without {_a(shown)}"
        draft.ratio(f"share_of_{name}", share, f"{words}, divided by all {label}", name, whole)


def _main_amount(draft: _Draft, roles: Roles) -> tuple[str, str, str] | None:
    """Return the amount most worth dividing: its metric, its label, its expression."""
    if roles.price_of_quantity is not None:
        quantity, price = roles.price_of_quantity
        name = "cost" if "cost" in price.name else "revenue"
        return name, name.capitalize(), f"{quantity.expression} * {price.expression}"
    amounts = [role for role in roles.quantities if is_amount(role.name) and role.name in draft.metric_names]
    if not amounts:
        return None
    shown = _words(amounts[0])
    return amounts[0].name, _upper(shown), amounts[0].expression


def _a(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _words(role: Role) -> str:
    return role.noun.replace("_", " ")


def _scalar(text: str) -> str:
    """Return text as a YAML scalar, quoted only where it would be read as something else."""
    risky = text[:1] in "\"'[]{}>|*&!%#`@,?:-0123456789" or ": " in text or " #" in text or text.endswith(":")
    if risky or text.lower() in {"yes", "no", "true", "false", "null", "on", "off", "~", ""}:
        return "'" + text.replace("'", "''") + "'"
    return text
