"""The one clock. Tests hold it with :func:`held`; everything else asks it for the time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_held: ContextVar[datetime | None] = ContextVar("held_clock", default=None)


def now() -> datetime:
    """Return the present moment, in UTC and time-zone aware."""
    return _held.get() or datetime.now(UTC)  # noqa: TID251 - the one place that may


def today(zone: str = "UTC") -> date:
    """Return the present day where ``zone`` is."""
    return now().astimezone(ZoneInfo(zone)).date()


@contextmanager
def held(moment: datetime) -> Iterator[None]:
    """Hold the clock at ``moment`` inside the block."""
    token = _held.set(moment)
    try:
        yield
    finally:
        _held.reset(token)
