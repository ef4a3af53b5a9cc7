"""What is planted in Harbor. Only the generator and the tests read this; answers have to find it in the data.

Everything else that looks like a difference between segments is chance, except where it is written down here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Bet:
    """What a bet does to the fees of one kind: ``lift`` as a share of what they would have been, 0 for nothing.

    ``launch`` and ``late`` are days: before the end, and from the launch to the first effect. An ``experiment`` reaches
    a random half of the accounts that are there at the launch, ``regions`` all accounts of these (each from so many
    days after the launch on), and otherwise everybody.
    """

    key: str
    kind: str
    lift: float
    launch: int
    late: int = 0
    experiment: bool = False
    regions: Mapping[str, int] = field(default_factory=dict)


BETS = (
    Bet("instant-transfers", "transfer", 0.12, 270, experiment=True),
    Bet("card-nudges", "card", 0.0, 240, experiment=True),
    Bet(
        "card-surcharge",
        "card",
        -0.15,
        320,
        regions=MappingProxyType(
            dict.fromkeys(("Madrid", "Valencia", "Lyon", "Utrecht", "Cork", "Hamburg"), 0)
        ),
    ),
    Bet(
        "payment-runs",
        "transfer",
        0.10,
        210,
        regions=MappingProxyType(
            {
                "Berlin": 0,
                "Paris": 0,
                "Dublin": 0,
                "Rotterdam": 0,
                "Barcelona": 42,
                "Munich": 42,
                "Lille": 42,
                "Galway": 42,
            }
        ),
    ),
    Bet("new-receipts", "card", 0.30, 200, late=75),
    Bet("friendlier-statements", "transfer", 0.0, 120),
)
"""Two do nothing, one hurts, two move the same fees, one is large and late; the last cannot be told by its design."""
