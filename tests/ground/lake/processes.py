"""What other processes do in the tests. They start from a fork server that has the heavy imports done."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from potager.ground.lake.duck import DuckDBWarehouse
from potager.ground.lake.lake import Lake

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.ground.lake.processes"])


def start(work: Callable[..., None], *given: Any) -> Any:
    process = context.Process(target=work, args=given, daemon=True)
    process.start()
    return process


def numbers(batches: int, rows: int) -> pa.RecordBatchReader:
    """``batches`` batches of ``rows`` rows each, made as they are read."""
    schema = pa.schema([("batch", pa.int64()), ("number", pa.int64())])

    def made() -> Iterator[pa.RecordBatch]:
        for batch in range(batches):
            columns = [pa.repeat(pa.scalar(batch), rows), pa.array(range(rows), pa.int64())]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, made())


def append(place: tuple[str, str], name: str, load_id: str, batches: int, rows: int) -> None:
    Lake(*place).append(name, numbers(batches, rows), load_id=load_id)


def append_columns(place: tuple[str, str], name: str, load_id: str, columns: dict[str, list[Any]]) -> None:
    Lake(*place).append(name, pa.table(columns), load_id=load_id)


def append_many(place: tuple[str, str], name: str, first: str, loads: int, rows: int) -> None:
    lake = Lake(*place)
    for load in range(loads):
        lake.append(name, numbers(1, rows), load_id=f"{first}-{load}")


def die_at(place: tuple[str, str], moment: str, name: str, load_id: str, batches: int, rows: int) -> None:
    """Append, and be killed at a moment: while writing, before the catalogue is told, or right after."""
    from pyiceberg.catalog.sql import SqlCatalog

    from potager.ground.lake import writing

    told = SqlCatalog.commit_table
    marked = writing.LoadWriter._marked

    def kill(*_: Any, **__: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    def tell_and_die(*given: Any, **more: Any) -> Any:
        told(*given, **more)
        kill()

    def mark_and_die(self: Any, group: Any) -> Any:
        if self._begun and len(self.files) == 0 and moment == "writing":
            kill()
        return marked(self, group)

    writing.LoadWriter._marked = mark_and_die  # type: ignore[method-assign]
    if moment == "metadata":
        SqlCatalog._write_metadata = kill
    if moment == "committing":
        SqlCatalog.commit_table = kill
    if moment == "committed":
        SqlCatalog.commit_table = tell_and_die
    append(place, name, load_id, batches, rows)


def read_until(place: tuple[str, str], name: str, loads: int, rows: int, answers: Any) -> None:
    """Read again and again until all loads are there; answer with each count seen that is torn, and the reads."""
    warehouse = DuckDBWarehouse(Lake(*place), threads=1)
    torn: list[int] = []
    reads = seen = 0
    until = time.monotonic() + 30
    while seen < loads * rows and time.monotonic() < until:
        answer = warehouse.query(f"SELECT count(*) AS n, sum(number) AS s FROM {name}").table.to_pylist()[0]
        seen, reads = answer["n"], reads + 1
        whole = seen // rows
        if seen % rows or int(answer["s"]) != whole * rows * (rows - 1) // 2:
            torn.append(seen)
    warehouse.close()
    answers.put((torn, reads, seen))
