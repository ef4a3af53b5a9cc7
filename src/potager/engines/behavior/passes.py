"""A funnel by window passes: for people with so many events that folding one list would take minutes.

Each step is one pass over the sorted events. The latest start a step was reached from only ever grows, so that the
fold's state before an event is the greatest of the events before it; an exclusion begins a stretch of its own.
"""

from __future__ import annotations

_BEFORE = "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
_SO_FAR = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"


def passes_sql(source: str, by: str, order: str, count: int, excluded: int, window: int) -> str:
    """Return the SELECT of ``who``, ``by`` (a column or nothing) and ``d1`` to ``d{count}``, as the fold gives them.

    ``source`` has ``who``, ``by`` and ``x``: a moment in milliseconds, and below it a bit for each step and exclusion.
    ``window`` is in milliseconds.
    """
    width = count + excluded
    keys = f"who, {by}" if by else "who"
    # Equal events keep one place through all passes, so that none of them stands for two steps.
    place = f"row_number() OVER (PARTITION BY {keys} ORDER BY x)"
    placed = f"SELECT {keys}, x, (x >> {width}) AS t, {place} AS n FROM {source}"
    if order == "unordered":
        rows, reached = _unordered(placed, keys, count, window)
    else:
        rows, reached = _in_order(placed, keys, order == "strict", count, excluded, window)
    found = ", ".join(f"{sql} AS d{k}" for k, sql in enumerate(reached, 1))
    return f"SELECT {keys}, {found} FROM ({rows}) AS passed GROUP BY {keys}"


def _is(place: int) -> str:
    return f"(x & {1 << place}) <> 0"


def _in_order(
    placed: str, keys: str, strict: bool, count: int, excluded: int, window: int
) -> tuple[str, list[str]]:
    parts, broken = keys, " OR ".join(_is(count + place) for place in range(excluded))
    if broken:
        ended = f"sum(CASE WHEN {broken} THEN 1 ELSE 0 END) OVER (PARTITION BY {keys} ORDER BY n {_SO_FAR})"
        placed, parts = f"SELECT *, {ended} AS stretch FROM ({placed}) AS placed", f"{keys}, stretch"
    rows = f"SELECT *, CASE WHEN {_is(0)} THEN t END AS s1 FROM ({placed}) AS pass_1"
    reached = ["max(CASE WHEN s1 IS NOT NULL THEN CAST(0 AS BIGINT) END)"]
    for k in range(2, count + 1):
        known = f"lag(s{k - 1})" if strict else f"max(s{k - 1})"
        frame = "" if strict else f" {_BEFORE}"
        rows = f"SELECT *, {known} OVER (PARTITION BY {parts} ORDER BY n{frame}) AS b{k} FROM ({rows}) AS before_{k}"
        inside = f"{_is(k - 1)} AND t - b{k} <= {window}"
        rows = f"SELECT *, CASE WHEN {inside} THEN b{k} END AS s{k} FROM ({rows}) AS pass_{k}"
        reached.append(f"arg_min(t - s{k}, n) FILTER (WHERE s{k} IS NOT NULL)")
    return rows, reached


def _unordered(placed: str, keys: str, count: int, window: int) -> tuple[str, list[str]]:
    numbers = range(1, count + 1)
    latest = ", ".join(
        f"max(CASE WHEN {_is(k - 1)} THEN t END) OVER (PARTITION BY {keys} ORDER BY n {_SO_FAR}) AS l{k}"
        for k in numbers
    )
    rows = f"SELECT *, {latest} FROM ({placed}) AS placed"
    many = " + ".join(f"CASE WHEN t - l{k} <= {window} THEN 1 ELSE 0 END" for k in numbers)
    oldest = ", ".join(f"CASE WHEN t - l{k} <= {window} THEN l{k} END" for k in numbers)
    rows = f"SELECT *, {many} AS many, t - least({oldest}) AS took FROM ({rows}) AS latest"
    return rows, [f"arg_min(took, n) FILTER (WHERE many >= {k})" for k in numbers]
