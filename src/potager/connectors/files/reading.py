"""Reading a file by a plan: a stream of typed batches in bounded memory, progress, and the rows set aside."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from potager.connectors.files.blocks import Source
from potager.connectors.files.converting import Converted, Converter
from potager.connectors.files.plans import ReadPlan, check
from potager.connectors.files.records import BLOCK
from potager.connectors.files.rejects import Rejects
from potager.connectors.files.shapes import Preview, Progress, ReadOptions, Rejected

if TYPE_CHECKING:
    import pyarrow as pa

_WORKERS = min(4, os.cpu_count() or 1)


def source_of(path: Path, plan: ReadPlan, *, size: int, most_unpacked: int) -> Source:
    """Open ``path`` for reading by ``plan``; refuse what does not fit it."""
    from potager.connectors.files.formats import opened

    with opened(path):
        pass
    if plan.format == "csv":
        from potager.connectors.files.delimited import Delimited

        return Delimited(path, plan, size=size, most_unpacked=most_unpacked)
    if plan.format in {"json", "jsonl"}:
        from potager.connectors.files.json_records import JsonArray, JsonLines

        kind = JsonLines if plan.format == "jsonl" else JsonArray
        return kind(path, plan, size=size, most_unpacked=most_unpacked)
    if plan.format == "parquet":
        from potager.connectors.files.parquet import Parquet

        return Parquet(path, plan)
    from potager.connectors.files.workbook import Workbook

    return Workbook(path, plan)


class Reading:
    """One pass over a file: ``batches`` to be exhausted once; then ``rows`` and ``rejects`` are complete.

    A context manager. Leaving it closes the file and removes a temporary rejects file; an exception raised by the
    progress callable stops the reading and comes out of ``batches``.
    """

    def __init__(
        self,
        source: Source,
        plan: ReadPlan,
        progress: Callable[[Progress], None] | None,
        rejects_to: Path | None,
    ) -> None:
        import pyarrow as pa

        self._source, self._progress = source, progress
        self._converter = Converter(plan)
        self.schema: pa.Schema = self._converter.schema
        self.rejects = Rejects(source.labels, rejects_to)
        self.notes = source.notes  # grows while a file is read that has keys the plan does not know
        self.rows = 0
        self.complete = False
        self.failure: Exception | None = (
            None  # for readers of ``batches`` that turn errors into text, as DuckDB does
        )
        self.batches: pa.RecordBatchReader = pa.RecordBatchReader.from_batches(self.schema, self._stream())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and remove the rejects file when it is a temporary one."""
        self._source.close()
        self.rejects.close()

    def _convert(self, piece: Any) -> Converted:
        return self._converter.convert(self._source.block(piece))

    def _stream(self) -> Iterator[pa.RecordBatch]:
        waiting: deque[Future[Converted]] = deque()
        pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="potager-files")
        try:
            for piece in self._source.work():
                waiting.append(pool.submit(self._convert, piece))
                if len(waiting) > _WORKERS:
                    yield from self._finish(waiting.popleft().result())
            while waiting:
                yield from self._finish(waiting.popleft().result())
            self.complete = True
        except Exception as error:
            self.failure = error
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _finish(self, converted: Converted) -> Iterator[pa.RecordBatch]:
        self.rejects.add(converted.rejected)
        self.rows += converted.table.num_rows
        if self._progress:
            source = self._source
            self._progress(Progress(converted.done, source.total, source.unit, self.rows, self.rejects.count))
        yield from converted.table.to_batches()


def read(
    path: Path | str,
    plan: ReadPlan,
    *,
    progress: Callable[[Progress], None] | None = None,
    rejects_to: Path | None = None,
    options: ReadOptions | None = None,
) -> Reading:
    """Read a file by a plan as a stream of typed Arrow batches; memory does not grow with the file.

    ``progress`` is called after each block in the thread that takes the batches; raise in it to cancel. ``rejects_to``
    is where the rows set aside are written (default: a temporary file that lives as long as the reading).
    Raises ``Invalid`` (or another problem) when the file is not there, cannot be opened or does not fit the plan.
    """
    limits = options or ReadOptions()
    source = source_of(Path(path), check(plan), size=BLOCK, most_unpacked=limits.most_unpacked)
    return Reading(source, plan, progress, rejects_to)


def preview(path: Path | str, plan: ReadPlan, rows: int = 50) -> Preview:
    """Return the first ``rows`` rows as ``read`` would give them, and the rows set aside on the way there."""
    import pyarrow as pa

    source = source_of(Path(path), check(plan), size=256 << 10, most_unpacked=ReadOptions().most_unpacked)
    converter = Converter(plan)
    tables: list[pa.Table] = []
    rejected: list[Rejected] = []
    try:
        for piece in source.work():
            converted = converter.convert(source.block(piece))
            tables.append(converted.table)
            rejected += converted.rejected
            if sum(table.num_rows for table in tables) >= rows:
                break
    finally:
        source.close()
    table = pa.concat_tables(tables).slice(0, rows) if tables else converter.schema.empty_table()
    return Preview(table, tuple(rejected[:rows]))
