"""What the lake knows of accounts: revenue by month where ``revenue.months`` is, and events where a table has them.

Plain SQL over tables that may not be there; a context that knows better (which stream counts, whose book) registers a
reader with :func:`register_usage`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from potager.ground.lake.service import warehouse

MONTHS = "revenue.months"
_NEEDED = {"month", "customer", "end_cents"}
_WEEKS = 13


@dataclass(frozen=True, slots=True)
class Strip:
    """A measure of one account over time: the first day of each period, and its value (None: not known)."""

    title: str
    unit: str
    periods: tuple[date, ...]
    values: tuple[float | None, ...]
    partial: bool = False
    source: str = ""

    @property
    def latest(self) -> float | None:
        """Return the value of the last whole period."""
        whole = self.values[:-1] if self.partial else self.values
        return whole[-1] if whole else None


def months_back(day: date, months: int) -> date:
    """Return the first day of the month that lies ``months`` before the month of ``day``."""
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


Reader = Callable[[Sequence[str], date], Strip | None]
_USAGE: list[Reader] = []


def register_usage(reader: Reader) -> None:
    """Let ``reader(keys of one account, today)`` say how it uses the product, before any table is guessed at."""
    if reader not in _USAGE:
        _USAGE.append(reader)


def has_revenue() -> bool:
    """Return whether the lake knows revenue by account."""
    return bool(_revenue_columns())


def _revenue_columns() -> frozenset[str]:
    found = warehouse().tables().get(MONTHS)
    names = frozenset(found.schema.names) if found is not None else frozenset()
    return names if names >= _NEEDED else frozenset()


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _texts(values: Sequence[str]) -> str:
    return ", ".join(_text(value) for value in values)


def _of_one_book(names: frozenset[str]) -> str:
    """Return a condition that keeps one book and one policy, the first by name: two of them would count twice."""
    parts = [
        f"{name} = (SELECT MIN({name}) FROM {MONTHS})"  # noqa: S608 - a column of ours
        for name in ("book",)
        if name in names
    ]
    if "policy" in names:
        where = f" WHERE {parts[0]}" if parts else ""
        parts.append(f"policy = (SELECT MIN(policy) FROM {MONTHS}{where})")  # noqa: S608 - columns of ours
    return " AND ".join(["TRUE", *parts])


def revenue_of(keys: Sequence[str], today: date, *, months: int = 24) -> Strip | None:
    """Return what an account paid by month (recurring, at the month's end); None where the lake does not say."""
    names = _revenue_columns()
    if not names or not keys:
        return None
    currency = "MIN(currency)" if "currency" in names else "''"
    first = months_back(today, months - 1)
    sql = (
        f"SELECT CAST(month AS DATE) AS month, SUM(end_cents) / 100.0 AS amount, {currency} AS currency "  # noqa: S608
        f"FROM {MONTHS} WHERE customer IN ({_texts(keys)}) AND {_of_one_book(names)} "
        f"AND CAST(month AS DATE) BETWEEN DATE '{first}' AND DATE '{today}' GROUP BY 1 ORDER BY 1"
    )
    rows = warehouse().query(sql).table
    if not rows.num_rows:
        return None
    periods: list[Any] = rows["month"].to_pylist()
    values: list[Any] = rows["amount"].cast(pa.float64()).to_pylist()
    unit = str(rows["currency"][0].as_py() or "")
    return Strip("Monthly recurring revenue", unit, tuple(periods), tuple(values), source=MONTHS)


def revenue_as_of(keys: Sequence[str], day: date) -> Mapping[str, tuple[float, str]]:
    """Return, per account that paid, its monthly recurring revenue and currency as they stood before ``day``.

    The month that ``day`` lies in is not over, so the latest month that ended on or before ``day`` counts. Accounts the
    book does not know are left out: missing is not zero.
    """
    names = _revenue_columns()
    if not names or not keys:
        return {}
    currency = "MIN(currency)" if "currency" in names else "''"
    month = months_back(day + timedelta(days=1), 1)
    sql = (
        f"SELECT customer, SUM(end_cents) / 100.0 AS amount, {currency} AS currency FROM {MONTHS} "  # noqa: S608
        f"WHERE CAST(month AS DATE) = DATE '{month}' AND {_of_one_book(names)} "
        f"AND customer IN ({_texts(keys)}) GROUP BY 1"
    )
    rows = warehouse().query(sql).table.to_pylist()
    return {str(row["customer"]): (float(row["amount"]), str(row["currency"] or "")) for row in rows}


def usage_of(keys: Sequence[str], today: date) -> Strip | None:
    """Return how much an account used the product by week; None where no table of the lake says."""
    for reader in _USAGE:
        found = reader(keys, today)
        if found is not None:
            return found
    return _events_of(keys, today)


def _events_of(keys: Sequence[str], today: date) -> Strip | None:
    table = _event_table()
    if table is None:
        return None
    name, account, time = table
    monday = today - timedelta(days=today.weekday())
    first = monday - timedelta(weeks=_WEEKS - 1)
    sql = (
        f"SELECT CAST(date_trunc('week', {time}) AS DATE) AS week, COUNT(*) AS events FROM {name} "  # noqa: S608
        f"WHERE {account} IN ({_texts(keys)}) AND {time} >= TIMESTAMP '{first} 00:00:00' "
        f"AND {time} < TIMESTAMP '{today + timedelta(days=1)} 00:00:00' GROUP BY 1 ORDER BY 1"
    )
    rows = warehouse().query(sql).table
    if not rows.num_rows:
        return None
    counted: dict[Any, Any] = dict(zip(rows["week"].to_pylist(), rows["events"].to_pylist(), strict=True))
    weeks = tuple(first + timedelta(weeks=n) for n in range(_WEEKS))
    # The stream is here, so a week without events is a zero, not unknown.
    values = tuple(float(counted.get(week, 0)) for week in weeks)
    return Strip("Events by week", "events", weeks, values, partial=True, source=name)


def _event_table() -> tuple[str, str, str] | None:
    """Return a table that reads like events of accounts: its name, its column of accounts and of times."""
    for name, info in sorted(warehouse().tables().items()):
        columns = {field.name: field.type for field in info.schema}
        account = next((found for found in ("account", "account_id") if found in columns), None)
        time = next((found for found in ("occurred_at", "time", "timestamp", "at") if found in columns), None)
        if (
            account
            and time
            and "event" in columns
            and pa.types.is_string(columns[account])
            and pa.types.is_timestamp(columns[time])
        ):
            return name, account, time
    return None
