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
CURRENCIES = ("EUR", "GBP", "USD", "CHF")
USUAL_RATES = {"GBP": 1.17, "USD": 0.92, "CHF": 1.04}
"""Euros that one of a foreign currency usually is."""
SEAT_PRICES = ((0, 0, 0, 0), (1_900, 1_700, 2_100, 1_900), (5_900, 5_200, 6_500, 5_900))
"""Minor units a seat and month, by plan and currency, before the price rise."""
BILLED_ABROAD = {
    "Dublin": (0.25, 0.12, 0.0),
    "Cork": (0.30, 0.05, 0.0),
    "Galway": (0.35, 0.05, 0.0),
    "Limerick": (0.30, 0.05, 0.0),
    "Munich": (0.0, 0.02, 0.30),
    "Amsterdam": (0.05, 0.12, 0.0),
    "Rotterdam": (0.08, 0.06, 0.0),
    "Berlin": (0.01, 0.06, 0.02),
    "Paris": (0.02, 0.05, 0.04),
    "Lyon": (0.0, 0.01, 0.15),
}
"""Shares of a region's accounts that are billed in pounds, dollars and francs, as they trade across a border."""
KINDS = ("subscription", "card", "transfer")
AGES = ("first 30 days", "later")
EVENTS = ("signed in", "looked at balance", "sent a transfer", "paid by card", "made an invoice", "exported")
EVENT_SHARES = (0.34, 0.26, 0.14, 0.14, 0.08, 0.04)
_SCREENS = (
    # what happens around those, how often, and what it suggests next
    ("opened the app", 0.0, "viewed the home screen"),
    ("viewed the home screen", 0.30, "viewed transactions"),
    ("viewed transactions", 0.22, "viewed a payment"),
    ("viewed a payment", 0.14, "viewed transactions"),
    ("searched", 0.08, "viewed a payment"),
    ("viewed cards", 0.07, "viewed a card's limits"),
    ("viewed a card's limits", 0.03, "viewed cards"),
    ("viewed invoices", 0.06, "viewed the home screen"),
    ("opened a notification", 0.05, "viewed transactions"),
    ("downloaded a statement", 0.02, "viewed transactions"),
    ("changed settings", 0.012, "viewed the home screen"),
    ("read a help page", 0.01, "searched"),
    ("contacted support", 0.004, "read a help page"),
    ("froze a card", 0.002, "contacted support"),
    ("unfroze a card", 0.002, "viewed cards"),
    ("signed out", 0.0, "opened the app"),
)
SCREENS = tuple(name for name, _, _ in _SCREENS)
SCREEN_SHARES = tuple(share for _, share, _ in _SCREENS)
SUGGESTED = tuple(SCREENS.index(after) for _, _, after in _SCREENS)
"""For each screen, the place of the one that it suggests next."""
EVERY_EVENT = EVENTS + SCREENS
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
    if not len(numbers):  # numpy fills no empty array with zeros
        return pa.array([], type=pa.string())
    return pa.array(np.char.add("acct-", np.char.zfill((numbers + 1).astype(str), 5)), type=pa.string())


def words(values: Sequence[str], codes: NDArray[np.int8] | NDArray[np.int64]) -> pa.Array[Any]:
    """Return the words that ``codes`` stand for."""
    return pa.array(np.array(values, dtype=object)[codes], type=pa.string())


def taken(values: pa.Array[Any], codes: NDArray[np.int8] | NDArray[np.int64]) -> pa.Array[Any]:
    """Return the values at the places ``codes``: :func:`words` for very many rows."""
    places: pa.Array[Any] = pa.array(codes)
    return values.take(places)
