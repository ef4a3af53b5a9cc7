"""What is planted in Harbor. Only the generator and the tests read this; answers have to find it in the data.

Everything else that looks like a difference between segments is chance, except where it is written down here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Cause:
    """A version of the app that breaks the identity check on one platform, from a day near the end on.

    ``verified_before`` and ``verified_after`` are the shares of applications that pass the check, there and only there;
    ``days_before_the_end`` counts the days on which the version is out, the last day included.
    """

    platform: str
    app_version: str
    days_before_the_end: int
    verified_before: float
    verified_after: float


BROKEN_VERIFICATION = Cause("android", "7.4", 42, 0.86, 0.32)

APPROVED = 0.88
"""Share of verified applications that the bank accepts, whatever the segment."""

FUNDED_BY_CHANNEL: Mapping[str, float] = MappingProxyType(
    {"organic": 0.78, "partner": 0.86, "ads": 0.62, "referral": 0.80}
)
"""Share of opened accounts that make a first deposit: the channels do differ."""

USE_BY_PLAN: Mapping[str, float] = MappingProxyType({"Start": 1.0, "Team": 1.7, "Scale": 2.4})
"""How much more an account pays for cards and transfers by its plan."""
