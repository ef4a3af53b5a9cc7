"""Deciding what a column of text holds: counts of what its values look like, then rules that say why."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from potager.connectors.files.casts import (
    AMBIGUOUS_NUMBER,
    CURRENCIES,
    FALSE_WORDS,
    GROUP_MARKS,
    TRUE_WORDS,
    core_sql,
    number_pattern,
    quoted,
    run,
    select,
    trimmed,
)
from potager.connectors.files.dates import (
    COMPACT,
    ISO_DATE,
    ISO_OFFSET,
    ISO_TIMESTAMP,
    KNOWN_FORMATS,
    in_trying_order,
    order_of,
    pattern_of,
    with_time,
)
from potager.connectors.files.shapes import Cast, listed

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

NULL_WORDS = (
    "NA", "N/A", "n/a", "NULL", "Null", "null", "None", "none", "NaN", "nan", "-", "--", "?", ".", "#N/A",
    "\\N", "(null)", "(blank)", "unknown", "Unknown", "nil", "NIL", "missing", "n.a.", "N.A.", "tbd", "TBD",
)  # fmt: skip
ENOUGH = 0.9  # share of the values that must fit a type; the others are set aside with the reason
_IDENTIFIERS = re.compile(
    r"(^|_)(id|ids|uuid|guid|key|code|sku|zip|zipcode|postcode|postal|phone|mobile|fax|iban|bic|vat|ean|upc|isbn|barcode"
    r"|ssn|account|serial|ref|reference|invoice|order)(_(no|nr|number|num|id|code|key))?$|(^|_)(no|nr|num)$"
)
_DATED = re.compile(r"(^|_)(date|day|dt|on|at|month|time|timestamp|created|updated)(_|$)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a column holds, what it may hold instead, what a person should know, and whether they must decide.

    ``undecided`` are the formats of dates for which the whole column should be asked about day and month.
    """

    cast: Cast
    alternatives: tuple[Cast, ...] = ()
    note: str = ""
    ask: bool = False
    undecided: tuple[str, ...] = ()


def _counted(test: str) -> str:
    """Return the SQL for how many values (``n`` for each row) pass a test."""
    return f"coalesce(sum(n) FILTER (WHERE {test}), 0)::BIGINT"


def _reads(date_format: str) -> str:
    shaped = f"regexp_full_match(v, {quoted(pattern_of(date_format))})"
    return f"{shaped} AND try_strptime(v, {quoted(date_format)}) IS NOT NULL"


def _flags() -> dict[str, str]:
    """Return what is counted: a name and the SQL test of a trimmed value ``v`` and its number's text ``core``."""

    def full(value: str, pattern: str) -> str:
        return f"regexp_full_match({value}, {quoted(pattern)})"

    lower = "lower(v)"
    words = [word for word in (*TRUE_WORDS, *FALSE_WORDS) if word not in {"0", "1"}]
    spaced = rf"[+-]?\d{{1,3}}(?:{GROUP_MARKS}\d{{3}})+"
    point, comma = (
        f"({full('core', number_pattern(mark))} AND regexp_matches(core, '[0-9]'))" for mark in ".,"
    )
    return {
        "point": point,
        "comma": comma,
        "shared": f"{point} AND {comma}",
        "numeric": f"{point} OR {comma}",
        "either": full("core", AMBIGUOUS_NUMBER),
        "whole.": full("core", rf"[+-]?\d+|[+-]?\d{{1,3}}(?:,\d{{3}})+|{spaced}"),
        "whole,": full("core", rf"[+-]?\d+|[+-]?\d{{1,3}}(?:\.\d{{3}})+|{spaced}"),
        "zero_led": full("v", r"[+-]?0\d+"),
        "long": full("v", r"[+-]?\d{19,}"),
        "marked": "core <> v",
        "percent": "contains(v, '%')",
        "bits": "v IN ('0', '1')",
        "truth": f"{lower} IN ({', '.join(map(quoted, words))})",
        "iso_date": f"{full('v', ISO_DATE)} AND TRY_CAST(replace(v, '/', '-') AS DATE) IS NOT NULL",
        "iso_moment": full("v", f"{ISO_TIMESTAMP}|{ISO_OFFSET}"),
        "offset": full("v", ISO_OFFSET),
        "dated": f"{full('v', '[A-Za-z0-9 ,./:-]{6,40}')} AND regexp_matches(v, '[0-9][^0-9]+[0-9]')",
        "compact": f"{full('v', '(19|20)[0-9]{2}(0[1-9]|1[0-2])[0-3][0-9]')} AND try_strptime(v, '%Y%m%d') IS NOT NULL",
        "json": "v[1] IN ('{', '[') AND json_valid(v)",
    }


@dataclass(frozen=True)
class Evidence:
    """What the values of one column look like: how many say something, counts of looks, words for nothing, samples.

    ``counts`` leaves the ``words`` out. ``strings`` says that the file itself marks the values as text (JSON).
    """

    filled: int
    counts: dict[str, int]
    words: tuple[str, ...]
    samples: tuple[str, ...]
    database: duckdb.DuckDBPyConnection
    distinct: Callable[[], pa.Table]
    strings: bool = False

    def date_formats(self) -> dict[str, int]:
        """Count for each known format how many values it reads."""
        table = self.distinct()
        shapes = {
            re.sub(r"[A-Za-z]", "a", re.sub(r"\d", "9", value)): value
            for value in map(str, table.column("v").to_pylist()) if len(value) <= 40
        }  # fmt: skip
        possible = [
            one
            for one in KNOWN_FORMATS
            if any(re.fullmatch(pattern_of(one), value) for value in shapes.values())
        ]
        if not possible:
            return {}
        sums = [f"{_counted(_reads(one))} AS f{at}" for at, one in enumerate(possible)]
        counts = run(self.database, table, select(sums)).to_pylist()[0]
        return {one: counts[f"f{at}"] for at, one in enumerate(possible) if counts[f"f{at}"]}

    def orders(self, formats: Sequence[str]) -> Orders:
        """Count how the dates of numbers only can be read."""
        return count_orders(self.database, self.distinct(), formats)


def gather(database: duckdb.DuckDBPyConnection, table: pa.Table, strings: Sequence[bool]) -> list[Evidence]:
    """Return the evidence of every column of a table of texts, in two queries whatever their number."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    width = table.num_columns
    chunks = [chunk for column in table.columns for chunk in column.chunks]
    columns: list[Any] = [
        pa.array(np.repeat(np.arange(width), table.num_rows)),
        pa.chunked_array(chunks, pa.string()),
    ]
    long = pa.Table.from_arrays(columns, names=["col", "c"])
    texts = select(["col", f"{trimmed('c')} AS v"])
    word = f"v IN ({', '.join(map(quoted, NULL_WORDS))}) AS word"
    grouped = "WHERE v <> '' GROUP BY col, v ORDER BY col, n DESC, v"
    distinct = run(database, long, select(["col", "v", word, "count(*) AS n"], f"({texts})", grouped))
    looks = select(
        ["*", f"{core_sql('v')} AS core", f"nullif(regexp_extract(v, {quoted(CURRENCIES)}), '') AS currency"]
    )
    sums = [
        "col",
        f"{_counted('true')} AS all_filled",
        f"{_counted('NOT word')} AS filled",
        *(f'{_counted(f"NOT word AND ({test})")} AS "{name}"' for name, test in _flags().items()),
        "count(DISTINCT currency)::BIGINT AS currencies",
        "list(v ORDER BY n DESC, v) FILTER (WHERE word) AS words",
        "list(v ORDER BY n DESC, v)[1:5] AS samples",
    ]
    found = run(database, distinct, select(sums, f"({looks})", "GROUP BY col"))
    by_column = {row["col"]: row for row in found.to_pylist()}

    def values_of(at: int) -> Callable[[], pa.Table]:
        def values() -> pa.Table:
            mine = pc.and_(pc.equal(distinct["col"], pa.scalar(at)), pc.invert(distinct["word"]))
            return distinct.filter(mine).select(["v", "n"])

        return values

    gathered = []
    for at in range(width):
        row = by_column.get(at) or {"all_filled": 0, "filled": 0}
        words = tuple(word for word in NULL_WORDS if word in (row.get("words") or ()))
        samples = tuple(value[:80] for value in row.get("samples", ()))
        gathered.append(
            Evidence(row["all_filled"], row, words, samples, database, values_of(at), strings[at])
        )
    return gathered


@dataclass(frozen=True, slots=True)
class Orders:
    """How many dates of numbers only have the day first, the month first, may be either, or are the same either way."""

    day: int = 0
    month: int = 0
    either: int = 0
    same: int = 0

    def __add__(self, other: Orders) -> Orders:
        return Orders(
            self.day + other.day, self.month + other.month, self.either + other.either, self.same + other.same
        )


def count_orders(database: duckdb.DuckDBPyConnection, table: pa.Table, formats: Sequence[str]) -> Orders:
    """Count the orders of day and month that the values ``v`` (``n`` times each) of a table allow."""

    def tried(order: str) -> str:
        some = [quoted(one) for one in in_trying_order(tuple(formats)) if order_of(one) == order]
        return f"try_strptime(v, [{', '.join(some)}])" if some else "NULL::TIMESTAMP"

    read = select(["n", f"{tried('day')} AS d", f"{tried('month')} AS m"])
    tests = ("d IS NOT NULL AND m IS NULL", "d IS NULL AND m IS NOT NULL", "d <> m", "d = m")
    sql = select([f"{_counted(test)} AS s{at}" for at, test in enumerate(tests)], f"({read})")
    return Orders(*run(database, table, sql).to_pylist()[0].values())


def decide(
    name: str, evidence: Evidence, *, null_words: Sequence[str] = ("",), orders: Orders | None = None
) -> Verdict:
    """Return what the column ``name`` (clean) holds, by its values and, for identifiers, by its name.

    ``orders`` is what the whole column says about day and month when the sample could not tell.
    """
    words, counts = evidence.words, evidence.counts
    if not counts["filled"]:
        note = f"The column holds only {listed(words)}." if evidence.filled else "The column is empty."
        return Verdict(Cast("text", null_words=tuple(dict.fromkeys((*null_words, *words)))), note=note)
    told = _typed(name, evidence, counts, orders)
    text = Cast("text", null_words=tuple(null_words))
    with_words = tuple(dict.fromkeys((*null_words, *words)))
    others = tuple(replace(one, null_words=with_words) for one in told.alternatives)
    if told.cast.type == "text":
        return replace(told, cast=text, alternatives=others)
    note = (
        f"{told.note} {listed(words)} {'means' if len(words) == 1 else 'mean'} no value.".strip()
        if words
        else told.note
    )
    return replace(
        told, cast=replace(told.cast, null_words=with_words), alternatives=(*others, text), note=note
    )


def _typed(name: str, evidence: Evidence, counts: dict[str, int], orders: Orders | None) -> Verdict:
    enough = ENOUGH * counts["filled"]
    found = _dates(name, evidence, counts, orders)
    if found:
        return found
    if evidence.strings:
        return Verdict(Cast("text"))
    if counts["json"] >= enough:
        return Verdict(Cast("json"))
    if counts["truth"] and counts["truth"] + counts["bits"] >= enough:
        return Verdict(Cast("boolean"))
    return _number(name, counts) if counts["numeric"] >= enough else Verdict(Cast("text"))


def _number(name: str, counts: dict[str, int]) -> Verdict:
    """Decide between whole numbers, numbers, identifiers and money in two currencies."""
    if counts["zero_led"]:
        note = "Some values begin with a zero, which a number would lose: kept as text."
        return Verdict(Cast("text"), (Cast("integer"),), note)
    if counts["long"]:
        note = "Some whole numbers have more than 18 digits: kept as text so that no digit is lost."
        return Verdict(Cast("text"), (Cast("decimal(38,0)"), Cast("number")), note)
    if counts["currencies"] > 1:
        note = (
            "The column holds amounts in more than one currency; their sum would mean nothing: kept as text."
        )
        return Verdict(Cast("text"), (Cast("number"),), note, ask=True)
    only_point, only_comma = counts["point"] - counts["shared"], counts["comma"] - counts["shared"]
    mark = "," if only_comma > only_point else "."
    if counts["percent"]:
        note = "Percentages are read as shares: 12% is 0.12."
        if counts["percent"] < counts["filled"]:
            note += " Values without a percent sign will be set aside."
        return Verdict(Cast("number", percent=True, decimal_mark=mark), (), note)
    if min(only_point, only_comma) > (1 - ENOUGH) / 2 * (only_point + only_comma):
        note = "Some numbers have a decimal point and some a decimal comma; those that may be either will be set aside."
        return Verdict(
            Cast("number", decimal_mark="mixed"),
            (Cast("number"), Cast("number", decimal_mark=",")),
            note,
            ask=True,
        )
    fits = counts["point" if mark == "." else "comma"]
    if counts[f"whole{mark}"] == fits:
        if _IDENTIFIERS.search(name) and not counts["marked"] and not counts["either"]:
            note = "The name says that this is an identifier: kept as text, so that nobody adds it up."
            return Verdict(Cast("text"), (Cast("integer"),), note)
        note = (
            "A number like “1,234” is read as 1234: the comma marks thousands."
            if counts["either"] and mark == "."
            else ""
        )
        truth = (Cast("boolean"),) if counts["bits"] == counts["filled"] else ()
        return Verdict(Cast("integer", decimal_mark=mark), (Cast("number", decimal_mark=mark), *truth), note)
    doubtful = bool(counts["either"]) and not only_point and not only_comma
    note = "Numbers are written with a decimal comma." if mark == "," else ""
    if doubtful:
        note = (
            "Every mark may be for decimals or for thousands; “1.234” is read as 1.234 and “1,234” as 1234."
        )
    others = (Cast("number", decimal_mark=","), Cast("number", decimal_mark="mixed")) if doubtful else ()
    return Verdict(
        Cast("number", decimal_mark=mark),
        (Cast("decimal(18,4)", decimal_mark=mark), *others),
        note,
        ask=doubtful,
    )


def _dates(name: str, evidence: Evidence, counts: dict[str, int], whole: Orders | None) -> Verdict | None:
    """Decide which formats a column of dates has, and which of day and month comes first; ``None`` when it has none."""
    enough = ENOUGH * counts["filled"]
    if counts["compact"] >= enough and _DATED.search(name) and not evidence.strings:
        return Verdict(Cast("date", date_formats=(COMPACT,)), (Cast("integer"),))
    iso = counts["iso_date"] + counts["iso_moment"]
    if iso + counts["dated"] < enough:
        return None
    found = evidence.date_formats() if iso < counts["filled"] else {}
    numeric = [one for one in found if order_of(one)]
    worded = [one for one in found if not order_of(one)]
    seen = evidence.orders(numeric) if numeric else Orders()
    if iso + sum(found[one] for one in worded) + seen.day + seen.month + seen.either + seen.same < enough:
        return None
    type_ = "timestamp" if counts["iso_moment"] or any(with_time(one) for one in found) else "date"
    if not numeric:
        note = f"{_kinds(iso, worded, [])} {_offsets(counts)}".strip()
        return Verdict(Cast(type_, date_formats=tuple(worded)), _less(type_), note)
    told = whole or seen
    by_order = {order: [one for one in numeric if order_of(one) == order] for order in ("day", "month")}
    first = {
        order: Cast(type_, date_formats=(*worded, *formats)) for order, formats in by_order.items() if formats
    }
    if min(told.day, told.month) <= 0.01 * max(told.day, told.month) and max(told.day, told.month):
        order = "day" if told.day > told.month else "month"
        note = f"The {order} comes first: some dates can only be read so." if seen.either else ""
        others = tuple(cast for one, cast in first.items() if one != order and seen.either)
        kinds = _kinds(iso, worded, by_order[order])
        return Verdict(
            first[order], (*others, *_less(type_)), f"{kinds} {note}".strip(), undecided=tuple(numeric)
        )
    if not told.either:
        return Verdict(
            next(iter(first.values())),
            _less(type_),
            _kinds(iso, worded, numeric[:1]),
            undecided=tuple(numeric),
        )
    both = Cast(type_, date_formats=tuple(found))
    if told.day or told.month or seen.either * 2 < counts["filled"]:
        why = (
            "Some dates have the day first and some the month"
            if told.day
            else "In some dates day or month may come first"
        )
        return Verdict(
            both,
            tuple(first.values()),
            f"{why}; those that may be either will be set aside.",
            True,
            tuple(numeric),
        )
    note = "No date says whether the day or the month comes first: kept as text until you choose."
    return Verdict(Cast("text"), (*first.values(), both), note, True, tuple(numeric))


def _offsets(counts: dict[str, int]) -> str:
    if not counts["offset"]:
        return ""
    some = " Times without an offset are taken as UTC." if counts["offset"] < counts["filled"] else ""
    return f"Times with an offset become UTC.{some}"


def _less(type_: str) -> tuple[Cast, ...]:
    return (Cast("date"),) if type_ == "timestamp" else ()


def _kinds(iso: int, worded: Sequence[str], numeric: Sequence[str]) -> str:
    kinds = (["year-month-day"] if iso else []) + list(worded) + list(numeric)
    return f"Dates are written in {len(kinds)} ways: {', '.join(kinds)}." if len(kinds) > 1 else ""
