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
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from potager.connectors.files.shapes import Rejected

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Positions: TypeAlias = NDArray[np.int64]

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
        return re.compile(good + rb"|(?P<open>" + opener + inside + rb")|" + end + skipped, re.DOTALL)


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
        if self.known is not None:
            return self.known
        import numpy as np

        ends, quotes = line_ends(self.data, final=True), _quotes(self.data, self.dialect)
        assert quotes is not None  # irregular chunks come with their spans
        return _spans(self.data, ends[(np.searchsorted(quotes, ends) & 1) == 0], ends, self.line)

    def keeping(self, good: NDArray[np.bool_], set_aside: tuple[Rejected, ...]) -> Chunk:
        """Return the chunk with only the ``good`` records; the others are in ``set_aside``."""
        import numpy as np

        starts, ends, lines = (values[good] for values in self.spans)
        data = b"".join(
            self.data[start:end] + b"\n" for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        )
        sizes = ends - starts + 1
        new = np.cumsum(sizes) - sizes
        known = Spans(new, new + sizes - 1, lines)
        return replace(self, data=data, set_aside=self.set_aside + set_aside, known=known)

    def record(self, at: int) -> bytes:
        """The bytes of one record as they stand in the file, without the line end."""
        return self.data[int(self.spans.starts[at]) : int(self.spans.ends[at])]

    def without_first(self) -> Chunk:
        """Return the chunk without its first record that is not blank."""
        starts, ends, lines = self.spans
        cut = int(starts[1]) if len(starts) > 1 else len(self.data)
        known = Spans(starts[1:] - cut, ends[1:] - cut, lines[1:])
        line = int(lines[1]) if len(lines) > 1 else self.line + self.lines
        return replace(
            self, data=self.data[cut:], line=line, lines=self.line + self.lines - line, known=known
        )


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


def _quotes(data: bytes, dialect: Dialect) -> Positions | None:
    """Return where the quotes stand, or ``None`` when one stands where it should not."""
    import numpy as np

    if dialect.escape:
        return None
    if not dialect.quote or dialect.quote.encode() not in data:
        return np.array([], np.int64)
    values = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(values == ord(dialect.quote))
    openers, closers = quotes[0::2], quotes[1::2]
    beside = np.zeros(256, np.bool_)
    beside[[10, 13, ord(dialect.delimiter)]] = True
    opened = beside[values[np.maximum(openers - 1, 0)]] | (openers == 0)
    closed = beside[values[np.minimum(closers + 1, len(data) - 1)]] | (closers == len(data) - 1)
    if not (opened.all() and closed.all()):
        # A closer right before an opener is one quote inside a cell, doubled.
        opened[1:] |= openers[1:] == closers[: len(openers) - 1] + 1
        paired = min(len(closers), len(openers) - 1)
        closed[:paired] |= closers[:paired] + 1 == openers[1 : paired + 1]
        if not (opened.all() and closed.all()):
            return None
    return quotes


def _spans(data: bytes, ends: Positions, all_ends: Positions, line: int) -> Spans:
    import numpy as np

    if not len(ends) or ends[-1] != len(data) - 1:
        ends = np.append(ends, len(data))  # the last line has no end
    starts = np.concatenate([[0], ends[:-1] + 1])
    values = np.frombuffer(data, np.uint8)
    crlf = (values[np.minimum(ends, len(data) - 1)] == 10) & (ends > starts)
    crlf &= values[np.maximum(ends - 1, 0)] == 13
    bare = ends - crlf
    lines = line + np.searchsorted(all_ends, starts)
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
    start, start_line, here, problem, at = 0, line, line, "", 0

    def finish(end: int) -> None:
        if end - start > longest:
            set_aside.append(
                Rejected(
                    start_line, _too_long(end - start, longest), raw=_raw(data[start:end]), last_line=here
                )
            )
        elif problem:
            set_aside.append(Rejected(start_line, (("", problem, problem),), raw=_raw(data[start:end])))
        elif end > start:
            rows.append((start, end, start_line))

    while token := dialect.tokens.search(data, at):
        at = token.end()
        if token.lastgroup == "good":
            here += len(line_ends(token[0], final=True))
        elif token.lastgroup == "open":
            unclosed = at == len(data)
            if unclosed and not final and len(data) - start <= longest:
                break  # the next block may close it
            problem = _UNCLOSED if unclosed else _FOLLOWED
            at = token.start() + len(
                dialect.quote
            )  # only this line is spoiled: go on as if nothing had opened
        elif token.lastgroup == "end":
            if token[0] == b"\r" and at == len(data) and not final:
                break  # the next block may begin with its line feed
            finish(token.start())
            here += 1
            start, start_line, problem = at, here, ""
    if final and start < len(data):
        finish(len(data))
        start, here = len(data), here + 1
    known = Spans(*np.array(rows, np.int64).reshape(-1, 3).T)
    lines = (start_line if start < len(data) else here) - line
    chunk = Chunk(data[:start], line, lines, dialect, known=known)
    return (chunk.keeping(np.ones(len(rows), np.bool_), tuple(set_aside)) if set_aside else chunk), start


def _raw(data: bytes) -> str:
    return data[: 4 * RAW_KEPT].decode("utf-8", "replace")[:RAW_KEPT]


def _regular(
    data: bytes, line: int, dialect: Dialect, longest: int, *, final: bool
) -> tuple[Chunk, int] | None:
    """Cut regular data; return ``None`` when it is not regular, a record is too long or none is whole."""
    import numpy as np

    quotes = _quotes(data, dialect)
    if quotes is None or (final and len(quotes) % 2) or data.count(b"\r") != data.count(b"\r\n"):
        return None

    def inside(at: int) -> int:
        """How many quotes stand before ``at``: an odd number means inside a quoted cell."""
        return int(np.searchsorted(quotes, at))

    first = data.find(b"\n")
    while first >= 0 and (before := inside(first)) % 2:
        first = data.find(b"\n", int(quotes[before]) if before < len(quotes) else len(data))
    last = data.rfind(b"\n")
    while last >= 0 and (before := inside(last)) % 2:
        last = data.rfind(b"\n", 0, int(quotes[before - 1]))
    if (first if first >= 0 else len(data)) > longest or (last < 0 and not final):
        return None
    cut = len(data) if final else last + 1
    lines = data.count(b"\n", 0, cut) + (not data.endswith(b"\n", 0, cut))
    return Chunk(data[:cut], line, lines, dialect), cut


def chunks(
    read: Callable[[int], bytes],
    dialect: Dialect,
    *,
    longest: int,
    line: int = 1,
    size: int = BLOCK,
    position: Callable[[], int] = lambda: 0,
) -> Iterator[Chunk]:
    """Yield chunks of whole records from ``read``; memory stays near ``longest + size`` bytes whatever the file holds.

    ``line`` is the number of the first line that ``read`` gives; ``position`` tells how much of the file is done.
    """
    size = min(size, longest)
    carry, final = b"", False
    while not final:
        block = read(size)
        final = not block
        data = carry + block
        if not data:
            return
        chunk, tail = _regular(data, line, dialect, longest, final=final) or _irregular(
            data, line, dialect, longest, final=final
        )
        line += chunk.lines
        carry = data[tail:]
        dropped: tuple[Rejected, ...] = ()
        if len(carry) > longest:
            covered = len(line_ends(carry, final=False)) + 1
            raw = _raw(carry)
            carry, gone = _drop_line(carry, read, size)
            dropped = (Rejected(line, _too_long(gone, longest), raw=raw, last_line=line + covered - 1),)
            line += covered
        if chunk.data or chunk.set_aside or dropped:
            yield replace(chunk, done=position(), set_aside=chunk.set_aside + dropped)


def _drop_line(carry: bytes, read: Callable[[int], bytes], size: int) -> tuple[bytes, int]:
    """Read past the end of a line that is too long; return what follows it and how long it was."""
    block = carry[-1:] if carry.endswith(b"\r") else b""
    gone = len(carry) - len(block)
    while not (found := re.search(rb"\r\n?|\n", block)):
        gone += len(block)
        block = read(size)
        if not block:
            return b"", gone
    rest = block[found.end() :]
    if not rest and found[0] == b"\r":
        rest = read(size).removeprefix(b"\n")
    return rest, gone + found.start()
