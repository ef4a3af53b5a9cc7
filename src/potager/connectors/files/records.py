"""Cutting a stream of UTF-8 bytes into chunks of whole CSV records, with true line numbers and bounded memory.

Readers that split a file for speed lose rows without a word when a quote is unbalanced or a line is too long
(DuckDB 2.0's parallel ``store_rejects`` does), so the cutting is done here, where every byte is accounted for:

- *regular* data (every quote opens a field, closes one, or is doubled inside one) is cut with vectorized scans;
- *irregular* data is read token by token. A quote that is never closed, or is closed and followed by text, spoils its
  own line only: that line is set aside and reading goes on with the next one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from potager.connectors.files.shapes import Rejected

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Positions = NDArray[np.int64]

RAW_KEPT = 10_000  # characters of a broken row that are kept for the person who mends it
BLOCK = 8 << 20


@dataclass(frozen=True)
class Dialect:
    """Delimiter, quote and escape of a CSV file; quote and escape may be empty."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""

    @cached_property
    def tokens(self) -> re.Pattern[bytes]:
        """What matters for cutting: whole quoted fields, openers that never close well, ends of lines."""
        mark, quote = re.escape(self.delimiter.encode()), re.escape(self.quote.encode())
        escape = re.escape(self.escape.encode())
        skipped = rb"|(?:" + escape + rb".)" if escape else b""
        end = rb"(?P<end>\r\n?|\n)"
        if not quote:
            return re.compile(end + skipped, re.DOTALL)
        inside = rb"(?:[^" + quote + escape + rb"]++|" + quote * 2 + skipped + rb")*+"
        opener = rb"(?:(?<=[" + mark + rb"\r\n])|\A)" + quote
        good = rb"(?P<good>" + opener + inside + quote + rb"(?=[" + mark + rb"\r\n]|\Z))"
        return re.compile(good + rb"|(?P<open>" + opener + rb"(?P<inside>" + inside + rb"))|" + end + skipped, re.DOTALL)


class Spans(NamedTuple):
    """Where records stand in a chunk: first byte, byte after the last (without the line end), line number."""

    starts: Positions
    ends: Positions
    lines: Positions


@dataclass(frozen=True)
class Chunk:
    """Whole records. ``lines`` counts the physical lines covered, also those of the rows set aside."""

    data: bytes
    line: int
    lines: int
    dialect: Dialect
    done: int = 0
    set_aside: tuple[Rejected, ...] = ()
    known: Spans | None = field(default=None, repr=False)

    @cached_property
    def spans(self) -> Spans:
        """The records that are not blank."""
        import numpy as np

        if self.known is not None:
            return self.known
        all_ends = line_ends(self.data, final=True)
        ends = all_ends if self.dialect.quote.encode() not in self.data or not self.dialect.quote else None
        if ends is None:
            ends = _regular_ends(self.data, all_ends, self.dialect)
            assert ends is not None  # irregular chunks come with their spans
        return _spans(self.data, ends, all_ends, self.line, np)

    def keeping(self, good: NDArray[np.bool_], set_aside: tuple[Rejected, ...]) -> Chunk:
        """Return the chunk with only the ``good`` records; the others are in ``set_aside``."""
        import numpy as np

        starts, ends, lines = (values[good] for values in self.spans)
        data = b"".join(self.data[start:end] + b"\n" for start, end in zip(starts.tolist(), ends.tolist(), strict=True))
        sizes = ends - starts + 1
        new = np.cumsum(sizes) - sizes
        known = Spans(new, new + sizes - 1, lines)
        return replace(self, data=data, set_aside=self.set_aside + set_aside, known=known)

    def text_of(self, record: int) -> str:
        """The text of one record as it stands in the file."""
        return self.data[int(self.spans.starts[record]) : int(self.spans.ends[record])].decode("utf-8", "replace")


def line_ends(data: bytes, *, final: bool) -> Positions:
    """Return the position of the last byte of every line end: ``\\n``, ``\\r\\n`` or a lone ``\\r``."""
    import numpy as np

    values = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(values == 10)
    if b"\r" in data:
        returns = np.flatnonzero(values == 13)
        if len(returns) and returns[-1] == len(data) - 1 and not final:
            returns = returns[:-1]  # the next block may begin with its line feed
        following = values[np.minimum(returns + 1, len(data) - 1)]
        lone = returns[(following != 10) | (returns == len(data) - 1)]
        if len(lone):
            ends = np.sort(np.concatenate([ends, lone]))
    return ends


def _regular_ends(data: bytes, ends: Positions, dialect: Dialect) -> Positions | None:
    """Return the line ends that end records, or ``None`` when quotes stand where they should not."""
    import numpy as np

    if dialect.escape:
        return None
    values = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(values == ord(dialect.quote))
    openers, closers = quotes[0::2], quotes[1::2]
    beside = np.zeros(256, np.bool_)
    beside[[10, 13, ord(dialect.delimiter)]] = True
    opened = beside[values[np.maximum(openers - 1, 0)]] | (openers == 0)
    opened[1:] |= openers[1:] == closers[: len(openers) - 1] + 1
    closed = beside[values[np.minimum(closers + 1, len(data) - 1)]] | (closers == len(data) - 1)
    paired = min(len(closers), len(openers) - 1)
    closed[:paired] |= closers[:paired] + 1 == openers[1 : paired + 1]
    if not (opened.all() and closed.all()):
        return None
    return ends[(np.searchsorted(quotes, ends) & 1) == 0]


def _spans(data: bytes, ends: Positions, all_ends: Positions, line: int, np: object) -> Spans:
    import numpy

    if not len(ends) or ends[-1] != len(data) - 1:
        ends = numpy.append(ends, len(data))  # the last line has no end
    starts = numpy.concatenate([[0], ends[:-1] + 1])
    values = numpy.frombuffer(data, numpy.uint8)
    crlf = (values[numpy.minimum(ends, len(data) - 1)] == 10) & (ends > starts)
    crlf &= values[numpy.maximum(ends - 1, 0)] == 13
    bare = ends - crlf
    lines = line + numpy.searchsorted(all_ends, starts)
    filled = bare > starts
    return Spans(starts[filled], bare[filled], lines[filled])


def _too_long(size: int, longest: int) -> tuple[tuple[str, str, str], ...]:
    kind = f"is longer than {longest:,} bytes, the most that one row may have."
    return (("", f"The row is {size:,} bytes long. It {kind}", f"The row {kind}"),)


_UNCLOSED = "A quote opens in this line and is never closed."
_FOLLOWED = "Text follows a closing quote; a quote inside a quoted cell must be doubled."


def _irregular(data: bytes, line: int, dialect: Dialect, longest: int, *, final: bool) -> tuple[Chunk, int]:
    """Cut irregular data token by token; return the chunk and where the unfinished last record begins."""
    import numpy as np

    rows: list[tuple[int, int, int]] = []
    set_aside: list[Rejected] = []
    start, start_line, here, problem = 0, line, line, ""

    def finish(end: int) -> None:
        why = _too_long(end - start, longest) if end - start > longest else (("", problem, problem),) if problem else ()
        if why:
            raw = data[start : min(end, start + 4 * RAW_KEPT)].decode("utf-8", "replace")[:RAW_KEPT]
            set_aside.append(Rejected(start_line, why, raw=raw, last_line=here))
        elif end > start:
            rows.append((start, end, start_line))

    for token in dialect.tokens.finditer(data):
        kind = token.lastgroup
        if kind == "good":
            here += len(line_ends(token[0], final=True)) if b"\n" in token[0] or b"\r" in token[0] else 0
        elif kind in {"open", "inside"}:
            unclosed = token.end() == len(data)
            if unclosed and not final and len(data) - start <= longest:
                break  # its end may be in the next block
            problem = _UNCLOSED if unclosed else _FOLLOWED
            # Only the opener is spoiled: go on with the text after it as if it were not quoted.
            rest, rest_tail = _irregular_rest(data, token.start() + len(dialect.quote), dialect)
            if rest is None and not final:
                break
            finish(rest if rest is not None else len(data))
            start = rest_tail if rest is not None else len(data)
            here += 1
            start_line, problem = here, ""
            remaining, tail = _irregular(data[start:], here, dialect, longest, final=final)
            return _joined(data, rows, set_aside, remaining, start, tail, line, dialect, np)
        elif kind == "end":
            if token.end() == len(data) and token[0] == b"\r" and not final:
                break
            finish(token.start())
            here += 1
            start, start_line, problem = token.end(), here, ""
    if final and start < len(data):
        finish(len(data))
        here, start = here + 1, len(data)
    raise NotImplementedError
