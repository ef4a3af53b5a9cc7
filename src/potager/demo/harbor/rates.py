"""Exchange rates into euros: a slow random walk by day, simulated like everything else of Harbor."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from potager.demo.harbor import vocabulary
from potager.demo.harbor.calendar import Calendar
from potager.demo.harbor.chance import stream
from potager.demo.harbor.vocabulary import words

DAILY = 0.0025
"""Standard deviation of a day's change, as a share."""
PULL = 0.004
"""Share of the way back to the usual rate that a day goes, so that no rate wanders off."""
PLACES = 4


def rates_table(calendar: Calendar) -> pa.Table:
    """Return one row per day and foreign currency: how many euros one of it is, to four decimals."""
    usual = np.log(np.array(list(vocabulary.USUAL_RATES.values())))
    shocks = stream("rates").normal(0.0, DAILY, (calendar.days, len(usual)))
    # A pulled walk in closed form: each day's distance from the usual rate is the decayed sum of all shocks so far.
    kept = (1.0 - PULL) ** np.arange(calendar.days)[:, None]
    away = np.cumsum(shocks / kept, axis=0) * kept
    rate = np.round(np.exp(usual + away), PLACES)
    day, currency = np.divmod(np.arange(rate.size), len(usual))
    return pa.table(
        {
            "day": calendar.dates(day),
            "currency": words(list(vocabulary.USUAL_RATES), currency),
            "rate": pa.array(rate.ravel()),
        }
    )
