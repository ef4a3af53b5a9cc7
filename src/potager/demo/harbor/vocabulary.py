"""The words in Harbor's tables. Inside the generator a word is its place in its list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

PLATFORMS = ("android", "ios", "web")
PLATFORM_SHARES = (0.48, 0.34, 0.18)
COUNTRIES = ("Germany", "France", "Netherlands", "Spain", "Ireland")
COUNTRY_SHARES = (0.34, 0.24, 0.18, 0.15, 0.09)
CHANNELS = ("organic", "partner", "ads", "referral")
CHANNEL_SHARES = (0.40, 0.22, 0.26, 0.12)
INDUSTRIES = ("professional services", "trades", "shops and food", "online retail", "health", "transport")
INDUSTRY_SHARES = (0.27, 0.22, 0.19, 0.15, 0.10, 0.07)
SIZES = ("1 person", "2 to 9", "10 to 49", "50 and more")
SIZE_SHARES = (0.46, 0.38, 0.13, 0.03)
PLANS = ("Start", "Team", "Scale")
PLAN_FEES = (0, 1_900, 5_900)
"""Cents a month."""
KINDS = ("subscription", "card", "transfer")
AGES = ("first 30 days", "later")
EVENTS = ("signed in", "looked at balance", "sent a transfer", "paid by card", "made an invoice", "exported")
EVENT_SHARES = (0.34, 0.26, 0.14, 0.14, 0.08, 0.04)
WEB = PLATFORMS.index("web")


def choose(random: np.random.Generator, shares: Sequence[float], count: int) -> NDArray[np.int8]:
    """Return ``count`` words, as places in their list, drawn with these shares."""
    edges = np.cumsum(shares)[:-1]
    return np.searchsorted(edges, random.random(count), side="right").astype(np.int8)


def words(values: Sequence[str], codes: NDArray[np.int8] | NDArray[np.int64]) -> pa.Array[Any]:
    """Return the words that ``codes`` stand for."""
    return pa.array(np.array(values, dtype=object)[codes], type=pa.string())
