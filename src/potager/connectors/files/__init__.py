"""Files as a source: CSV, JSON Lines and JSON arrays, Parquet and Excel read as streams of typed Arrow batches.

``inspect`` finds out what a file is and proposes a plan; ``preview`` shows what the plan gives; ``read`` streams it.
Every row of a file is either in a batch or set aside with its line and the reason; nothing is lost without a word.
Writing to the lake, undoing and idempotency (``FileShape.fingerprint``) belong to ``ground.connecting``.
"""

from potager.connectors.files.inspecting import inspect
from potager.connectors.files.plans import ColumnPlan, ReadPlan, plan_from
from potager.connectors.files.reading import Reading, preview, read
from potager.connectors.files.rejects import Rejects, write_rejects_csv
from potager.connectors.files.shapes import (
    Cast,
    ColumnShape,
    FileShape,
    Preview,
    Progress,
    ReadOptions,
    Rejected,
)
from potager.kit.files import formula_safe

ABOUT = "A table: CSV, JSON Lines, Parquet or Excel"

__all__ = [
    "ABOUT",
    "Cast", "ColumnPlan", "ColumnShape", "FileShape", "Preview", "Progress", "ReadOptions", "ReadPlan", "Reading",
    "Rejected", "Rejects", "formula_safe", "inspect", "plan_from", "preview", "read", "write_rejects_csv",
]  # fmt: skip
