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
REGIONS_OF_A_COUNTRY = (
    ("Berlin", "Hamburg", "Munich", "Cologne"),
    ("Paris", "Lyon", "Lille", "Nantes"),
    ("Amsterdam", "Rotterdam", "Utrecht", "Eindhoven"),
    ("Madrid", "Barcelona", "Valencia", "Seville"),
    ("Dublin", "Cork", "Galway", "Limerick"),
)
REGIONS = tuple(region for several in REGIONS_OF_A_COUNTRY for region in several)
"""Four to a country, in the countries' order."""
REGION_SHARES = (0.4, 0.25, 0.2, 0.15)
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


FIRST_WORDS = (
    "Amber", "Anker", "Birch", "Blue", "Bright", "Cedar", "Clear", "Copper", "Corner", "Delta", "Elm", "Ember",
    "Field", "Fjord", "Gold", "Green", "Grove", "Hazel", "Hill", "Ivory", "Juniper", "Lake", "Lark", "Linden",
    "Maple", "Marsh", "Meadow", "North", "Oak", "Olive", "Opal", "Orchard", "Pine", "Quay", "Raven", "River",
    "Robin", "Rose", "Sand", "Silver", "Sky", "Slate", "South", "Spruce", "Stone", "Swift", "Thistle", "Tidal",
    "Vale", "Violet", "West", "Willow", "Winter", "Yarrow",
)  # fmt: skip
TRADES = (
    ("Advisors", "Partners", "Studio", "Consulting", "Legal"),
    ("Builders", "Carpentry", "Electric", "Roofing", "Plumbing"),
    ("Bakery", "Coffee", "Kitchen", "Market", "Wines"),
    ("Goods", "Outfitters", "Supply", "Store", "Press"),
    ("Clinic", "Dental", "Physio", "Care", "Pharmacy"),
    ("Couriers", "Freight", "Movers", "Taxis", "Logistics"),
)
"""Second words of a business's name, by industry."""


def account_keys(numbers: NDArray[np.int64]) -> pa.Array[Any]:
    """Return the keys of accounts by their numbers from 0, such as ``acct-00042``."""
    return pa.array(np.char.add("acct-", np.char.zfill((numbers + 1).astype(str), 5)), type=pa.string())


def words(values: Sequence[str], codes: NDArray[np.int8] | NDArray[np.int64]) -> pa.Array[Any]:
    """Return the words that ``codes`` stand for."""
    return pa.array(np.array(values, dtype=object)[codes], type=pa.string())
