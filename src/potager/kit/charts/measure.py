"""How wide words are, without a font at hand: so that names are wrapped and labels kept apart before drawing.

The widths are those of Helvetica (Adobe's published font metrics, in thousandths of the size), which Liberation Sans
and Arial share and which Source Sans stays below: what fits by this measure fits in the page's font.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_REGULAR: Final = {
    " ": 278, "!": 278, '"': 355, "#": 556, "$": 556, "%": 889, "&": 667, "'": 191, "(": 333, ")": 333, "*": 389,
    "+": 584, ",": 278, "-": 333, ".": 278, "/": 278, ":": 278, ";": 278, "<": 584, "=": 584, ">": 584, "?": 556,
    "@": 1015, "[": 278, "\\": 278, "]": 278, "^": 469, "_": 556, "`": 333, "{": 334, "|": 260, "}": 334, "~": 584,
    "A": 667, "B": 667, "C": 722, "D": 722, "E": 667, "F": 611, "G": 778, "H": 722, "I": 278, "J": 500, "K": 667,
    "L": 556, "M": 833, "N": 722, "O": 778, "P": 667, "Q": 778, "R": 722, "S": 667, "T": 611, "U": 722, "V": 667,
    "W": 944, "X": 667, "Y": 667, "Z": 611, "a": 556, "b": 556, "c": 500, "d": 556, "e": 556, "f": 278, "g": 556,
    "h": 556, "i": 222, "j": 222, "k": 500, "l": 222, "m": 833, "n": 556, "o": 556, "p": 556, "q": 556, "r": 333,
    "s": 500, "t": 278, "u": 556, "v": 500, "w": 722, "x": 500, "y": 500, "z": 500, "\u00a0": 278, "£": 556,
    "€": 556, "−": 584, "–": 556, "—": 1000, "…": 1000, "×": 584, "÷": 584, "’": 222, "‘": 222, "“": 333, "”": 333,
    "•": 350, "·": 278, "→": 1000, "±": 584,
}  # fmt: skip
_BOLDER: Final = 1.07  # Helvetica Bold is on average seven percent wider
_SERIF_TITLE: Final = 1.03
ELLIPSIS: Final = "…"


def width_of(text: str, size: float = 12, *, bold: bool = False) -> float:
    """Return the width of a line of text in pixels, an upper estimate for the fonts in use."""
    thousandths = sum(_advance(character) for character in text)
    return thousandths * size / 1000 * (_BOLDER if bold else 1.0)


def ellipsed(text: str, room: float, size: float = 12, *, bold: bool = False) -> str:
    """Return the text, or as much of its beginning as fits ``room`` pixels with an ellipsis."""
    if width_of(text, size, bold=bold) <= room:
        return text
    kept = text
    while kept and width_of(kept + ELLIPSIS, size, bold=bold) > room:
        kept = kept[:-1]
    return kept.rstrip(" ,;:-–") + ELLIPSIS


def wrapped(
    text: str, room: float, size: float = 12, *, bold: bool = False, lines: int = 0
) -> tuple[str, ...]:
    """Return the text in lines of at most ``room`` pixels; with ``lines``, the last of them ends in an ellipsis.

    A word longer than a line is cut with an ellipsis rather than broken in the middle.
    """
    found: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if not line or width_of(longer, size, bold=bold) <= room:
            line = longer
            continue
        found.append(line)
        line = word
    found.append(line)
    if lines and len(found) > lines:
        found = [*found[: lines - 1], " ".join(found[lines - 1 :])]
    return tuple(ellipsed(part, room, size, bold=bold) for part in found)


def wrapped_title(text: str, room: float, size: float) -> tuple[str, ...]:
    """Return a title, set in the bold serif, in lines."""
    return wrapped(text, room / _SERIF_TITLE, size, bold=True)


def _advance(character: str) -> int:
    """Return a character's width in thousandths of the size."""
    known = _REGULAR.get(character)
    if known is not None:
        return known
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 1000
    base = unicodedata.normalize("NFD", character)[0]
    return _REGULAR.get(base, 722 if character.isupper() else 600)
