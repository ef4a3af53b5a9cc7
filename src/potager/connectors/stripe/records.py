"""JSON objects out of a file, one at a time: JSON Lines, a JSON array, or the list that Stripe's API answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from potager.connectors.files import ReadOptions
from potager.connectors.files.encodings import TextStream
from potager.connectors.files.formats import opened
from potager.connectors.files.json_records import elements
from potager.kit.errors import Invalid

_LOOKED_AT = 1 << 20
_LONGEST = 16 << 20
_TAIL = 4096
_MORE = re.compile(rb'"has_more"\s*:\s*true')
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*"(?P<colon>\s*:\s*)?|[{}\[\]]', re.DOTALL)
_AGAIN = "Export it again; it needs at least one record."
_ONE_A_LINE = "Export it again, or give one object on each line (JSON Lines)."


@dataclass(frozen=True, slots=True)
class Record:
    """One object with its place (``line 7``); ``because`` is the sentence where it could not be read."""

    where: str
    value: dict[str, Any]
    because: str = ""


def records(path: Path) -> Iterator[Record]:
    """Yield the objects of a file in bounded memory; objects inside of lists of Stripe are yielded one by one.

    A line that is no JSON is yielded with its sentence. Raises :class:`Invalid` for an empty file, one that is no
    JSON at all, and where a JSON array or list breaks, as what follows cannot be told apart.
    """
    start = beginning(path)
    if start.startswith("["):
        yield from _from_array(path, inside=False)
    elif _is_lines(start):
        yield from _from_lines(path)
    elif _list_begins(start) is not None:
        yield from _from_array(path, inside=True)
    else:
        yield from _from_document(path)


def text_of(path: Path, encoding: str = "utf-8") -> TextStream:
    """Open a text file, packed with gzip or not, as UTF-8 without its byte order mark.

    Raises :class:`Invalid` for a file with nothing in it and ``NotFound`` for one that is not there.
    """
    with opened(path) as file:
        head = file.read(2)
    if not head:
        raise Invalid(f"The file {path.name} is empty.", mend=_AGAIN)
    packed = "gzip" if head == b"\x1f\x8b" else ""
    return TextStream(path, encoding=encoding, compression=packed, most_unpacked=ReadOptions().most_unpacked)


def beginning(path: Path) -> str:
    """Return the first part of a file as text, without white space before it.

    Raises as :func:`text_of`.
    """
    with text_of(path) as stream:
        head = stream.read(_LOOKED_AT).lstrip()
    if not head:
        raise Invalid(f"The file {path.name} is empty.", mend=_AGAIN)
    return head.decode("utf-8", "replace")


def has_more_pages(path: Path) -> bool:
    """Return whether a list that Stripe answered says at its end that there are more of its pages.

    Of a packed file it is not known, and False.
    """
    with opened(path) as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - _TAIL))
        return bool(_MORE.search(file.read().rpartition(b"]")[2]))


def first_object(start: str) -> dict[str, Any] | None:
    """Return the first object that can be read in a file's beginning: of its lines, or of the list it opens."""
    decoder = json.JSONDecoder()
    for line in start.splitlines()[:20]:
        found = _decoded(decoder, line.strip(), 0)
        if found is not None:
            return _inside(found)
    opening = 1 if start.startswith("[") else 0
    within = None if opening else _list_begins(start)
    at = opening if within is None else within + 1
    while at < len(start) and start[at] in " \r\n\t":
        at += 1
    found = _decoded(decoder, start, at)
    return _inside(found) if found is not None else None


def _decoded(decoder: json.JSONDecoder, text: str, at: int) -> dict[str, Any] | None:
    if not text.startswith("{", at):
        return None
    try:
        found = decoder.raw_decode(text, at)[0]
    except (json.JSONDecodeError, RecursionError):
        return None  # cut off, or broken: the next line may do
    return found if isinstance(found, dict) and found else None


def _inside(found: dict[str, Any]) -> dict[str, Any]:
    data = found.get("data")
    if found.get("object") == "list" and isinstance(data, list) and data and isinstance(data[0], dict):
        return data[0]
    return found


def _is_lines(start: str) -> bool:
    lines = [line.strip() for line in start.splitlines()[:20] if line.strip()]
    decoder = json.JSONDecoder()
    first = _whole(decoder, lines[0])
    if first or _list_begins(start) is not None:
        return first
    return any(_whole(decoder, line) and ('"object"' in line or '"id"' in line) for line in lines)


def _list_begins(start: str) -> int | None:
    """Return where the array of a list that Stripe answered opens: its own ``data``, not that of something inside."""
    depth = 0
    for mark in _MARKS.finditer(start):
        if mark[0] in "{[":
            depth += 1
        elif mark[0] in "}]":
            depth -= 1
            if depth == 0:
                return None
        elif depth == 1 and mark["colon"] and mark[0].startswith('"data"'):
            return mark.end() if start.startswith("[", mark.end()) else None
    return None


def _whole(decoder: json.JSONDecoder, line: str) -> bool:
    try:
        found, end = decoder.raw_decode(line)
    except (json.JSONDecodeError, RecursionError):
        return False
    return isinstance(found, dict) and end == len(line)


def _from_lines(path: Path) -> Iterator[Record]:
    with text_of(path) as stream:
        line, left = 0, b""
        while True:
            block = stream.read(1 << 20)
            parts = (left + block).split(b"\n")
            left = parts.pop() if block else b""
            for text in parts:
                line += 1
                yield from _of_line(text, line)
            if not block:
                return
            if len(left) > _LONGEST:
                raise Invalid(
                    f"Line {line + 1:,} of {path.name} is longer than {_LONGEST:,} characters.",
                    mend=_ONE_A_LINE,
                )


def _of_line(text: bytes, line: int) -> Iterator[Record]:
    where = f"line {line}"
    stripped = text.strip()
    if not stripped:
        return
    try:
        value = json.loads(stripped)
    except UnicodeDecodeError:
        yield Record(where, {}, f"Line {line} holds bytes that are no UTF-8 text.")
        return
    except json.JSONDecodeError as error:
        yield Record(where, {}, f"Line {line} is no JSON: {error.msg} at character {error.colno}.")
        return
    except RecursionError:
        yield Record(where, {}, f"Line {line} is nested too deeply to be read.")
        return
    yield from _unlisted(value, where)


def _unlisted(value: Any, where: str) -> Iterator[Record]:
    """Yield the object, or those of a list that Stripe answered."""
    if not isinstance(value, dict):
        yield Record(where, {}, f"There is no object in {where}.")
    elif value.get("object") == "list" and isinstance(value.get("data"), list):
        for place, one in enumerate(value["data"], start=1):
            yield from _unlisted(one, f"{where}, record {place}")
    else:
        yield Record(where, value)


def _from_array(path: Path, *, inside: bool) -> Iterator[Record]:
    """Yield the elements of the array that a file is, or of the list that it opens."""
    with text_of(path) as stream:
        head = stream.read(_LOOKED_AT)
        begins = 0
        if inside:
            text = head.decode("utf-8", "replace")
            begins = len(text[: _list_begins(text)].encode())
        # What stands before the array becomes empty lines, so that lines are counted from the file's first.
        head = b"\n" * head[:begins].count(b"\n") + head[begins:]

        def read(wanted: int) -> bytes:
            nonlocal head
            block, head = head or stream.read(wanted), b""
            return block

        for text, line in elements(path.name, read, longest=_LONGEST):
            yield from _unlisted(json.loads(text), f"line {line}")


def _from_document(path: Path) -> Iterator[Record]:
    with text_of(path) as stream:
        text = b""
        while len(text) <= _LONGEST and (block := stream.read(1 << 20)):
            text += block
    if len(text) > _LONGEST:
        raise Invalid(
            f"{path.name} is one JSON object longer than {_LONGEST:,} characters.", mend=_ONE_A_LINE
        )
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        place = f" in line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else ""
        raise Invalid(f"{path.name} is no JSON that can be read{place}.", mend=_ONE_A_LINE) from error
    yield from _unlisted(value, "line 1")
