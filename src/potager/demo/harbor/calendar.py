"""Days, counted from the first one: weekdays, seasons, growth, releases of the app."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from potager.demo.harbor.truth import BROKEN_VERIFICATION

Whole = NDArray[np.int64]
Real = NDArray[np.float64]

DAYS = 3 * 365 + 1
SECONDS = 86_400
RELEASE_EVERY = 73
"""Days between releases of the app, five a year."""
RELEASES = 15
_BY_WEEKDAY = np.array([1.15, 1.2, 1.15, 1.1, 1.0, 0.55, 0.5])
_BY_MONTH = np.array([1.05, 1.02, 1.03, 1.0, 1.0, 0.98, 0.97, 0.95, 1.02, 1.03, 1.02, 0.97])


@dataclass(frozen=True, slots=True)
class Calendar:
    """``days`` days, the last of them ``through``; a day is its number, the first is 0."""

    through: date
    days: int = DAYS

    @property
    def first(self) -> date:
        """Return the first day."""
        return self.through - timedelta(days=self.days - 1)

    @property
    def _all(self) -> NDArray[np.datetime64]:
        return np.datetime64(self.first) + np.arange(self.days).astype("timedelta64[D]")

    @property
    def weekdays(self) -> Whole:
        """Return the weekday of every day, Monday 0."""
        return ((self._all.astype(np.int64) + 3) % 7).astype(np.int64)

    @property
    def busyness(self) -> Real:
        """Return how busy every day is for a bank of small businesses: by weekday and by month, about 1."""
        months = self._all.astype("datetime64[M]").astype(np.int64) % 12
        return np.asarray(_BY_WEEKDAY[self.weekdays] * _BY_MONTH[months], dtype=np.float64)

    @property
    def demand(self) -> Real:
        """Return how many apply on every day, relative to each other: almost five times as many at the end."""
        return np.asarray(np.linspace(0.35, 1.65, self.days) * self.busyness, dtype=np.float64)

    def releases(self) -> tuple[Whole, list[str]]:
        """Return the days on which the versions of the app came out, oldest first, and the versions.

        The last one is the planted one; the first was out before the first day.
        """
        last = self.days - BROKEN_VERIFICATION.days_before_the_end
        count = max(RELEASES, last // RELEASE_EVERY + 2)
        out = last - RELEASE_EVERY * np.arange(count - 1, -1, -1)
        major, minor = (int(part) for part in BROKEN_VERIFICATION.app_version.split("."))
        newest = major * 10 + minor
        return out.astype(np.int64), [
            f"{number // 10}.{number % 10}" for number in range(newest - count + 1, newest + 1)
        ]

    def dates(self, day: Whole, *, known: NDArray[np.bool_] | None = None) -> pa.Array[Any]:
        """Return dates; null where it is not ``known``."""
        dates = np.datetime64(self.first, "D") + day.astype("timedelta64[D]")
        return pa.array(dates, type=pa.date32(), mask=None if known is None else ~known)

    def moments(self, second: Whole, *, known: NDArray[np.bool_] | None = None) -> pa.Array[Any]:
        """Return timestamps from seconds since the first day began; null where it is not ``known``."""
        moments = np.datetime64(self.first, "us") + (second * 1_000_000).astype("timedelta64[us]")
        return pa.array(moments, type=pa.timestamp("us"), mask=None if known is None else ~known)
