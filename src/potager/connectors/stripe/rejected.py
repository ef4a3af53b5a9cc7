"""Writing what was set aside to a file that a person can open."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from potager.connectors.files.formats import writable
from potager.kit.files import csv_lines


def write(path: Path, rejected: pa.Table) -> None:
    """Write what was set aside as CSV that no spreadsheet computes. Raises ``Unavailable`` where it cannot."""
    rows = (list(row.values()) for batch in rejected.to_batches() for row in batch.to_pylist())
    with writable(path), path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_lines(rejected.column_names, rows))
