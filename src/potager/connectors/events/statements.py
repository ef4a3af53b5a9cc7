"""The SQL that makes events of the rows of a block: one query for each kind, the same columns from each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from potager.connectors.events.plans import ReadPlan
from potager.connectors.events.vocabulary import (
    NOBODY,
    POSTHOG_CALLS,
    POSTHOG_GROUPS,
    SEGMENT_TYPES,
    SNOWPLOW_PROPERTIES,
)
from potager.connectors.files.casts import quoted, select, trimmed, value_sql
from potager.connectors.files.shapes import Cast

NONE = "NULL::VARCHAR"
NO_TIME = "NULL::TIMESTAMPTZ"
_OFFSET = r"(?:Z|UTC|[+-]\d{2}(?::?\d{2})?)$"


@dataclass(frozen=True)
class Columns:
    """Where the columns of a block are, by label, and which of them hold moments already (``aware``: in UTC).

    ``fields`` are columns that are known by a name of their own, such as the fields of a file without a header.
    """

    places: Mapping[str, str]
    moments: frozenset[str] = frozenset()
    aware: frozenset[str] = frozenset()
    fields: Mapping[str, str] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether there is a column of this label, or a field of this name."""
        return name in self.places or name in self.fields

    def text(self, label: str) -> str:
        """Return the SQL of a column as text without the spaces around it; NULL where it is empty or not there."""
        place = self.places.get(label) or self.fields.get(label)
        if place is None:
            return NONE
        return f"CAST({place} AS VARCHAR)" if label in self.moments else place

    def rows(self) -> str:
        """Return the SQL source of the rows: texts without the spaces around them, NULL where nothing is left.

        It is done once here, because the expressions over it name the same column many times.
        """
        shown = [
            place if label in self.moments else f"nullif({trimmed(place)}, '') AS {place}"
            for label, place in self.places.items()
        ]
        return f"({select(shown)})"


def statement(plan: ReadPlan, columns: Columns, latest: datetime) -> str:
    """Return the query over a block ``t``: one row for each of its rows, in their order.

    ``call`` is ``event``, ``identity`` or ``group``; ``wrong_column`` and ``wrong`` say why a row cannot be taken, and
    ``value`` what stood there. ``latest`` is the last moment that is no future.
    """
    made = _MAKERS[plan.kind](plan, columns)
    shown = ", ".join(f"{sql} AS {name}" for name, sql in made.items())
    is_event = "call = 'event'"
    who, what, when, more = (
        quoted(plan.roles.get(role, role)) for role in ("person", "event", "time", "properties")
    )
    is_future = f"occurred_at > TIMESTAMPTZ {quoted(latest.isoformat())}"
    shown_time = "coalesce(time_text, CAST(occurred_at AS VARCHAR))"
    skipped = quoted(f"is a time that the clocks of {plan.zone} skipped")
    wrong = [
        ("unknown_call IS NOT NULL", "'type'", "'is no kind of call'", "unknown_call"),
        (f"{is_event} AND coalesce(person, anonymous) IS NULL", who, "'says nobody'", "NULL"),
        (f"{is_event} AND event IS NULL", what, "'names no event'", "NULL"),
        ("occurred_at IS NULL AND time_text IS NULL", when, "'says no time'", "NULL"),
        ("occurred_at IS NULL", when, "'is not a date and time'", "time_text"),
        ("skipped", when, skipped, "time_text"),
        (is_future, when, "'lies in the future'", shown_time),
        ("properties IS NOT NULL AND NOT json_valid(properties)", more, "'is not valid JSON'", "properties"),
    ]

    def cases(place: int) -> str:
        return "CASE w " + " ".join(f"WHEN {at} THEN {one[place]}" for at, one in enumerate(wrong)) + " END"

    first = "CASE " + " ".join(f"WHEN {one[0]} THEN {at}" for at, one in enumerate(wrong)) + " END AS w"
    judged = f"(SELECT *, {first} FROM (SELECT {shown} FROM {columns.rows()}))"  # noqa: S608 - names and paths of ours, quoted
    kept = ("call", "event_id", "coalesce(person, anonymous) AS person", "account", "event", "occurred_at",
            "received_at", "properties", "alias", "alias_of", "member", "traits")  # fmt: skip
    why = (f"{cases(1)} AS wrong_column", f"{cases(2)} AS wrong", f"{cases(3)} AS value")
    return select((*kept, *why), judged)


def moment(columns: Columns, label: str, zone: str, date_formats: Sequence[str] = ()) -> str:
    """Return the SQL of a moment: ISO 8601, seconds since 1970 (or thousandths, millionths, billionths), then formats.

    A text without an offset is a time in ``zone``, which is the zone of the connection.
    """
    place = columns.places.get(label)
    if place is None:
        return NO_TIME
    if label in columns.moments:
        return f"timezone({quoted('UTC' if label in columns.aware else zone)}, {place})"
    text = place
    whole = f"TRY_CAST({text} AS HUGEINT)"
    micros = (
        f"CASE length({text}) WHEN 10 THEN {whole} * 1000000 WHEN 13 THEN {whole} * 1000 "
        f"WHEN 16 THEN {whole} WHEN 19 THEN {whole} // 1000 END"
    )
    since = (
        f"CASE WHEN regexp_full_match({text}, '[1-9][0-9]{{9}}([0-9]{{3}}){{0,3}}') "
        f"THEN timezone('UTC', make_timestamp(CAST({micros} AS BIGINT))) "
        f"WHEN regexp_full_match({text}, '[1-9][0-9]{{9}}[.][0-9]{{1,9}}') "
        f"THEN to_timestamp(TRY_CAST({text} AS DOUBLE)) END"
    )
    # A month first, then a day, is what DuckDB would make of 03/04/2024: only texts that begin with a year are its.
    iso = f"CASE WHEN substr({text}, 5, 1) IN ('-', '/') THEN TRY_CAST(replace({text}, '/', '-') AS TIMESTAMPTZ) END"
    ways = [iso, since]
    if date_formats:
        read = value_sql(place, text, Cast("timestamp", date_formats=tuple(date_formats)))
        ways.append(f"timezone({quoted(zone)}, {read})")
    return f"coalesce({', '.join(ways)})"


def _skipped(columns: Columns, label: str, zone: str, read: str) -> str:
    """Return the SQL condition that a local time does not exist: the clocks went forward over it."""
    if zone == "UTC" or columns.places.get(label) is None or label in columns.moments:
        return "false"
    text = columns.places[label]
    local = f"TRY_CAST(replace({text}, '/', '-') AS TIMESTAMP)"
    return (
        f"coalesce(substr({text}, 5, 1) IN ('-', '/') AND NOT regexp_matches({text}, {quoted(r'[T ].*' + _OFFSET)}) "
        f"AND {local} <> CAST({read} AS TIMESTAMP), false)"
    )


def _somebody(sql: str) -> str:
    """Return the SQL of an id; NULL for what faulty code sends in place of one."""
    return f"CASE WHEN lower({sql}) NOT IN ({', '.join(map(quoted, NOBODY))}) THEN {sql} END"


def _common(plan: ReadPlan, columns: Columns) -> dict[str, str]:
    """Return what all kinds have, by their roles."""
    role = plan.roles.get
    time = role("time", "")
    read = moment(columns, time, plan.zone, plan.date_formats)
    original, sent, received = (
        moment(columns, role(name, ""), plan.zone) for name in ("original_time", "sent_at", "received_at")
    )
    # A device's clock may be wrong, but wrong by the same when it made the event and when it sent it (Segment, "Common
    # fields": timestamp = receivedAt - (sentAt - originalTimestamp)).
    corrected = f"{received} - ({sent} - {original})"
    ways = [read, original, received]
    all_three = all(
        columns.places.get(role(name, "")) for name in ("original_time", "sent_at", "received_at")
    )
    if all_three:
        ways.insert(1 if plan.kind == "snowplow" else 0, corrected)
    texts = ", ".join(columns.text(role(name, "")) for name in ("time", "original_time", "received_at"))
    return {
        "call": "'event'",
        "unknown_call": NONE,
        "event_id": columns.text(role("event_id", "")),
        "person": columns.text(role("person", "")),
        "anonymous": columns.text(role("anonymous", "")),
        "account": columns.text(role("account", "")),
        "event": columns.text(role("event", "")) if "event" in plan.roles else quoted(plan.every),
        "time_text": f"coalesce({texts})",
        "occurred_at": f"coalesce({', '.join(ways)})",
        "skipped": _skipped(columns, time, plan.zone, read),
        "received_at": received,
        "properties": columns.text(role("properties", "")),
        "alias": NONE,
        "alias_of": NONE,
        "member": NONE,
        "traits": NONE,
    }


def _json(sql: str) -> str:
    """Return the SQL of JSON text; NULL where it is none, which functions on JSON would stumble over."""
    return f"CASE WHEN json_valid({sql}) THEN {sql} END"


def _patched(first: str, then: str) -> str:
    """Return the SQL of the text of one JSON object with the values of another; nulls are left out."""
    return f"CAST(json_merge_patch('{{}}', {first}, coalesce({_json(then)}, '{{}}')) AS VARCHAR)"


def _linked(made: dict[str, str]) -> None:
    """Link the device that a row names to the person it names."""
    person, anonymous = _somebody(made["person"]), _somebody(made["anonymous"])
    both = f"{person} IS NOT NULL AND {anonymous} IS NOT NULL"
    made["alias"] = f"CASE WHEN {both} THEN {anonymous} END"
    made["alias_of"] = f"CASE WHEN {both} THEN {person} END"


def _segment(plan: ReadPlan, columns: Columns) -> dict[str, str]:
    made = _common(plan, columns)
    kind = f"lower(coalesce({columns.text('type')}, 'track'))"
    user = _somebody(made["person"])
    previous = _somebody(f"coalesce({columns.text('previousId')}, {columns.text('anonymousId')})")
    _linked(made)
    person = _somebody(f"coalesce({columns.text('userId')}, {columns.text('anonymousId')})")
    name = columns.text("name")
    named = _patched(f"json_object('name', {name})", made["properties"])
    known = ", ".join(map(quoted, SEGMENT_TYPES))
    made |= {
        "call": f"CASE {kind} WHEN 'identify' THEN 'identity' WHEN 'alias' THEN 'identity' "
        f"WHEN 'group' THEN 'group' ELSE 'event' END",
        "unknown_call": f"CASE WHEN {kind} NOT IN ({known}) THEN {columns.text('type')} END",
        "event": f"CASE {kind} WHEN 'page' THEN 'page' WHEN 'screen' THEN 'screen' ELSE {made['event']} END",
        "account": f"CASE WHEN {kind} = 'group' THEN {columns.text('groupId')} ELSE "
        f"coalesce(json_extract_string({_json(columns.text('context'))}, '/groupId'), "
        f"json_extract_string({_json(made['properties'])}, '/groupId'), {columns.text('groupId')}) END",
        "alias": f"CASE WHEN {kind} <> 'alias' THEN {made['alias']} WHEN {user} IS NOT NULL THEN {previous} END",
        "alias_of": f"CASE WHEN {kind} <> 'alias' THEN {made['alias_of']} WHEN {previous} IS NOT NULL THEN {user} END",
        "member": f"CASE WHEN {kind} = 'group' THEN {person} END",
        "traits": f"CASE WHEN {kind} = 'group' THEN {columns.text('traits')} END",
        "properties": f"CASE WHEN {kind} IN ('page', 'screen') AND {name} IS NOT NULL AND "
        f"json_valid(coalesce({made['properties']}, '{{}}')) "
        f"THEN {named} ELSE {made['properties']} END",
    }
    return made


def _posthog(plan: ReadPlan, columns: Columns) -> dict[str, str]:
    made = _common(plan, columns)
    if "properties" not in plan.roles:
        made["properties"] = _object(columns, plan, prefix="properties.")
    event, person = made["event"], _somebody(made["person"])
    properties = _json(made["properties"])

    def of(*keys: str) -> str:
        return f"json_extract_string({properties}, {quoted('/' + '/'.join(keys))})"

    groups = [of("$groups", name) for name in ((plan.group,) if plan.group else POSTHOG_GROUPS)]
    if not plan.group:
        groups.append(f"json_extract_string({properties}, '$.\"$groups\".*')[1]")
    merged = _somebody(of("alias"))
    alias = (
        f"CASE {event} WHEN '$identify' THEN {_somebody(of('$anon_distinct_id'))} "
        f"WHEN '$create_alias' THEN {merged} WHEN '$merge_dangerously' THEN {merged} END"
    )
    is_group = f"{event} = '$groupidentify'"
    made |= {
        "call": f"CASE WHEN {is_group} THEN 'group' "
        f"WHEN {event} IN ({', '.join(map(quoted, POSTHOG_CALLS))}) THEN 'identity' ELSE 'event' END",
        "account": f"CASE WHEN {is_group} THEN {of('$group_key')} "
        f"ELSE coalesce({', '.join([made['account'], *groups])}) END",
        "alias": f"CASE WHEN {person} IS NOT NULL THEN {alias} END",
        "alias_of": f"CASE WHEN {alias} IS NOT NULL THEN {person} END",
        "traits": f"CASE WHEN {is_group} THEN {of('$group_set')} END",
    }
    return made


def _snowplow(plan: ReadPlan, columns: Columns) -> dict[str, str]:
    made = _common(plan, columns)
    kind, name = columns.text("event"), columns.text("event_name")
    made["event"] = (
        f"CASE WHEN {kind} = 'struct' THEN coalesce({columns.text('se_action')}, 'struct') "
        f"ELSE coalesce({name}, {kind}) END"
    )
    _linked(made)
    pairs = ", ".join(
        f"{quoted(name)}, {columns.text(name)}" for name in SNOWPLOW_PROPERTIES if columns.has(name)
    )
    sent = columns.text("unstruct_event")
    own = f"CAST(json_extract({_json(sent)}, '/data/data') AS VARCHAR)"
    made["properties"] = f"nullif({_patched(f'json_object({pairs})', own)}, '{{}}')"
    return made


def _plain(plan: ReadPlan, columns: Columns) -> dict[str, str]:
    made = _common(plan, columns)
    if "anonymous" in plan.roles and plan.roles["anonymous"] != plan.roles.get("person"):
        _linked(made)
    others = _object(columns, plan)
    if "properties" not in plan.roles:
        made["properties"] = others
    elif others != NONE:
        given = made["properties"]
        made["properties"] = (
            f"CASE WHEN {given} IS NOT NULL AND NOT coalesce(json_valid({given}), false) THEN {given} "
            f"ELSE {_patched(others, given)} END"
        )
    return made


def _object(columns: Columns, plan: ReadPlan, prefix: str = "") -> str:
    """Return the SQL of a JSON object of the columns that have no role; empty ones are left out."""
    others = [
        label
        for label in columns.places
        if label not in set(plan.roles.values()) and label.startswith(prefix)
    ]
    if not others:
        return NONE
    pairs = ", ".join(f"{quoted(label.removeprefix(prefix))}, {columns.text(label)}" for label in others)
    return f"CAST(json_merge_patch('{{}}', json_object({pairs})) AS VARCHAR)"


_MAKERS: dict[str, Callable[[ReadPlan, Columns], dict[str, str]]] = {
    "segment": _segment, "posthog": _posthog, "snowplow": _snowplow, "plain": _plain,
}  # fmt: skip
