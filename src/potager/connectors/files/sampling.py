"""The rows that types are decided by: all of a small file, rows from all over a large one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from potager.connectors.files.blocks import names
from potager.connectors.files.casts import fails, run, select, stacked, valued
from potager.connectors.files.encodings import TextStream
from potager.connectors.files.evidence import Orders, count_orders
from potager.connectors.files.formats import Kind, writable
from potager.connectors.files.plans import ColumnPlan, ReadPlan
from potager.connectors.files.reading import source_of
from potager.connectors.files.records import BLOCK
from potager.connectors.files.shapes import Cast, ReadOptions, Rejected, listed

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_ROWS = 5_000
_CELLS = 1_000_000
_OTHERS = 200
_SLICES = 16
_PIECES = 3  # of 20,000 rows of a workbook


@dataclass(frozen=True)
class StandIn:
    """A file to inspect in place of a large one: its beginning and slices from its whole length, as UTF-8."""

    path: Path
    encoding: str
    compression: str
    whole: bool


@contextmanager
def stand_in(path: Path, kind: Kind, encoding: str, options: ReadOptions) -> Iterator[StandIn]:
    """Yield ``path`` itself when it is small, else a temporary sample of its lines."""
    size = path.stat().st_size
    most = options.whole_up_to // (8 if kind.compression else 1)
    if size <= most or kind.format in {"xlsx", "json"}:
        yield StandIn(path, encoding, kind.compression, whole=True)
        return
    with tempfile.TemporaryDirectory(prefix="potager-sample-") as folder:
        sample = Path(folder) / path.name
        offsets = (
            [0]
            if kind.compression
            else [0, *(size * part // (_SLICES + 1) & ~3 for part in range(1, _SLICES + 1))]
        )
        with writable(sample), sample.open("wb") as out:
            for offset in offsets:
                wanted = options.whole_up_to // (4 if not offset else 4 * _SLICES)
                out.write(_lines_at(path, kind, encoding, options, offset, wanted))
        yield StandIn(sample, "utf-8", "", whole=False)


def _lines_at(path: Path, kind: Kind, encoding: str, options: ReadOptions, offset: int, wanted: int) -> bytes:
    """Return about ``wanted`` bytes of whole lines that begin after ``offset``."""
    with TextStream(
        path, encoding=encoding, compression=kind.compression, most_unpacked=options.most_unpacked
    ) as stream:
        stream.skip_to(offset)
        data = b""
        while len(data) < wanted and (block := stream.read(wanted)):
            data += block
    begin = data.find(b"\n") + 1 if offset else 0
    return data[begin : data.rfind(b"\n") + 1]


@dataclass
class Sample:
    """Rows of a file as text: ``evidence`` is a part that is looked at closely, ``rows`` all that are at hand."""

    path: Path
    plan: ReadPlan
    rows: pa.Table
    evidence: pa.Table
    total: int
    whole: bool
    set_aside: list[Rejected]
    failing: dict[int, str] = field(default_factory=dict)

    def orders(
        self, database: duckdb.DuckDBPyConnection, at: int, formats: Sequence[str], words: Sequence[str]
    ) -> Orders:
        """Ask the whole column which of day and month comes first, reading the file when not all rows are at hand."""
        found = _orders(database, self.rows.column(at), formats, words)
        if self.whole or found.day or found.month:
            return found
        only = tuple(replace(column, include=place == at) for place, column in enumerate(self.plan.columns))
        source = source_of(
            self.path, replace(self.plan, columns=only), size=BLOCK, most_unpacked=ReadOptions().most_unpacked
        )
        try:
            for piece in source.work():
                found += _orders(database, source.block(piece).table.column(0), formats, words)
                if found.day or found.month:
                    break
        finally:
            source.close()
        return found

    def against(
        self, database: duckdb.DuckDBPyConnection, casts: dict[int, Cast]
    ) -> dict[int, pa.Array[Any]]:
        """Return for each column the values of all rows at hand that its cast does not read (or reads with loss)."""
        import numpy as np
        import pyarrow as pa

        found: dict[int, pa.Array[Any]] = {}
        groups: dict[Cast, list[int]] = {}
        for at, cast in casts.items():
            self.failing.pop(at, None)
            if cast.type != "text":
                groups.setdefault(cast, []).append(at)
        for cast, group in groups.items():
            place = pa.array(np.repeat(np.array(group, np.int32), self.rows.num_rows))
            table = stacked(self.rows, group).append_column("place", place)
            # A whole number loses the zeros before it: the column may be one of codes.
            zeros = " OR regexp_full_match(t, '[+-]?0[0-9]+')" if cast.type == "integer" else ""
            misfits = select(["place", "c"], valued(cast, ["place"]), f"WHERE {fails(cast)}{zeros}")
            sums = ["place", "count(*) AS n", f"list(DISTINCT c ORDER BY c)[1:{_OTHERS}] AS some"]
            for row in run(database, table, select(sums, f"({misfits})", "GROUP BY place")).to_pylist():
                found[row["place"]] = pa.array(row["some"], pa.string())
                of = f"{row['n']:,} of {self.rows.num_rows:,} rows"
                shown = listed([value[:40] for value in row["some"]], 3)
                self.failing[row["place"]] = f"{of} do not fit, for example {shown}; they will be set aside."
        return found


def _orders(
    database: duckdb.DuckDBPyConnection,
    column: pa.ChunkedArray[Any],
    formats: Sequence[str],
    words: Sequence[str],
) -> Orders:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pc.utf8_trim_whitespace(column)
    texts = texts.filter(pc.invert(pc.is_in(texts, value_set=pa.array(words, pa.string()))))
    values = pa.Table.from_arrays([texts, pa.array([1] * len(texts), pa.int64())], names=["v", "n"])
    return count_orders(database, values, formats)


def rows_of(path: Path, plan: ReadPlan, stand: StandIn, options: ReadOptions, line_feeds: int) -> Sample:
    """Read the rows at hand as text; ``plan`` reads every column as text from the original file at ``path``."""
    import numpy as np
    import pyarrow as pa

    here = replace(plan, encoding=stand.encoding, compression=stand.compression)
    source = source_of(stand.path, here, size=BLOCK, most_unpacked=options.most_unpacked)
    tables: list[pa.Table] = []
    set_aside: list[Rejected] = []
    ended = True
    try:
        held = 0
        for at, piece in enumerate(source.work()):
            block = source.block(piece)
            tables.append(block.table)
            set_aside += block.set_aside
            held += block.table.nbytes
            if (plan.format == "xlsx" and at + 1 >= _PIECES) or (
                plan.format == "json" and held > options.whole_up_to
            ):
                ended = False
                break
        whole = stand.whole and ended
        at_hand = sum(table.num_rows for table in tables) + len(set_aside)
        done, total = (piece.done, source.total) if tables else (1, 1)
    finally:
        source.close()
    nothing = pa.table({name: pa.array([], pa.string()) for name in names(len(plan.columns))})
    rows = pa.concat_tables([*tables, nothing] if tables else [nothing])
    picked = np.zeros(rows.num_rows, np.bool_)
    if rows.num_rows:
        most = min(rows.num_rows, max(200, min(_ROWS, _CELLS // rows.num_columns)))
        picked[np.linspace(0, rows.num_rows - 1, most).astype(np.int64)] = True
    if not whole:
        share = at_hand / max(1, stand.path.read_bytes().count(b"\n")) if not stand.whole else 0
        at_hand = round(line_feeds * share) if share else round(at_hand * total / max(1, done))
    return Sample(
        path,
        plan,
        rows,
        rows.filter(pa.array(picked)),
        at_hand,
        whole,
        sorted(set_aside, key=lambda row: row.line),
    )


def header_of(path: Path, plan: ReadPlan, *, most_unpacked: int) -> list[str]:
    """Return the cells of the header of a CSV file."""
    from potager.connectors.files.delimited import Delimited

    any_column = (ColumnPlan("", "nothing", include=False),)
    source = Delimited(path, replace(plan, columns=any_column), most_unpacked=most_unpacked)
    source.close()
    return source.header


def json_keys(stand: StandIn, kind: Kind, options: ReadOptions) -> tuple[list[str], set[str]]:
    """Return the keys of the JSON objects at hand as they first occur, and those that hold only strings."""
    import pyarrow as pa

    from potager.connectors.files.casts import connection
    from potager.connectors.files.json_records import JsonArray, JsonLines, as_column

    plan = ReadPlan(
        kind.format,
        (),
        encoding=stand.encoding,
        compression=stand.compression,
        longest_line=options.longest_line,
    )
    reader = (JsonLines if kind.format == "jsonl" else JsonArray)(
        stand.path, plan, most_unpacked=options.most_unpacked
    )
    database = connection()
    kinds: dict[str, set[str]] = {}
    objects = select(["j", "n"], rest="WHERE CASE WHEN json_valid(j) THEN json_type(j) = 'OBJECT' END")
    pairs = select(["j", "unnest(json_keys(j)) AS key", "n"], f"({objects})")
    kind_of = "json_type(j, '/' || replace(replace(key, '~', '~0'), '/', '~1'))"
    order = "GROUP BY key ORDER BY min(n), min(list_position(json_keys(j), key))"
    sql = select(["key", f"list(DISTINCT {kind_of}) AS kinds"], f"({pairs})", order)
    try:
        for piece in islice(reader.work(), max(1, options.whole_up_to // BLOCK)):
            table = pa.table({"j": as_column(piece.texts), "n": pa.array(piece.lines, pa.int64())})
            for row in run(database, table, sql).to_pylist():
                kinds.setdefault(row["key"], set()).update(
                    kind for kind in row["kinds"] if kind and kind != "NULL"
                )
    finally:
        reader.close()
    return list(kinds), {key for key, found in kinds.items() if found == {"VARCHAR"}}
