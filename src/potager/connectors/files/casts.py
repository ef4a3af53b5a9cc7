"""From text to values: one SQL expression for each column, the reason when a text does not fit, Arrow types.

The same rules are applied in two ways that agree: Arrow's CSV converters read plain columns of a whole chunk at once;
where a chunk holds one text they refuse, its typed columns go through the SQL here, which accepts all that they accept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from potager.connectors.files.dates import ISO_DATE, ISO_TIMESTAMP, in_trying_order, order_of
from potager.connectors.files.shapes import Cast, decimal_places

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

TRUE_WORDS = ("true", "t", "yes", "y", "1", "on")
FALSE_WORDS = ("false", "f", "no", "n", "0", "off")
CURRENCIES = r"(?:[€$£¥₹₽₩₺]|\b(?:EUR|USD|GBP|JPY|CHF|INR|CAD|AUD|SEK|NOK|DKK|PLN)\b)"
SPACES = "[\\s\u00a0\u202f\u2009]"
GROUP_MARKS = "[ \u00a0\u202f\u2009'’]"
_SHOWN = 60


def quoted(text: str) -> str:
    """Return ``text`` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def _full(value: str, pattern: str) -> str:
    return f"regexp_full_match({value}, {quoted(pattern)})"


def arrow_type(type_: str) -> pa.DataType:
    """Return the Arrow type that a column of this type has."""
    import pyarrow as pa

    places = decimal_places(type_)
    if places:
        return pa.decimal128(*places)
    plain: dict[str, pa.DataType] = {
        "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
    }  # fmt: skip
    return plain.get(type_, pa.string())


def reads_plainly(cast: Cast) -> bool:
    """Say whether Arrow's CSV converters may try this column before SQL does."""
    if cast.type in {"integer", "text"}:
        return True
    if cast.type == "number":
        return cast.decimal_mark == "." and not cast.percent
    return cast.type in {"date", "timestamp"} and not cast.date_formats


def trimmed(column: str) -> str:
    """Return the SQL for a text without the spaces around it (also those that do not break)."""
    return f"trim({column}, ' \t\r\n\u00a0\u202f\ufeff')"


def is_null(column: str, cast: Cast) -> str:
    """Return the SQL condition that a text means "no value"."""
    words = ", ".join(quoted(word) for word in cast.null_words)
    return f"({column} IS NULL OR {trimmed(column)} IN ({words}))" if words else f"({column} IS NULL)"


def number_pattern(mark: str) -> str:
    """Return the pattern of a number without currency signs: groups of three by the other mark, a space or an apostrophe."""
    point, other = (r"\.", ",") if mark == "." else (",", r"\.")
    groups = rf"\d{{1,3}}(?:(?:{other}\d{{3}})+|(?:{GROUP_MARKS}\d{{3}})+)"
    return rf"[+-]?(?:{groups}|\d+)?(?:{point}\d*)?(?:[eE][+-]?\d{{1,3}})?"


AMBIGUOUS_NUMBER = r"[+-]?\d{1,3}[.,]\d{3}"


def core_sql(value: str) -> str:
    """Return the SQL for a number's text without currency and percent signs; (12) and 12- become -12."""
    bare = f"trim(regexp_replace({value}, {quoted(CURRENCIES + '|%')}, '', 'g'), ' \u00a0\u202f')"
    return (
        f"regexp_replace(regexp_replace(regexp_replace({bare}, '^\\((.*)\\)$', '-\\1'), '^(\\d.*)-$', '-\\1'), "
        f"'^([+-]){SPACES}+', '\\1')"
    )


def _plain_number(core: str, mark: str) -> str:
    """Return the SQL for a number's text with groups taken out and a point for the decimal mark."""
    other = "," if mark == "." else "."
    bare = f"regexp_replace({core}, {quoted(f'[{other}]|{GROUP_MARKS}')}, '', 'g')"
    bare = bare if mark == "." else f"replace({bare}, ',', '.')"
    return f"CASE WHEN {_full(core, number_pattern(mark))} AND {core} <> '' THEN {bare} END"


def _number_text(value: str, cast: Cast) -> str:
    core = core_sql(value)
    if cast.decimal_mark == "mixed":
        last = f"CASE WHEN {_full(core, AMBIGUOUS_NUMBER)} THEN NULL "
        text = f"{last}ELSE coalesce({_plain_number(core, '.')}, {_plain_number(core, ',')}) END"
    else:
        text = _plain_number(core, cast.decimal_mark)
    return f"CASE WHEN contains({value}, '%') THEN {text} END" if cast.percent else text


def _number(value: str, cast: Cast) -> str:
    """Return the SQL for a number; what is not finite is not a number."""
    text, share = _number_text(value, cast), " / 100" if cast.percent else ""
    places = decimal_places(cast.type)
    if cast.type == "integer":
        hexadecimal = (
            f"CASE WHEN {_full(value, '0[xX][0-9a-fA-F]{1,16}')} THEN TRY_CAST({value} AS BIGINT) END"
        )
        whole = f"CASE WHEN {_full(value, '[+-]?[0-9]+')} THEN {value} ELSE {text} END"
        exact = f"TRY_CAST(regexp_extract({whole}, '^([+-]?[0-9]+)(\\.0*)?$', 1) AS BIGINT)"
        return f"coalesce({exact}, {hexadecimal})"
    if places:
        precision, scale = places
        wide = f"TRY_CAST({text} AS DECIMAL(38,{scale}))"
        # More decimals than the type has would be rounded away without a word: such a text does not fit.
        fits = (
            _full(f"coalesce({text}, '')", rf"[^.]*(\.\d{{0,{scale + (0 if not share else -2)}}}0*)?")
            if scale >= (2 if share else 0)
            else "true"
        )
        return f"CASE WHEN {fits} THEN TRY_CAST(({wide}{share}) AS DECIMAL({precision},{scale})) END"
    double = f"(TRY_CAST({text} AS DOUBLE){share})"
    return f"CASE WHEN isfinite({double}) THEN {double} END"


def _moment(value: str, formats: Sequence[str]) -> str:
    if not formats:
        return "NULL::TIMESTAMP"
    tried = f"try_strptime({value}, [{', '.join(quoted(one) for one in in_trying_order(tuple(formats)))}])"
    return f"CASE WHEN year({tried}) BETWEEN 1000 AND 9999 THEN {tried} END"


def _orders(cast: Cast) -> tuple[list[str], list[str], list[str]]:
    by_order = {"": [], "day": [], "month": []}  # type: dict[str, list[str]]
    for date_format in cast.date_formats:
        by_order[order_of(date_format)].append(date_format)
    return by_order["day"], by_order["month"], by_order[""]


def _timestamp(value: str, cast: Cast) -> str:
    """Return the SQL for a moment: ISO 8601 (offsets become UTC), then the formats; NULL where day and month may be either."""
    day, month, other = _orders(cast)
    dashed = f"replace({value}, '/', '-')"
    iso = (
        f"CASE WHEN {_full(value, ISO_DATE + '|' + ISO_TIMESTAMP)} THEN coalesce("
        f"TRY_CAST(replace({dashed}, ',', '.') AS TIMESTAMP), try_strptime({dashed}, ['%Y-%m-%d %H', '%Y-%m-%dT%H'])) END"
    )
    iso = f"CASE WHEN year({iso}) BETWEEN 1 AND 9999 THEN {iso} END"
    by_day, by_month = _moment(value, day), _moment(value, month)
    numeric = f"coalesce({by_day}, {by_month})"
    if day and month:
        numeric = f"CASE WHEN {by_day} <> {by_month} THEN NULL ELSE {numeric} END"
    return f"coalesce({iso}, {_moment(value, other)}, {numeric})"


def value_sql(column: str, cast: Cast) -> str:
    """Return the SQL for the value of a text column; NULL where the text means no value or does not fit."""
    value = trimmed(column)
    if cast.type in {"text", "json"}:
        text = column if cast.type == "text" else f"CASE WHEN json_valid({column}) THEN {column} END"
    elif cast.type == "boolean":
        lower = f"lower({value})"
        text = (
            f"CASE WHEN {lower} IN ({', '.join(map(quoted, TRUE_WORDS))}) THEN true "
            f"WHEN {lower} IN ({', '.join(map(quoted, FALSE_WORDS))}) THEN false END"
        )
    elif cast.type == "timestamp":
        text = _timestamp(value, cast)
    elif cast.type == "date":
        moment = _timestamp(value, cast)
        text = f"CASE WHEN {moment} = date_trunc('day', {moment}) THEN CAST({moment} AS DATE) END"
    else:
        text = _number(value, cast)
    return f"CASE WHEN {is_null(column, cast)} THEN NULL ELSE {text} END"


def kind_sql(column: str, cast: Cast) -> str:
    """Return the SQL for the kind of reason why the text of a failed cell does not fit."""
    value = trimmed(column)
    if cast.type in {"date", "timestamp"}:
        day, month, _ = _orders(cast)
        either = f"{_moment(value, day)} <> {_moment(value, month)}" if day and month else "false"
        clock = f"{_timestamp(value, cast)} IS NOT NULL AND NOT coalesce({either}, false)"
        what = "a date" if cast.type == "date" else "a date and time"
        return (
            f"CASE WHEN coalesce({either}, false) THEN 'is ambiguous: day or month may come first' "
            f"WHEN {clock} THEN 'has a time of day, the column holds dates' "
            f"ELSE 'is not {what} in the format of the column' END"
        )
    if cast.type == "boolean":
        return "'is neither true nor false'"
    if cast.type == "json":
        return "'is not valid JSON'"
    if cast.percent:
        lacking = (
            f"WHEN NOT contains({value}, '%') THEN 'has no percent sign, while the column holds percentages' "
        )
    else:
        lacking = ""
    if cast.decimal_mark == "mixed":
        lacking += f"WHEN {_full(core_sql(value), AMBIGUOUS_NUMBER)} THEN 'is ambiguous: the mark may be for decimals or for thousands' "
    what = {"integer": "a whole number of at most 18 digits"}.get(cast.type, "a number")
    if decimal_places(cast.type):
        what = f"a number that fits {cast.type}"
    return f"CASE {lacking}WHEN true THEN 'is not {what}' END"


def reason_of(text: str | None, kind: str) -> str:
    """Return the sentence for one cell."""
    shown = text or ""
    shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
    return f"“{shown}” {kind}."


def connection() -> duckdb.DuckDBPyConnection:
    """Return a DuckDB of its own that can reach no file, for computing over Arrow tables on one thread."""
    import duckdb

    database = duckdb.connect(
        config={"threads": 1, "enable_external_access": False, "autoload_known_extensions": False}
    )
    database.execute("SET TimeZone = 'UTC'")
    return database


def run(database: duckdb.DuckDBPyConnection, table: pa.Table, sql: str) -> pa.Table:
    """Run ``sql`` over ``table``, which it calls ``t``."""
    return database.from_arrow(table).query("t", sql).to_arrow_table()
