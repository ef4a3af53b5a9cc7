"""Reading CSV and its relatives: whole records in, Arrow columns out, every row accounted for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, cast

from potager.connectors.files.blocks import Block, Original, names, positions
from potager.connectors.files.casts import arrow_type, reads_plainly
from potager.connectors.files.encodings import TextStream
from potager.connectors.files.names import labels_of
from potager.connectors.files.plans import ReadPlan
from potager.connectors.files.records import BLOCK, RAW_KEPT, Chunk, Dialect, chunks
from potager.connectors.files.shapes import Rejected, invalid

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray
    from pyarrow.csv import InvalidRow

_NO_TEXT = "The line holds bytes that are not text in the encoding of the file."
_COLUMN = re.compile(r"CSV column #(\d+)")  # how Arrow says which column it could not convert
_FIRST_DAY = -719_162  # 0001-01-01 in days since 1970
_ZERO_BYTE = "The line holds a zero byte (NUL)."


def skip_lines(read: Callable[[int], bytes], count: int, size: int) -> Callable[[int], bytes]:
    """Return ``read`` without its first ``count`` lines, in bounded memory."""
    rest = b""
    while count:
        at = rest.find(b"\n")
        if at >= 0:
            rest, count = rest[at + 1 :], count - 1
            continue
        rest = read(size)
        if not rest:
            break
    waiting = [rest] if rest else []
    return lambda wanted: waiting.pop() if waiting else read(wanted)


def cells_of(records: Sequence[bytes], dialect: Dialect) -> list[list[str]]:
    """Return the cells of each record; records of different widths are allowed."""
    cells: list[list[str]] = []
    for record in records:
        table = _parse(b"\n" + record + b"\n", dialect, None, {}, [], None)
        cells.append([column[0].as_py() for column in table.columns])
    return cells


def _parse(
    data: bytes,
    dialect: Dialect,
    width: int | None,
    types: dict[str, pa.DataType],
    only: list[str],
    on_ragged: Callable[[InvalidRow], Literal["skip", "error"]] | None,
    null_words: Sequence[str] = (),
) -> pa.Table:
    """Parse whole records with Arrow; all columns are text but those in ``types``."""
    import pyarrow as pa
    from pyarrow import csv

    fields = names(width) if width is not None else None
    text = {name: pa.string() for name in (fields or names(data.count(dialect.delimiter.encode()) + 1))}
    if fields is None:
        text = {f"f{at}": pa.string() for at in range(len(text))}
    return csv.read_csv(
        cast("IO[bytes]", pa.BufferReader(data)),
        read_options=csv.ReadOptions(
            column_names=fields,
            autogenerate_column_names=fields is None,
            use_threads=False,
            block_size=len(data) + 2,
        ),
        parse_options=csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote or False,
            escape_char=dialect.escape or False,
            newlines_in_values=True,
            invalid_row_handler=on_ragged,
        ),
        convert_options=csv.ConvertOptions(
            column_types=text | types,
            strings_can_be_null=False,
            null_values=list(null_words),
            include_columns=only or None,
        ),
    )


class Delimited:
    """A CSV file being read by a plan."""

    unit: Literal["bytes", "rows"] = "bytes"

    def __init__(self, path: Path, plan: ReadPlan, *, most_unpacked: int, size: int = BLOCK) -> None:
        self._path, self._plan, self._size = path, plan, size
        self._dialect = Dialect(plan.delimiter, plan.quote, plan.escape)
        self.total = path.stat().st_size
        self._stream = TextStream(
            path, encoding=plan.encoding, compression=plan.compression, most_unpacked=most_unpacked
        )
        try:
            self._begin()
        except BaseException:
            self._stream.close()
            raise

    def _begin(self) -> None:
        """Find the planned columns in the header."""
        plan = self._plan
        read = skip_lines(self._stream.read, plan.skip_lines, self._size)
        self._chunks: Iterator[Chunk] = chunks(
            read,
            self._dialect,
            longest=plan.longest_line,
            line=plan.skip_lines + 1,
            size=self._size,
            position=self._stream.position,
        )
        sources = [column.source for column in plan.columns]
        self.header: list[str] = []
        if plan.header:
            first, self.header = self._header()
            self.labels = labels_of(self.header)
            self._chunks = chain([first], self._chunks)
            while (beyond := f"column {len(self.labels) + 1}") in sources and beyond not in self.labels:
                self.labels.append(beyond)  # rows that end in a delimiter have one cell more than the header
        else:
            self.labels = labels_of([None] * len(sources))
        self._at, self.notes = positions(plan, self.labels, self._path.name)
        self._names = [f"c{at}" for at in self._at]
        self._final, self._types, self._null_words = self._plain_columns()

    def _header(self) -> tuple[Chunk, list[str]]:
        first = next(self._chunks, None)
        broken = first.set_aside[0] if first is not None and first.set_aside else None
        if first is None or not len(first.spans.starts) or (broken and broken.line < first.spans.lines[0]):
            reason = broken.reason if broken else "there is no line that is not blank."
            problem = f"The header of {self._path.name} (line {broken.line if broken else 1}) cannot be read: {reason}"
            raise invalid("header", problem, "Mend that line, or say how many lines to skip.")
        return first.without_first(), cells_of([first.record(0)], self._dialect)[0]

    def _plain_columns(self) -> tuple[frozenset[int], dict[str, pa.DataType], tuple[str, ...]]:
        """Return the columns that Arrow may convert itself: plainly written, with the same null words."""
        typed = [
            (at, column.cast) for at, column in enumerate(self._plan.included) if column.cast.type != "text"
        ]
        plain = [(at, one) for at, one in typed if reads_plainly(one)]
        words = set(plain[0][1].null_words) if plain else set()
        plain = [(at, one) for at, one in plain if set(one.null_words) == words]
        types = {self._names[at]: arrow_type(one.type) for at, one in plain}
        return frozenset(at for at, _ in plain), types, tuple(sorted(words))

    def work(self) -> Iterator[Chunk]:
        """Yield chunks of whole records."""
        return self._chunks

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def block(self, piece: Chunk) -> Block:
        """Parse one chunk: plain columns at once into their types; as text where that fails."""
        import pyarrow as pa

        chunk = _only_text(piece)
        types = dict(self._types)
        while True:
            try:
                table, ragged = self._table(chunk, types)
            except pa.ArrowInvalid as error:
                if not types:
                    raise
                found = _COLUMN.search(str(error))
                spoiled = types.keys() & ({f"c{found[1]}"} if found else set()) or set(types)
            else:
                spoiled = self._unsound(table, types)
            if not spoiled:
                break
            types = {name: kind for name, kind in types.items() if name not in spoiled}
        final = frozenset(at for at in self._final if self._names[at] in types)
        aside, good = self._ragged(chunk, ragged)

        def line_of(rows: Sequence[int]) -> list[int]:
            return [int(line) for line in chunk.spans.lines[good()[list(rows)]]]

        def originals(rows: Sequence[int]) -> list[Original]:
            return self._originals(chunk, [int(at) for at in good()[list(rows)]])

        return Block(table, final, chunk.done, line_of, originals, chunk.set_aside + aside)

    def _table(self, chunk: Chunk, types: dict[str, pa.DataType]) -> tuple[pa.Table, list[tuple[int, int]]]:
        import pyarrow as pa

        ragged: list[tuple[int, int]] = []

        def on_ragged(row: InvalidRow) -> Literal["skip", "error"]:
            ragged.append(((row.number or 1) - 1, row.actual_columns))
            return "skip"

        wanted = list(dict.fromkeys(self._names))
        if not chunk.data.strip(b"\r\n"):
            empty = {name: pa.array([], types.get(name, pa.string())) for name in wanted}
            return pa.table(empty).select(self._names).rename_columns(names(len(self._names))), []
        # Arrow takes a byte-order mark at the start of a buffer away; inside the file it is part of a cell.
        data = chunk.data if not chunk.data.startswith(b"\xef\xbb\xbf") else b"\n" + chunk.data
        table = _parse(data, self._dialect, len(self.labels), types, wanted, on_ragged, self._null_words)
        cut = table.num_rows + len(ragged)
        if cut != chunk.lines and cut != len(chunk.spans.starts):
            lines = f"Lines {chunk.line:,} to {chunk.line + chunk.lines - 1:,} of {self._path.name}"
            problem = f"{lines} cannot be cut into rows in one way only."
            raise invalid(
                "path", problem, "Check the delimiter and the quote character, or save the file again as CSV."
            )
        return table.select(self._names).rename_columns(names(len(self._names))), ragged

    def _unsound(self, table: pa.Table, types: dict[str, pa.DataType]) -> set[str]:
        """Return the columns with values that the rules do not allow: numbers are finite, years begin with 1."""
        import pyarrow as pa
        import pyarrow.compute as pc

        unsound = set()
        for at in self._final:
            column, name = table.column(at), self._names[at]
            if name not in types:
                continue
            if pa.types.is_floating(column.type) and pc.all(pc.is_finite(column)).as_py() is False:
                unsound.add(name)
            if pa.types.is_temporal(column.type):
                days = pa.types.is_date(column.type)
                first = pc.min(column.cast(pa.int32() if days else pa.int64())).as_py() or 0
                if first < _FIRST_DAY * (1 if days else 86_400_000_000):
                    unsound.add(name)
        return unsound

    def _ragged(
        self, chunk: Chunk, ragged: list[tuple[int, int]]
    ) -> tuple[tuple[Rejected, ...], Callable[[], NDArray[np.int64]]]:
        import numpy as np

        width = len(self.labels)

        def good() -> NDArray[np.int64]:
            return np.delete(np.arange(len(chunk.spans.starts)), [at for at, _ in ragged])

        aside = []
        for at, found in ragged:
            kind = f"has too {'few' if found < width else 'many'} cells for the {width} columns."
            text = chunk.record(at)[: 4 * RAW_KEPT].decode("utf-8", "replace")[:RAW_KEPT]
            aside.append(
                Rejected(
                    int(chunk.spans.lines[at]),
                    (
                        (
                            "",
                            f"The row has {found} {'cell' if found == 1 else 'cells'} instead of {width}.",
                            f"The row {kind}",
                        ),
                    ),
                    raw=text,
                )
            )
        return tuple(aside), good

    def _originals(self, chunk: Chunk, records: list[int]) -> list[Original]:
        data = b"".join(b"\n" + chunk.record(at) for at in records)
        table = _parse(data + b"\n", self._dialect, len(self.labels), {}, [], None)
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        return [(tuple(row), "") for row in rows]


def _only_text(chunk: Chunk) -> Chunk:
    """Set aside the records that hold zero bytes or bytes that are not UTF-8."""
    import numpy as np

    zero = b"\0" in chunk.data
    if not zero and _is_utf8(chunk.data):
        return chunk
    good = np.ones(len(chunk.spans.starts), np.bool_)
    aside = []
    for at, line in enumerate(chunk.spans.lines.tolist()):
        record = chunk.record(at)
        reason = _ZERO_BYTE if b"\0" in record else "" if _is_utf8(record) else _NO_TEXT
        if reason:
            good[at] = False
            raw = record[: 4 * RAW_KEPT].decode("utf-8", "replace")[:RAW_KEPT].replace("\0", "\ufffd")
            aside.append(Rejected(line, (("", reason, reason),), raw=raw))
    return chunk.keeping(good, tuple(aside))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
