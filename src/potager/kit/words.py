"""Numbers, dates and changes as people say them, for every face: pages, mails, command line, assistants.

Units are short words: a currency code (``GBP``), ``%`` (already in percent), ``share`` (a fraction, said in percent),
``pp`` (percentage points), ``count`` or nothing (a bare number), and otherwise the noun that is counted (``days``,
``orders``). ``GBP per customer`` and ``GBP/customer`` say both. Missing numbers are said to be missing, never zero.
"""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

Number = int | float | Decimal

UNKNOWN = "unknown"
NBSP = "\u00a0"
MINUS = "\u2212"

CURRENCIES = {
    "GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥", "INR": "₹", "CHF": "CHF\u00a0", "SEK": "SEK\u00a0",
    "NOK": "NOK\u00a0", "DKK": "DKK\u00a0", "PLN": "PLN\u00a0", "CAD": "CA$", "AUD": "A$", "NZD": "NZ$", "BRL": "R$",
}  # fmt: skip
_PERCENT = {"%": 1.0, "percent": 1.0, "share": 100.0, "ratio": 100.0}
_BARE = {"", "count", "number", "index", "score"}
_SCALES = ((1e12, "tn"), (1e9, "bn"), (1e6, "m"), (1e3, "k"))
_ONE = {"people": "person", "children": "child", "indices": "index"}


def is_known(value: Number | None) -> bool:
    """Return whether there is a finite number at all."""
    return value is not None and math.isfinite(value)


def grouped(value: Number, decimals: int | None = None) -> str:
    """Return a number with thousands separated: ``1,234.5``. ``decimals`` None keeps what is needed, six at most."""
    text = f"{abs(value):,.{6 if decimals is None else decimals}f}"
    if decimals is None:
        text = text.rstrip("0").rstrip(".")
    return (MINUS if value < 0 and text.strip("0.,") else "") + text


def noun(count: Number, unit: str) -> str:
    """Return a counted noun in the number that fits: ``1 day``, ``4 days``. ``unit`` is given in the plural."""
    if abs(count) != 1:
        return unit
    if unit in _ONE:
        return _ONE[unit]
    if unit.endswith("ies") and len(unit) > 4:
        return unit[:-3] + "y"
    if unit.endswith(("sses", "xes", "ches", "shes")):
        return unit[:-2]
    return unit[:-1] if unit.endswith("s") and not unit.endswith("ss") else unit


_AFTER_HEAD = re.compile(r" (?:of|from|per|by|in|for|to|with|without|at|on) ")


def in_sentence(label: str) -> str:
    """Return a label as it stands within a sentence: ``active customers``; abbreviations keep their capitals."""
    return label if label[:2].isupper() else f"{label[:1].lower()}{label[1:]}"


def is_or_are(label: str, singular: str = "is", plural: str = "are") -> str:
    """Return the verb that fits a label: ``Active customers`` are, ``Share of orders`` is."""
    head = _AFTER_HEAD.split(label, maxsplit=1)[0]
    return plural if head.endswith("s") and not head.endswith(("ss", "us", "is")) else singular


def counted(count: int, unit: str) -> str:
    """Return a count with its noun: ``1 order``, ``4,339 customers``."""
    return f"{grouped(count)}{NBSP}{noun(count, unit)}"


def of_how_many(shown: int, total: int, unit: str = "") -> str:
    """Return ``20 of 4,339 customers``, or ``4,339 customers`` where all are shown."""
    what = f"{NBSP}{noun(total, unit)}" if unit else ""
    return f"{grouped(total)}{what}" if shown == total else f"{grouped(shown)} of {grouped(total)}{what}"


def human(value: Number | None, unit: str = "") -> str:
    """Return a number as people say it, three digits that matter: ``£1.06m``, ``37.1 %``, ``4 days``."""
    if value is None or not is_known(value):
        return UNKNOWN
    base, per = _split(unit)
    size = abs(float(value))
    if base in _PERCENT:
        return _signed_body(float(value) * _PERCENT[base], "", f"{NBSP}%") + per
    if base == "pp":
        return _signed_body(value, "", f"{NBSP}pp") + per
    if base in CURRENCIES:
        if 0.005 <= size < 100 and not size.is_integer() and base != "JPY":
            return exact(value, unit)
        return _signed_body(value, CURRENCIES[base], "", shorten_from=10_000) + per
    if base in _BARE:
        return _signed_body(value, "", "", shorten_from=1_000_000) + per
    body = _signed_body(value, "", "", shorten_from=1_000_000)
    return f"{body}{NBSP}{noun(1 if body == '1' else 2, base)}{per}"


def exact(value: Number | None, unit: str = "") -> str:
    """Return a number in full, for where the short form is not enough: ``£1,061,234.56``."""
    if value is None or not is_known(value):
        return UNKNOWN
    base, per = _split(unit)
    if base in _PERCENT:
        percent = float(value) * _PERCENT[base]
        # A hundredth of a percent is exact enough, except where there is less than that.
        text = grouped(percent, None if abs(percent) < 1 else 2)
        return f"{text.removesuffix('.00')}{NBSP}%{per}"
    if base == "pp":
        return f"{grouped(value)}{NBSP}pp{per}"
    if base in CURRENCIES:
        text = grouped(value, None if 0 < abs(float(value)) < 0.005 else 0 if base == "JPY" else 2)
        negative = text.startswith(MINUS)
        return f"{MINUS if negative else ''}{CURRENCIES[base]}{text.removeprefix(MINUS)}{per}"
    size = abs(float(value))
    # Averages are exact enough with five digits that matter.
    text = grouped(value, None if size.is_integer() or size < 1 else max(0, 4 - int(math.log10(size))))
    return f"{text}{per}" if base in _BARE else f"{text}{NBSP}{noun(value, base)}{per}"


def signed(value: Number | None, unit: str = "") -> str:
    """Return an amount of change with its sign: ``+£12.4k``, ``−3.1 %``; zero has none."""
    text = human(value, unit)
    return (
        f"+{text}"
        if value is not None and is_known(value) and value > 0 and any(map(str.isdigit, text))
        else text
    )


def column(values: Sequence[Number | None], unit: str = "", *, sign: bool = False) -> list[str]:
    """Return numbers as a column sets them: one scale and one count of decimals for all: ``£512.4k``, ``−£4.1k``."""
    base, per = _split(unit)
    factor = _PERCENT.get(base, 1.0)
    known = [abs(float(value)) * factor for value in values if value is not None and is_known(value)]
    largest = max(known, default=0.0)
    scale, name = _scale(largest) if base not in _PERCENT and base != "pp" else (1.0, "")
    whole = all(size == round(size) for size in known)
    places = 0 if scale == 1.0 and (whole or largest >= 1000) else 1 if largest / scale >= 10 else 2
    before = CURRENCIES.get(base, "")
    after = f"{NBSP}%" if base in _PERCENT else "" if before or base in _BARE else f"{NBSP}{base}"
    said = []
    for value in values:
        if value is None or not is_known(value):
            said.append(UNKNOWN)
            continue
        digits = grouped(abs(float(value)) * factor / scale, places)
        moved = any(figure in digits for figure in "123456789")
        mark = "" if not moved else MINUS if value < 0 else "+" if sign else ""
        said.append(f"{mark}{before}{digits}{name}{after}{per}")
    return said


def between(low: Number | None, high: Number | None, unit: str = "") -> str:
    """Return a range in words: ``between 4 and 9 %``; no finer than the range is wide deserves.

    A missing end is open: ``at least 4 %``, ``at most 9 %``.
    """
    low = low if is_known(low) else None
    high = high if is_known(high) else None
    if low is None or high is None:
        if low is None and high is None:
            return "range unknown"
        return f"at least {human(low, unit)}" if low is not None else f"at most {human(high, unit)}"
    low, high = min(low, high), max(low, high)
    base, per = _split(unit)
    factor = _PERCENT.get(base, 1.0)
    ends = _rounded_to_width(float(low) * factor, float(high) * factor)
    if ends[0] == ends[1]:
        return f"about {human(low, unit)}"
    if base in CURRENCIES:
        return f"between {_ends(*ends, CURRENCIES[base])}{per}"
    tail = f"{NBSP}%" if base in _PERCENT else "" if base in _BARE else f"{NBSP}{base}"
    return f"between {_ends(*ends, '')}{tail}{per}"


def change(ratio: Number | None) -> str:
    """Return a relative change in words: ``up 37 %``, ``down 4.2 %``, ``unchanged``."""
    if ratio is None or not is_known(ratio):
        return "change unknown"
    percent = abs(float(ratio)) * 100
    if percent < 0.05:
        return "unchanged"
    text = grouped(round(percent, 1 if percent < 10 else 0))
    return f"{'up' if ratio > 0 else 'down'} {text}{NBSP}%"


def day(value: date, today: date | None = None) -> str:
    """Return a day: ``9 December 2011``; the year is left out when it is this year's."""
    year = "" if today is not None and value.year == today.year else f" {value.year}"
    return f"{value.day} {value:%B}{year}"


def moment(value: datetime) -> str:
    """Return a moment in full, for the hover: ``Friday, 9 December 2011, 12:50 UTC``."""
    zone = value.tzname() or ""
    return f"{value:%A}, {day(value)}, {value:%H:%M} {zone}".strip()


def ago(value: date | datetime, now: datetime) -> str:
    """Return how far a moment or day is from ``now``, past or future: ``3 hours ago``, ``tomorrow``, ``on 9 March``.

    Beyond two weeks the day itself is said.
    """
    if isinstance(value, datetime):
        seconds = (now - value).total_seconds()
        size = abs(seconds)
        if size < 45:
            return "just now" if seconds >= 0 else "in a moment"
        if size < 3600:
            return _direction(counted(max(1, round(size / 60)), "minutes"), seconds)
        here = value.astimezone(now.tzinfo) if now.tzinfo else value
        if here.date() == now.date() or size < 6 * 3600:
            return _direction(counted(round(size / 3600), "hours"), seconds)
        value = here.date()
    days = (now.date() - value).days
    named = {0: "today", 1: "yesterday", -1: "tomorrow"}.get(days)
    if named:
        return named
    if abs(days) <= 14:
        return _direction(counted(abs(days), "days"), days)
    return f"on {day(value, now.date())}"


def period(first: date, last: date) -> str:
    """Return a stretch of whole days (both ends in it) by its name: ``November 2011``, ``1 to 9 December 2011``."""
    if first > last:
        first, last = last, first
    if first == last:
        return day(first)
    ends_month = last.day == monthrange(last.year, last.month)[1]
    if first.day == 1 and ends_month and first.year == last.year:
        months = (first.month, last.month)
        if months == (1, 12):
            return str(first.year)
        if months[0] == months[1]:
            return f"{first:%B} {first.year}"
        if months[1] - months[0] == 2 and months[0] % 3 == 1:
            return f"Q{(months[0] + 2) // 3} {first.year}"
        return f"{first:%B} to {last:%B} {first.year}"
    if first.year != last.year:
        return f"{day(first)} to {day(last)}"
    if first.month != last.month:
        return f"{first.day} {first:%B} to {day(last)}"
    return f"{first.day} to {day(last)}"


def duration(length: timedelta | Number) -> str:
    """Return how long something took, in two units at most: ``340 ms``, ``2 min 5 s``, ``4 days 6 h``."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    if seconds < 0:
        return MINUS + duration(-seconds)
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}{NBSP}ms"
    if seconds < 9.95:
        return f"{seconds:.1f}".rstrip("0").rstrip(".") + f"{NBSP}s"
    whole = round(seconds)
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [counted(days, "days")] if days else []
    parts += [f"{size}{NBSP}{unit}" for size, unit in ((hours, "h"), (minutes, "min"), (left, "s")) if size]
    return " ".join(parts[:2])


def file_size(count: int) -> str:
    """Return a size in bytes, in steps of a thousand: ``840 bytes``, ``1.2 MB``."""
    if count < 1000:
        return counted(count, "bytes")
    for scale, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= scale * 0.9995:
            return f"{_digits(count / scale)}{NBSP}{name}"
    return f"1{NBSP}kB"


def listing(items: list[str], joint: str = "and") -> str:
    """Return items as a sentence lists them: ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {joint} {items[-1]}"


def _split(unit: str) -> tuple[str, str]:
    """Return the unit and its ``per …`` tail."""
    for mark in (" per ", "/"):
        head, found, tail = unit.partition(mark)
        if found:
            return head.strip(), f" per {tail.strip()}"
    return unit.strip(), ""


def _digits(value: float) -> str:
    """Return three digits that matter, without trailing zeros."""
    size = abs(value)
    if size == 0:
        return "0"
    decimals = min(12, max(0, 2 - math.floor(math.log10(size))))
    text = f"{size:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _signed_body(value: Number, before: str, after: str, *, shorten_from: float = math.inf) -> str:
    """Return sign, symbol, digits, scale and tail of a number."""
    size = abs(float(value))
    text = _digits(size)
    if size >= shorten_from:
        for scale, name in _SCALES:
            if size >= scale * 0.9995:
                text = _digits(size / scale) + name
                break
    elif size >= 100:
        text = f"{size:,.0f}"
    sign = MINUS if value < 0 and text != "0" else ""
    return f"{sign}{before}{text}{after}"


def _rounded_to_width(low: float, high: float) -> tuple[float, float]:
    """Return both ends rounded to the power of ten that a quarter of the width still shows."""
    if high == low:
        return low, high
    step = 10.0 ** math.floor(math.log10((high - low) / 4)) if high - low > 1e-300 else 1.0
    places = -math.floor(math.log10(step))
    return round(low, places), round(high, places)


def _ends(low: float, high: float, symbol: str) -> str:
    """Return both ends of a range on one scale: the largest that does not blur a narrow range."""
    largest, _ = _scale(max(abs(low), abs(high)))
    scales = [(size, word) for size, word in (*_SCALES, (1.0, "")) if size <= largest]
    # Numbers have six decimals at most, so a step of the range must be more than a millionth of the scale.
    finest = (high - low) / 20 * 1e6
    scale, name = next(((size, word) for size, word in scales if size <= finest), scales[-1])
    return " and ".join(
        f"{MINUS if end < 0 else ''}{symbol}{grouped(abs(end) / scale)}{name if end else ''}"
        for end in (low, high)
    )


def _scale(largest: float) -> tuple[float, str]:
    """Return the scale on which numbers up to ``largest`` are said together."""
    reached = [found for found in _SCALES if largest >= 10_000 and largest >= found[0] * 0.9995]
    return reached[0] if reached else (1.0, "")


def _direction(length: str, sign: float) -> str:
    """Return a length of time as past or future."""
    return f"{length} ago" if sign >= 0 else f"in {length}"
