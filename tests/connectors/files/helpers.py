"""Small ways to write a file and read it whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from potager.connectors.files import FileShape, ReadOptions, ReadPlan, inspect, plan_from, read


def write(folder: Path, data: bytes | str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def whole(path: Path, plan: ReadPlan | None = None) -> tuple[list[dict[str, Any]], Any]:
    """Read all rows; return them and the rejects (closed, but with their first hundred and the tally)."""
    with read(path, plan or plan_from(inspect(path))) as reading:
        rows = pa.Table.from_batches(list(reading.batches), reading.schema).to_pylist()
        assert reading.rows == len(rows)
        assert reading.complete
        return rows, reading.rejects


def shape_of(folder: Path, data: bytes | str, name: str = "t.csv", **options: Any) -> FileShape:
    return inspect(write(folder, data, name), options=ReadOptions(**options))


def said(shape: FileShape) -> str:
    return " ".join(problem.problem for problem in shape.problems)
