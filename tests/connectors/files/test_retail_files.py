"""The real retail file, as anyone has it: as CSV and as Excel it reads back to the same facts."""

from __future__ import annotations

import os
from pathlib import Path

import openpyxl
import pyarrow.compute as pc
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import parquet as pq

from potager.connectors.files import inspect, plan_from, read

FILE = Path(
    os.environ.get("POTAGER_RETAIL_FILE") or Path(__file__).parents[4] / "shared/data/online_retail.parquet"
)
pytestmark = [
    pytest.mark.retail,
    pytest.mark.skipif(
        not FILE.exists(), reason="The real retail file is not there (set POTAGER_RETAIL_FILE)."
    ),
]


def facts(path: Path) -> tuple[int, float, int, int]:
    with read(path, plan_from(inspect(path))) as reading:
        table = reading.batches.read_all()
        rejected = reading.rejects.count
    total = pc.sum(pc.multiply(table["quantity"].cast("double"), table["unit_price"])).as_py()
    return table.num_rows, round(total, 3), table["customer_id"].null_count, rejected


def test_as_parquet() -> None:
    assert facts(FILE) == (541_909, 9_747_747.934, 135_080, 0)


@pytest.mark.parametrize(("delimiter", "encoding"), [(",", "utf-8"), (";", "cp1252"), ("\t", "utf-16")])
def test_as_csv(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = tmp_path / "retail.csv"
    arrow_csv.write_csv(pq.read_table(FILE), path, arrow_csv.WriteOptions(delimiter=delimiter))
    if encoding != "utf-8":
        path.write_bytes(path.read_text("utf-8").encode(encoding))
    assert facts(path) == (541_909, 9_747_747.934, 135_080, 0)


def test_a_slice_as_excel(tmp_path: Path) -> None:
    part = pq.read_table(FILE).slice(0, 8_000)
    expected = round(pc.sum(pc.multiply(part["quantity"].cast("double"), part["unit_price"])).as_py(), 3)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Online Retail")
    sheet.append(part.schema.names)
    for row in zip(*(part[name].to_pylist() for name in part.schema.names), strict=True):
        sheet.append(row)
    path = tmp_path / "retail.xlsx"
    book.save(path)
    assert facts(path) == (8_000, expected, part["customer_id"].null_count, 0)
    shape = inspect(path)
    assert {one.name: one.type for one in shape.columns} == {
        "invoice_no": "text", "stock_code": "text", "description": "text", "quantity": "integer",
        "invoice_date": "timestamp", "unit_price": "number", "customer_id": "text", "country": "text",
    }  # fmt: skip
