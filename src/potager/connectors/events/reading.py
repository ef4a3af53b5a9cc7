"""Reading a file of events by a plan: a stream of events in bounded memory, who is who, and the rows set aside."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from potager.connectors.events.keeping import Kept
from potager.connectors.events.plans import ReadPlan, check
from potager.connectors.events.shapes import EVENTS
from potager.connectors.events.shaping import Shaped, Shaper
from potager.connectors.files import Preview, Progress, ReadOptions, Rejected, Rejects
from potager.connectors.files.blocks import Source
from potager.connectors.files.parquet import open_parquet
from potager.connectors.files.reading import source_of
from potager.connectors.files.records import BLOCK
from potager.kit.clock import now
from potager.kit.errors import Invalid

_WORKERS = min(4, os.cpu_count() or 1)


class Reading:
    """One pass over a file of events: ``batches`` to be exhausted once; then the counts are complete.

    ``rows`` events were given, ``duplicates`` repeated the id of another, ``calls`` said who is who or which account
    somebody belongs to and are no events; ``rejects`` are the rest. The whole file is read before the first batch
    comes. A context manager: leaving it takes everything away that was kept on disk.
    """

    def __init__(
        self, source: Source, shaper: Shaper, progress: Callable[[Progress], None] | None,
        rejects_to: Path | None, folder: Path | None,
    ) -> None:  # fmt: skip
        self._source, self._shaper, self._progress = source, shaper, progress
        self._kept = Kept(folder)
        self._read = False
        self.schema = EVENTS
        self.rejects = Rejects(source.labels, rejects_to)
        self.rows = self.duplicates = self.calls = 0
        self.complete = False
        self.failure: Exception | None = None
        self.batches = pa.RecordBatchReader.from_batches(EVENTS, self._stream())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and remove what was kept of it."""
        self._source.close()
        self.rejects.close()
        self._kept.close()

    def identities(self) -> pa.Table:
        """Return the table ``alias``, ``person``: by which names persons are known, followed to the end.

        Raises :class:`Invalid` where the merges of a file go in a circle; its events can be taken all the same.
        """
        self._read_all()
        return self._kept.identities().table

    def accounts(self) -> pa.Table:
        """Return the table ``account``, ``person``, ``since``, ``traits`` of what group calls said."""
        self._read_all()
        return self._kept.accounts()

    @property
    def notes(self) -> list[str]:
        """What a person should know of what was read; complete after the last batch."""
        said = list(self._source.notes)
        if self.calls:
            said.append(
                f"{self.calls:,} calls said who is who or which account they belong to; they are no events."
            )
        if self.duplicates:
            said.append(f"{self.duplicates:,} events repeated the id of another and were left out.")
        if self._read:
            said += self._on_identities()
        return said

    def _on_identities(self) -> list[str]:
        try:
            merged = self._kept.identities()
        except Invalid as problem:
            return [f"{problem.detail} {problem.mend}"]
        if not merged.contested:
            return []
        some = "1 alias is" if merged.contested == 1 else f"{merged.contested:,} aliases are"
        return [
            f"{some} used by several persons, such as a shared device, and counted for the first of them."
        ]

    def _stream(self) -> Iterator[pa.RecordBatch]:
        try:
            self._read_all()
            for batch in self._kept.batches():
                self.rows += batch.num_rows
                yield batch
            self.complete = True
        except Exception as error:
            self.failure = error
            raise

    def _read_all(self) -> None:
        if self._read:
            return
        waiting: deque[Future[Shaped]] = deque()
        pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="potager-events")
        rows = 0

        def take(shaped: Shaped) -> None:
            nonlocal rows
            self.rejects.add(shaped.rejected)
            self._kept.add(shaped)
            self.calls += shaped.calls
            rows += shaped.events.num_rows
            if self._progress:
                source = self._source
                self._progress(Progress(shaped.done, source.total, source.unit, rows, self.rejects.count))

        try:
            for piece in self._source.work():
                waiting.append(pool.submit(self._shape, piece))
                if len(waiting) > _WORKERS:
                    take(waiting.popleft().result())
            while waiting:
                take(waiting.popleft().result())
        finally:
            pool.shutdown(cancel_futures=True)
        self._kept.finish()
        self.duplicates, self._read = self._kept.duplicates, True

    def _shape(self, piece: Any) -> Shaped:
        return self._shaper.shape(self._source.block(piece))


def read(
    path: Path | str,
    plan: ReadPlan,
    *,
    progress: Callable[[Progress], None] | None = None,
    rejects_to: Path | None = None,
    options: ReadOptions | None = None,
    as_of: datetime | None = None,
    folder: Path | None = None,
) -> Reading:
    """Read a file of events by a plan as a stream of Arrow batches of ``EVENTS``; memory does not grow with the file.

    ``as_of`` is the present (default: now): what happened more than ``plan.future_minutes`` after it is set aside.
    ``folder`` is where the events are kept until they are taken (default: a temporary place). Raises ``Invalid`` when
    the file does not fit the plan, or the plan does not say who and when.
    """
    limits = options or ReadOptions()
    source, shaper = _opened(Path(path), plan, BLOCK, limits.most_unpacked, as_of)
    try:
        return Reading(source, shaper, progress, rejects_to, folder)
    except BaseException:
        source.close()
        raise


def preview(path: Path | str, plan: ReadPlan, rows: int = 50, *, as_of: datetime | None = None) -> Preview:
    """Return the first ``rows`` events as ``read`` would give them, repetitions among them, and the rows set aside."""
    source, shaper = _opened(Path(path), plan, 256 << 10, ReadOptions().most_unpacked, as_of)
    tables: list[pa.Table] = []
    rejected: list[Rejected] = []
    try:
        for piece in source.work():
            shaped = shaper.shape(source.block(piece))
            tables.append(shaped.events)
            rejected += shaped.rejected
            if sum(table.num_rows for table in tables) >= rows:
                break
    finally:
        source.close()
    table = pa.concat_tables(tables).slice(0, rows) if tables else EVENTS.empty_table()
    return Preview(table, tuple(rejected[:rows]))


def _opened(
    path: Path, plan: ReadPlan, size: int, most_unpacked: int, as_of: datetime | None
) -> tuple[Source, Shaper]:
    check(plan)
    source = source_of(path, plan.file, size=size, most_unpacked=most_unpacked)
    latest = (as_of or now()) + timedelta(minutes=plan.future_minutes)
    return source, Shaper(plan, latest, _aware(path) if plan.file.format == "parquet" else frozenset())


def _aware(path: Path) -> frozenset[str]:
    """Return the columns of a Parquet file whose moments know their time zone."""
    with open_parquet(path) as file:
        fields = list(file.schema_arrow)
    return frozenset(one.name for one in fields if pa.types.is_timestamp(one.type) and one.type.tz)
