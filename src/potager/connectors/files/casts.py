"""From text to values: one SQL expression for each column, the reason when a text does not fit, Arrow types.

The same rules are applied in two ways that agree: Arrow's CSV converters read plain columns of a whole chunk at once;
where a chunk holds one text they refuse, its typed columns go through the SQL here, which accepts all that they accept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from potager.connectors.files.dates import (
    ISO_DATE,
    ISO_OFFSET,
    ISO_TIMESTAMP,
    MIDNIGHT,
    in_trying_order,
    order_of,
    with_time,
)
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


def is_null(column: str, value: str, cast: Cast) -> str:
    """Return the SQL condition that a text (``value``: the same, trimmed) means "no value"."""
    words = ", ".join(quoted(word) for word in cast.null_words)
    return f"({column} IS NULL OR {value} IN ({words}))" if words else f"({column} IS NULL)"


def number_pattern(mark: str) -> str:
    """Return the pattern of a number without currency signs; groups of three stand between the other mark or spaces."""
    point, other = (r"\.", ",") if mark == "." else (",", r"\.")
    groups = rf"\d{{1,3}}(?:(?:{other}\d{{3}})+|(?:{GROUP_MARKS}\d{{3}})+)"
    return rf"[+-]?{SPACES}*(?:(?:{groups}|\d+)(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d{{1,3}})?"


AMBIGUOUS_NUMBER = r"[+-]?\d{1,3}[.,]\d{3}"


def core_sql(value: str) -> str:
    """Return the SQL for a number's text without currency and percent signs; (12) and 12- become -12."""
    bare = f"trim(regexp_replace({value}, {quoted(CURRENCIES + '|%')}, '', 'g'), ' \u00a0\u202f')"
    return f"regexp_replace({bare}, '^(?:\\((.*)\\)|(\\d.*)-)$', '-\\1\\2')"


def _plain_number(core: str, mark: str) -> str:
    """Return the SQL for a number's text without groups and with a decimal point; empty when it is no number."""
    other = "," if mark == "." else "."
    found = f"regexp_extract({core}, {quoted(f'^(?:{number_pattern(mark)})$')})"
    bare = f"regexp_replace({found}, {quoted(f'[{other}]|{SPACES}|{GROUP_MARKS}')}, '', 'g')"
    return bare if mark == "." else f"replace({bare}, ',', '.')"


def _number_text(value: str, cast: Cast) -> str:
    core = core_sql(value)
    if cast.decimal_mark == "mixed":
        either = f"coalesce(nullif({_plain_number(core, '.')}, ''), {_plain_number(core, ',')})"
        text = f"CASE WHEN NOT {_full(core, AMBIGUOUS_NUMBER)} THEN {either} END"
    else:
        text = _plain_number(core, cast.decimal_mark)
    return f"CASE WHEN contains({value}, '%') THEN {text} END" if cast.percent else text


def _number(value: str, cast: Cast) -> str:
    """Return the SQL for a number: plain digits the short way, all other writings the long way; never infinite."""
    text = _number_text(value, cast)
    plain = cast.decimal_mark == "." and not cast.percent
    places = decimal_places(cast.type)
    if cast.type == "integer":
        hexadecimal = (
            f"CASE WHEN {_full(value, '0[xX][0-9a-fA-F]{1,16}')} THEN TRY_CAST({value} AS BIGINT) END"
        )
        exact = f"TRY_CAST(regexp_extract({text}, '^([+-]?[0-9]+)(\\.0*)?$', 1) AS BIGINT)"
        short, long = "[+-]?[0-9]{1,18}", f"coalesce({exact}, {hexadecimal})"
        return f"CASE WHEN {_full(value, short)} THEN TRY_CAST({value} AS BIGINT) ELSE {long} END"
    if places:
        precision, scale = places
        kept = max(0, scale - 2) if cast.percent else scale
        wide = f"TRY_CAST({text} AS DECIMAL(38,{kept}))"
        # More decimals than the type has would be rounded away without a word: such a text does not fit.
        fits = _full(f"coalesce({text}, '')", rf"[^.]*(\.\d{{0,{kept}}}0*)?")
        share = f"CAST({wide} AS DECIMAL(38,{scale})) / 100" if cast.percent else wide
        return f"CASE WHEN {fits} THEN TRY_CAST(({share}) AS DECIMAL({precision},{scale})) END"
    finite = f"nullif(nullif(TRY_CAST({text} AS DOUBLE), 'inf'::DOUBLE), '-inf'::DOUBLE)"
    if cast.percent:
        return f"({finite} / 100)"
    if not plain:
        return finite
    short = _full(value, r"[+-]?[0-9]{1,300}([.][0-9]*)?")
    return f"CASE WHEN {short} THEN TRY_CAST({value} AS DOUBLE) ELSE {finite} END"


def _moment(value: str, formats: Sequence[str]) -> str:
    if not formats:
        return "NULL::TIMESTAMP"
    tried = f"try_strptime({value}, [{', '.join(quoted(one) for one in in_trying_order(tuple(formats)))}])"
    return f"CASE WHEN year({tried}) BETWEEN 1000 AND 9999 THEN {tried} END"


def _by_formats(value: str, formats: Sequence[str]) -> str:
    """Return the SQL for the moment that formats read; NULL where day and month may be either."""
    by_order: dict[str, list[str]] = {"": [], "day": [], "month": []}
    for one in formats:
        by_order[order_of(one)].append(one)
    by_day, by_month = _moment(value, by_order["day"]), _moment(value, by_order["month"])
    numeric = f"coalesce({by_day}, {by_month})"
    if by_order["day"] and by_order["month"]:
        numeric = f"CASE WHEN {by_day} <> {by_month} THEN NULL ELSE {numeric} END"
    return f"coalesce({_moment(value, by_order[''])}, {numeric})"


def _timestamp(value: str, cast: Cast) -> str:
    """Return the SQL for a moment: ISO 8601 (offsets become UTC), then the formats."""
    dashed = f"replace(replace({value}, '/', '-'), ',', '.')"
    hours = f"try_strptime({dashed}, ['%Y-%m-%d %H', '%Y-%m-%dT%H'])"
    iso = f"coalesce(TRY_CAST({dashed} AS TIMESTAMP), {hours})"
    # A cast to TIMESTAMP would drop the offset without a word.
    offset = f"timezone('UTC', TRY_CAST(regexp_replace({dashed}, '\\s+(Z|[+-])', '\\1') AS TIMESTAMPTZ))"
    formats = _by_formats(value, cast.date_formats) if cast.date_formats else "NULL"
    return (
        f"CASE WHEN {_full(value, f'{ISO_DATE}|{ISO_TIMESTAMP}')} THEN {iso} "
        f"WHEN {_full(value, ISO_OFFSET)} THEN {offset} ELSE {formats} END"
    )


def _date(value: str, cast: Cast) -> str:
    """Return the SQL for a day: a moment at midnight."""
    iso = f"TRY_CAST(regexp_extract(replace({value}, '/', '-'), '^[0-9-]+') AS DATE)"
    timed = [one for one in cast.date_formats if with_time(one)]
    moment = _by_formats(value, cast.date_formats) if cast.date_formats else "NULL"
    if timed:
        moment = f"CASE WHEN {moment} = date_trunc('day', {moment}) THEN {moment} END"
    return (
        f"CASE WHEN {_full(value, f'{ISO_DATE}(?:{MIDNIGHT})?')} THEN {iso} ELSE CAST({moment} AS DATE) END"
    )


def value_sql(column: str, value: str, cast: Cast) -> str:
    """Return the SQL for the value of a text (``value``: trimmed); NULL where it means none or does not fit."""
    lower = f"lower({value})"
    if cast.type == "text":
        text = column
    elif cast.type == "json":
        text = f"CASE WHEN json_valid({column}) THEN {column} END"
    elif cast.type == "boolean":
        text = (
            f"CASE WHEN {lower} IN ({', '.join(map(quoted, TRUE_WORDS))}) THEN true "
            f"WHEN {lower} IN ({', '.join(map(quoted, FALSE_WORDS))}) THEN false END"
        )
    elif cast.type == "timestamp":
        text = _timestamp(value, cast)
    else:
        text = _date(value, cast) if cast.type == "date" else _number(value, cast)
    return f"CASE WHEN NOT {is_null(column, value, cast)} THEN {text} END"


def kind_sql(value: str, cast: Cast) -> str:
    """Return the SQL for the kind of reason why the trimmed text of a failed cell does not fit."""
    if cast.type in {"date", "timestamp"}:
        orders = {
            order: [one for one in cast.date_formats if order_of(one) == order] for order in ("day", "month")
        }
        either = (
            " <> ".join(_moment(value, formats) for formats in orders.values())
            if all(orders.values())
            else "false"
        )
        what = "a date" if cast.type == "date" else "a date and time"
        return (
            f"CASE WHEN coalesce({either}, false) THEN 'is ambiguous: day or month may come first' "
            f"WHEN {_timestamp(value, cast)} IS NOT NULL THEN 'has a time of day, while the column holds dates' "
            f"ELSE 'is not {what} in the format of the column' END"
        )
    if cast.type == "boolean":
        return "'is neither true nor false'"
    if cast.type == "json":
        return "'is not valid JSON'"
    cases = []
    if cast.percent:
        cases.append(
            f"WHEN NOT contains({value}, '%') THEN 'has no percent sign, while the column holds percentages'"
        )
    if cast.decimal_mark == "mixed":
        ambiguous = _full(core_sql(value), AMBIGUOUS_NUMBER)
        cases.append(f"WHEN {ambiguous} THEN 'is ambiguous: its mark may be for decimals or for thousands'")
    fitting = f"a number that fits {cast.type}" if decimal_places(cast.type) else "a number"
    what = "a whole number of at most 18 digits" if cast.type == "integer" else fitting
    return f"CASE {' '.join(cases)} WHEN true THEN 'is not {what}' END"


def stacked(table: pa.Table, columns: Sequence[int]) -> pa.Table:
    """Return the text columns at some places one under the other, as one column ``c``."""
    import pyarrow as pa

    chunks = [chunk for at in columns for chunk in table.column(at).chunks]
    return pa.Table.from_arrays([pa.chunked_array(chunks, pa.string())], names=["c"])


def valued(cast: Cast, also: Sequence[str] = ()) -> str:
    """Return the SQL source of texts (c), the same trimmed (t), and their values (v)."""
    texts = select([*also, "c", f"{trimmed('c')} AS t"])
    return "(" + select([*also, "c", "t", f"{value_sql('c', 't', cast)} AS v"], f"({texts})") + ")"


def fails(cast: Cast) -> str:
    """Return the SQL condition, over ``valued``, that a text means a value but none was read."""
    return f"(v IS NULL AND NOT {is_null('c', 't', cast)})"


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


def select(columns: Iterable[str], source: str = "t", rest: str = "") -> str:
    """Return a query; its parts are made of names given here, numbers, and texts that went through ``quoted``."""
    return f"SELECT {', '.join(columns)} FROM {source} {rest}"  # noqa: S608 - see above


def run(database: duckdb.DuckDBPyConnection, table: pa.Table, sql: str) -> pa.Table:
    """Run ``sql`` over ``table``, which it calls ``t``."""
    relation = database.from_arrow(table).query("t", sql)
    assert relation is not None  # every query here selects
    found: pa.Table = relation.to_arrow_table()
    return found
