"""Dates as people write them: formats, which of them a text may be, and which order of day and month they claim."""

from __future__ import annotations

import re
from functools import lru_cache

_DIRECTIVES = {
    "d": r"\d{1,2}", "m": r"\d{1,2}", "Y": r"\d{4}", "y": r"\d{2}", "b": r"[A-Za-z]{3}", "B": r"[A-Za-z]{3,9}",
    "H": r"\d{1,2}", "I": r"\d{1,2}", "M": r"\d{2}", "S": r"\d{2}", "f": r"\d{1,6}", "p": r"[AaPp][Mm]",
}  # fmt: skip
_TIMES = (
    "",
    " %H:%M",
    " %H:%M:%S",
    " %H:%M:%S.%f",
    " %I:%M %p",
    " %I:%M:%S %p",
    " %I:%M%p",
    ", %H:%M",
    ", %H:%M:%S",
)
_NUMERIC = tuple(
    f"%{first}{mark}%{second}{mark}%{year}"
    for first, second in (("d", "m"), ("m", "d")) for mark in "/.-" for year in "Yy"
)  # fmt: skip
_WORDED = (
    "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%d/%b/%Y", "%d. %B %Y",
    "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%Y.%m.%d",
)  # fmt: skip
COMPACT = "%Y%m%d"
KNOWN_FORMATS = tuple(day + time for day in (*_NUMERIC, *_WORDED) for time in _TIMES)
_YEAR = r"(?:\d{3}[1-9]|\d{2}[1-9]\d|\d[1-9]\d{2}|[1-9]\d{3})"  # 0001 to 9999
ISO_DATE = _YEAR + r"[-/]\d{1,2}[-/]\d{1,2}"
MIDNIGHT = r"[T ]00?(?::00(?::00(?:[.,]0+)?)?)?"
ISO_TIMESTAMP = ISO_DATE + r"[T ]\d{1,2}(?::\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)?"
ISO_OFFSET = ISO_DATE + r"[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?\s*(?:Z|[+-]\d{2}(?::?\d{2})?)"


def format_problem(date_format: str) -> str:
    """Return what is wrong with a strptime format, or an empty text."""
    codes = re.findall(r"%(.)", date_format)
    unknown = [code for code in codes if code not in _DIRECTIVES]
    if unknown:
        return f"The date format “{date_format}” has %{unknown[0]}, which is not known."
    if not {"d", "m", "Y"} <= {"m" if code in "bB" else code.replace("y", "Y") for code in codes}:
        return f"The date format “{date_format}” does not say day, month and year."
    return ""


@lru_cache(maxsize=512)
def pattern_of(date_format: str) -> str:
    """Return the regular expression (RE2 and Python) of texts that a strptime format may read."""
    parts = re.split(r"%(.)", date_format)
    return "".join(_DIRECTIVES[part] if at % 2 else re.escape(part) for at, part in enumerate(parts))


def order_of(date_format: str) -> str:
    """Return ``day`` or ``month`` when a format of numbers claims that this comes first, else an empty text."""
    found = re.match(r"%([dm])[^%]*%([dm])", date_format)
    return {"d": "day", "m": "month"}[found[1]] if found and found[1] != found[2] else ""


def with_time(date_format: str) -> bool:
    """Say whether a format reads a time of day."""
    return "%H" in date_format or "%I" in date_format


def in_trying_order(formats: tuple[str, ...]) -> list[str]:
    """Two-digit years first: a four-digit directive would read 24 as the year 24."""
    return sorted(formats, key=lambda one: "%y" not in one)
