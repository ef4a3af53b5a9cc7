"""Stripe and any table of subscriptions as a source of the finance engine's terms, and files of currency rates.

``recognize`` says what a file holds; ``read`` turns it into ``Reading.terms`` (columns: ``TERMS_SCHEMA``), with every
record used, repeated, passed over or set aside with its line, the reason and a mend. ``read_rates`` reads currency
rates. Nothing is fetched: files come from Stripe's API, its events, its Dashboard's exports, or elsewhere.
"""

from potager.connectors.stripe.columns import ROLES, guessed
from potager.connectors.stripe.rates import RATES_SCHEMA, read_rates
from potager.connectors.stripe.reading import read
from potager.connectors.stripe.recognizing import recognize
from potager.connectors.stripe.shapes import REJECTS_SCHEMA, TERMS_SCHEMA, Kind, Reading

__all__ = [
    "RATES_SCHEMA", "REJECTS_SCHEMA", "ROLES", "TERMS_SCHEMA", "Kind", "Reading", "guessed", "read", "read_rates",
    "recognize",
]  # fmt: skip
