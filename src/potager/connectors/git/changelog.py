"""The sections of a changelog by version (keepachangelog.com and its kin, in Markdown or reStructuredText)."""

from __future__ import annotations

import re

FILES = ("CHANGELOG", "CHANGES", "HISTORY", "NEWS", "RELEASES", "RELEASE_NOTES", "RELEASE-NOTES")
_NUMBERS = re.compile(
    r"(?<![\w.])[vV]?(\d+(?:\.\d+)+(?:-?(?:alpha|beta|rc|pre|dev|[ab])[0-9A-Za-z.-]*|-[0-9A-Za-z.]+)?)"
)
_MARKED = re.compile(r"^(#{1,4})\s+(.*\S)\s*$")
_UNDERLINE = re.compile(r"^([=\-~^*])\1{2,}\s*$")
_PLAIN = re.compile(r"^\[?[vV]?\d+(?:\.\d+)+\S*\]?(?:\s*[-–:(].*)?$")


def is_changelog(name: str) -> bool:
    """Whether a file at the root of a repository is its changelog, by its name."""
    stem, _, ending = name.partition(".")
    return stem.upper() in FILES and ending.lower() in {"", "md", "rst", "txt", "markdown"}


def sections(text: str) -> dict[str, str]:
    """Return what a changelog says of each version: its numbers as they stand there, and the lines below."""
    found: dict[str, str] = {}
    version, lines = "", list[str]()
    rows = text.splitlines()
    at = 0
    while at < len(rows):
        heading, after = _heading(rows, at)
        numbers = _NUMBERS.search(heading) if heading else None
        if numbers:
            if version and version not in found:
                found[version] = "\n".join(lines).strip()
            version, lines, at = numbers[1], [], after
            continue
        if version:
            lines.append(rows[at])
        at += 1
    if version and version not in found:
        found[version] = "\n".join(lines).strip()
    return found


def _heading(rows: list[str], at: int) -> tuple[str, int]:
    """Return the heading that begins in a row and the row after it; empty where none does."""
    row = rows[at]
    if marked := _MARKED.match(row):
        return marked[2], at + 1
    underlined = at + 1 < len(rows) and row.strip() and _UNDERLINE.match(rows[at + 1])
    if underlined:
        return row.strip(), at + 2
    return (row.strip(), at + 1) if _PLAIN.match(row) else ("", at + 1)
