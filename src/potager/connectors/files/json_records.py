"""Reading JSON Lines and JSON arrays of objects. Nested values stay JSON text, so nothing of them is lost."""

from __future__ import annotations

import codecs
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from potager.connectors.files.blocks import Block, Original
from potager.connectors.files.casts import connection, quoted, run, select
from potager.connectors.files.encodings import TextStream
from potager.connectors.files.plans import ReadPlan
from potager.connectors.files.records import BLOCK, RAW_KEPT, Chunk, Dialect, chunks
from potager.connectors.files.shapes import Rejected, invalid, listed

if TYPE_CHECKING:
    import pyarrow as pa

_LINES = Dialect("\x1f", "")
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_NEW_LINE = "\n"
_NOT_JSON = "The line is not valid JSON."
_NO_OBJECT = "The line is JSON, but not an object with named values."


@dataclass(frozen=True)
class Texts:
    """Texts of JSON records with the lines on which they begin."""

    texts: list[bytes]
    lines: list[int]
    done: int
    set_aside: tuple[Rejected, ...] = ()


def pointer(key: str) -> str:
    """Return the JSON pointer (RFC 6901) of a key, as an SQL literal."""
    return quoted("/" + key.replace("~", "~0").replace("/", "~1"))


class _JsonRecords:
    """What reading JSON Lines and JSON arrays have in common: texts of objects in, columns out."""

    unit: Literal["bytes", "rows"] = "bytes"

    def __init__(self, path: Path, plan: ReadPlan, *, most_unpacked: int, size: int = BLOCK) -> None:
        self._path, self._plan, self._size = path, plan, size
        self.labels = [column.source for column in plan.columns]
        self.notes: list[str] = []
        self.total = path.stat().st_size
        self._stream = TextStream(
            path, encoding=plan.encoding, compression=plan.compression, most_unpacked=most_unpacked
        )
        self._own = threading.local()
        self._known = set(self.labels)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def block(self, piece: Texts) -> Block:
        """Return the values of the planned keys as text; set aside what is not a JSON object."""
        import numpy as np
        import pyarrow as pa

        aside = list(piece.set_aside)

        def set_aside(at: int, reason: str) -> None:
            raw = (
                piece.texts[at][: 4 * RAW_KEPT].decode("utf-8", "replace")[:RAW_KEPT].replace("\0", "\ufffd")
            )
            aside.append(Rejected(piece.lines[at], (("", reason, reason),), raw=raw))

        column = as_column(piece.texts)
        if not hasattr(self._own, "database"):
            self._own.database = connection()
        table = pa.table({"j": column})
        kinds = run(
            self._own.database, table, "SELECT CASE WHEN json_valid(j) THEN json_type(j) END AS kind FROM t"
        )
        kind = kinds.column("kind").to_numpy(zero_copy_only=False)
        fits = kind == "OBJECT"
        for at in np.flatnonzero(~fits).tolist():
            set_aside(at, _NOT_JSON if kind[at] is None else _NO_OBJECT)
        good = np.flatnonzero(fits).tolist()
        table = table.filter(pa.array(fits))
        included = self._plan.included
        paths = ", ".join(pointer(column.source) for column in included)
        values = (f"l[{at + 1}] AS c{at}" for at in range(len(included)))
        sql = select(values, f"({select([f'json_extract_string(j, [{paths}]) AS l'])})")
        rows = run(self._own.database, table, sql)
        self._note_unknown(table)

        def line_of(asked: Sequence[int]) -> list[int]:
            return [piece.lines[good[row]] for row in asked]

        def originals(asked: Sequence[int]) -> list[Original]:
            return [
                ((), piece.texts[good[row]][: 4 * RAW_KEPT].decode("utf-8", "replace")[:RAW_KEPT])
                for row in asked
            ]

        return Block(rows, frozenset(), piece.done, line_of, originals, tuple(aside))

    def _note_unknown(self, table: pa.Table) -> None:
        """Say which keys occur that the plan does not know: they are not read."""
        keys = (
            run(self._own.database, table, "SELECT DISTINCT unnest(json_keys(j)) AS key FROM t ORDER BY key")
            .column("key")
            .to_pylist()
        )
        new = [str(key) for key in keys if key not in self._known]
        if new:
            self._known.update(new)
            self.notes.append(f"Not in the plan, not read: {listed(new)}.")


def _is_text(text: bytes) -> bool:
    try:
        return "\0" not in text.decode("utf-8")
    except UnicodeDecodeError:
        return False


def as_column(texts: Sequence[bytes]) -> pa.Array[Any]:
    """Return texts as an Arrow column; those that are not UTF-8 or hold zero bytes become empty, which is not JSON."""
    import pyarrow as pa

    column = pa.array(texts, pa.binary())
    try:
        text = column.cast(pa.string())
    except pa.ArrowInvalid:
        text = None
    if text is None or any(b"\0" in one for one in texts):
        return pa.array([one.decode() if _is_text(one) else "" for one in texts], pa.string())
    return text


class JsonLines(_JsonRecords):
    """A JSON Lines file being read by a plan: one object on each line, blank lines skipped."""

    def work(self) -> Iterator[Texts]:
        """Yield the lines of the file."""
        cut: Iterator[Chunk] = chunks(
            self._stream.read,
            _LINES,
            longest=self._plan.longest_line,
            size=self._size,
            position=self._stream.position,
        )
        for chunk in cut:
            pairs = zip(
                chunk.spans.starts.tolist(),
                chunk.spans.ends.tolist(),
                chunk.spans.lines.tolist(),
                strict=True,
            )
            rows = [
                (chunk.data[start:end], line) for start, end, line in pairs if chunk.data[start:end].strip()
            ]
            yield Texts([text for text, _ in rows], [line for _, line in rows], chunk.done, chunk.set_aside)


class JsonArray(_JsonRecords):
    """A JSON array of objects being read by a plan, element by element; the array must be whole."""

    def work(self) -> Iterator[Texts]:
        """Yield the elements of the array; raise ``Invalid`` with the line where the JSON breaks."""
        texts: list[bytes] = []
        lines: list[int] = []
        held = 0
        for text, line in elements(self._path.name, self._stream.read, longest=self._plan.longest_line):
            texts.append(text.encode())
            lines.append(line)
            held += len(text)
            if held >= self._size:
                yield Texts(texts, lines, self._stream.position())
                texts, lines, held = [], [], 0
        yield Texts(texts, lines, self._stream.position())


def elements(
    name: str, read: Callable[[int], bytes], *, longest: int, size: int = 1 << 20
) -> Iterator[tuple[str, int]]:
    """Yield each element of the JSON array in a stream as its own text with its line, in bounded memory.

    Raises ``Invalid`` with the line where the JSON breaks: what follows a break cannot be told apart.
    """
    decode = codecs.getincrementaldecoder("utf-8")("strict").decode
    text, at, line, ended = "", 0, 1, False
    too_long = f"a record is longer than {longest:,} characters, or never closed"

    def broken(why: str, place: int) -> Exception:
        problem = f"The JSON of {name} breaks in line {line + text.count(_NEW_LINE, at, place):,}: {why}."
        return invalid("path", problem, "Mend it there, or give one object on each line (JSON Lines).")

    def more(wanted: int) -> bool:
        nonlocal text, at, ended
        block = read(wanted)
        ended = not block
        try:
            text, at = text[at:] + decode(block, final=ended), 0
        except UnicodeDecodeError as error:
            raise broken("it holds bytes that are not text in the encoding of the file", len(text)) from error
        return not ended

    def mark() -> str:
        """Return the next character that is not white space and stand on it."""
        nonlocal at, line
        while True:
            found = _SPACE.match(text, at).end()  # type: ignore[union-attr]
            line += text.count(_NEW_LINE, at, found)
            at = found
            if at < len(text):
                return text[at]
            if ended or not more(size):
                raise broken("the array is not closed", len(text))

    if mark() != "[":
        raise broken("it does not begin with [", at)
    at += 1
    while mark() != "]":
        wanted = size
        while True:
            try:
                end = _DECODER.raw_decode(text, at)[1]
                break
            except json.JSONDecodeError as error:
                if ended:
                    raise broken(error.msg, error.pos) from error
                if len(text) - at > longest:
                    raise broken(too_long, at) from error
                more(wanted)
                wanted *= 2
            except RecursionError as error:
                raise broken("a record is nested too deeply", at) from error
        if end - at > longest:
            raise broken(too_long, at)
        yield text[at:end], line
        line += text.count(_NEW_LINE, at, end)
        at = end
        if mark() == ",":
            at += 1
            if mark() == "]":
                raise broken("a comma stands before the closing bracket", at)
        elif mark() != "]":
            raise broken("a comma is missing between two records", at)
