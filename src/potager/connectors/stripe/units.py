"""Money in minor units, days in UTC and billing intervals, out of the ways in which files write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from potager.engines.finance import Interval
from potager.engines.finance.intervals import Unit
from potager.kit.currencies import digits

# Where Stripe's API counts in other units than ISO 4217 (docs.stripe.com/currencies, zero-decimal and special cases).
_DIGITS_IN_THE_API = {"ISK": 2, "UGX": 2, "MGA": 0}

_UNITS: dict[str, tuple[int, Unit]] = {
    "day": (1, "day"), "daily": (1, "day"), "d": (1, "day"),
    "week": (1, "week"), "weekly": (1, "week"), "w": (1, "week"),
    "biweekly": (2, "week"), "fortnight": (2, "week"), "fortnightly": (2, "week"),
    "month": (1, "month"), "monthly": (1, "month"), "m": (1, "month"), "mo": (1, "month"),
    "quarter": (3, "month"), "quarterly": (3, "month"),
    "halfyear": (6, "month"), "halfyearly": (6, "month"), "semiannual": (6, "month"), "semiannually": (6, "month"),
    "biannual": (6, "month"),
    "year": (1, "year"), "yearly": (1, "year"), "y": (1, "year"), "yr": (1, "year"), "annual": (1, "year"),
    "annually": (1, "year"),
}  # fmt: skip
_NEVER, _YEARS = 9000, (1900, 2200)
_MOST_PERIODS = 1200


class RefusedError(ValueError):
    """A record that is set aside: ``because`` says what is wrong, ``mend`` how to mend it."""

    def __init__(self, because: str, mend: str) -> None:
        super().__init__(because)
        self.because, self.mend = because, mend


def currency_of(value: Any) -> str:
    """Return a currency's code in capitals. Raises :class:`RefusedError` where there is none."""
    text = str(value or "").strip().upper()
    if not re.fullmatch(r"[A-Z]{3}", text):
        raise RefusedError(
            f"Its currency is '{text}', which is no code of three letters."
            if text
            else "It has no currency.",
            "Write the code of ISO 4217, such as EUR.",
        )
    return text


def api_minor(value: Any, currency: str) -> Fraction:
    """Return an amount of Stripe's API (an integer, or a decimal text of the smallest unit) in minor units."""
    minor, in_the_api = digits(currency), _DIGITS_IN_THE_API.get(currency, digits(currency))
    return number(value) * Fraction(10) ** (minor - in_the_api)


def major_to_minor(value: Any, currency: str) -> Fraction:
    """Return a decimal amount in whole units of the currency as minor units: 19.99 EUR is 1999."""
    return number(value) * Fraction(10) ** digits(currency)


def number(value: Any) -> Fraction:
    """Return a number exactly; ``1,234.50``, ``1.234,50``, ``$1,234.50`` and ``1234.5`` are read alike.

    Raises :class:`RefusedError` for a text that is no number. A lone comma or point before exactly three digits is
    read as a decimal mark when it is a point and as a thousands mark when it is a comma.
    """
    if isinstance(value, bool) or value is None:
        raise _no_number(value)
    if isinstance(value, int):
        return Fraction(value)
    text = re.sub(r"[\s'\u00a0\u202f€$£¥]|[A-Za-z]{3}$|^[A-Za-z]{3}", "", str(value))
    comma, point = text.rfind(","), text.rfind(".")
    if comma > point and (point >= 0 or not re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+", text)):
        text = text.replace(".", "").replace(",", ".")
    else:
        text = text.replace(",", "")
    if not re.fullmatch(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})", text):
        raise _no_number(value)
    return Fraction(text.rstrip(".") if text.endswith(".") else text)


def whole_number(value: Any, what: str) -> int:
    """Return a whole number; ``what`` names it in the sentence of :class:`RefusedError`."""
    found = number(value)
    if found.denominator != 1:
        raise RefusedError(f"Its {what} is {value}, which is no whole number.", f"Write a whole {what}.")
    return int(found)


def day_at(value: Any) -> date | None:
    """Return the UTC day of a Unix time in seconds (Stripe's way) or of an ISO 8601 text; None for nothing."""
    found = time_at(value)
    return None if found is None else found.date()


def time_at(value: Any) -> datetime | None:
    """Return the UTC time of a Unix time in seconds or of an ISO 8601 text; None for nothing.

    A text without a zone is UTC, and the years from 9000 on are how tools write "never". Raises
    :class:`RefusedError` for what is no time, and for one outside of 1900 to 2200.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            found = datetime.fromtimestamp(value, UTC)
        elif re.fullmatch(r"\d{9,11}", text := str(value).strip().removesuffix(" UTC")):
            found = datetime.fromtimestamp(int(text), UTC)
        else:
            found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as error:
        raise RefusedError(
            f"'{value}' is no time that can be read.",
            "Write it as 2026-11-23 or 2026-11-23 14:05, in UTC.",
        ) from error
    if found.year >= _NEVER:
        return None
    if not _YEARS[0] <= found.year <= _YEARS[1]:
        raise RefusedError(
            f"'{value}' is in the year {found.year}.", "Check the date; its year is not likely."
        )
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def interval_of(unit: Any, count: Any = None) -> Interval:
    """Return an interval of a word (``month``, ``yearly``, ``3 months``) and a count (1 where there is none).

    Raises :class:`RefusedError` for a word that is none and for a count below 1.
    """
    text = re.sub(r"^(every|per|each)\s+|[\s_-]+$", "", str(unit or "").strip().lower())
    found = re.fullmatch(r"(?:(\d{1,4})\s*x?\s*)?([a-z -]+?)(?:\(s\))?", text)
    word = re.sub(r"[ -]", "", found[2]) if found else ""
    known = _UNITS.get(word) or _UNITS.get(word.removesuffix("s"))
    if found is None or known is None:
        said = f"Its billing interval is '{unit}', which is none that is known." if unit else ""
        raise RefusedError(said or "It has no billing interval.", "Write day, week, month or year.")
    times = int(found[1] or 1) * (whole_number(count, "interval count") if count not in (None, "") else 1)
    if times > _MOST_PERIODS:
        raise RefusedError(f"Its billing interval is {times} {known[1]}s.", "Check the interval's count.")
    if times < 1:
        raise RefusedError(f"Its billing interval is {times} {known[1]}s, which is none.", "Write 1 or more.")
    return Interval(known[0] * times, known[1])


def _no_number(value: Any) -> RefusedError:
    said = "An amount is missing." if value in (None, "") else f"'{value}' is no number."
    return RefusedError(said, "Write the number with digits, such as 1234.50.")
