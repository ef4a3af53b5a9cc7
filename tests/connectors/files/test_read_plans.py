"""The mapping: kept as JSON, changed column by column, refused with a sentence for each thing that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from potager.connectors.files import Cast, ReadPlan, plan_from
from potager.connectors.files.plans import ColumnPlan, check
from potager.kit.errors import Invalid

from .helpers import shape_of


def good() -> dict[str, Any]:
    return {"format": "csv", "columns": [{"source": "A", "name": "a", "type": "integer"}]}


def test_a_plan_survives_json(tmp_path: Path) -> None:
    shape = shape_of(tmp_path, "Id;Amount;Day\n1;1.234,5;31/01/2024\n2;7,25;28/02/2024\n")
    plan = plan_from(shape)
    again = ReadPlan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert again == plan
    assert plan.columns[1].cast == Cast("number", decimal_mark=",")
    assert plan.columns[2].cast.date_formats == ("%d/%m/%Y",)


def test_defaults_may_be_left_out() -> None:
    plan = ReadPlan.from_dict(good())
    assert plan.columns == (ColumnPlan("A", "a", Cast("integer")),)
    assert (plan.encoding, plan.delimiter, plan.header) == ("utf-8", ",", True)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "ods"}, "“ods” is not a format that can be read"),
        ({"format": None}, "“None” is not a format"),
        ({"colour": 1}, "A plan has no field “colour”"),
        ({"encoding": "klingon"}, "“klingon” is not an encoding that is known"),
        ({"encoding": 7}, "encoding must be text, not 7"),
        ({"delimiter": "||"}, "is not one plain character"),
        ({"delimiter": "¦"}, "is not one plain character"),
        ({"quote": ","}, "The quote character ',' cannot be used"),
        ({"escape": "xx"}, "The escape character 'xx' cannot be used"),
        ({"compression": "zip"}, "“zip” is not a compression that can be read"),
        ({"skip_lines": -1}, "cannot be negative"),
        ({"skip_lines": True}, "skip_lines must be a whole number, not True"),
        ({"header": "yes"}, "header must be true or false, not 'yes'"),
        ({"columns": {}}, "columns must be a list"),
        ({"columns": []}, "The plan includes no column"),
        ({"columns": ["a"]}, r"columns\[0\] must be an object with source and name"),
        ({"columns": [{"source": "A"}]}, r"columns\[0\] has no name"),
        (
            {"columns": [{"source": "A", "name": "a", "colour": 1}]},
            r"A plan has no field “columns\[0\].colour”",
        ),
        (
            {"columns": [{"source": "A", "name": "a", "include": 1}]},
            r"columns\[0\].include must be true or false",
        ),
        (
            {"columns": [{"source": "A", "name": "a", "null_words": [1]}]},
            r"columns\[0\].null_words must hold text only",
        ),
        (
            {"columns": [{"source": "A", "name": "a", "date_formats": "x"}]},
            "date_formats must be a list of formats",
        ),
        ({"columns": [{"source": "A", "name": "A b"}]}, "“A b” is not a column name"),
        ({"columns": [{"source": "A", "name": "a", "type": "money"}]}, "“money” is not a type"),
        ({"columns": [{"source": "A", "name": "a", "type": "decimal(2,9)"}]}, "is not a type"),
        ({"columns": [{"source": "A", "name": "a", "decimal_mark": "x"}]}, "“x” is not a decimal mark"),
        ({"columns": [{"source": "A", "name": "a", "date_formats": ["%Q"]}]}, "has %Q, which is not known"),
        (
            {"columns": [{"source": "A", "name": "a", "date_formats": ["%d %H"]}]},
            "does not say day, month and year",
        ),
        (
            {"columns": [{"source": "A", "name": "a"}, {"source": "A", "name": "b"}]},
            "Two columns have the source “A”",
        ),
        (
            {"columns": [{"source": "A", "name": "a"}, {"source": "B", "name": "a"}]},
            "Two columns have the name “a”",
        ),
    ],
)
def test_what_is_wrong_with_a_plan_is_said(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as caught:
        ReadPlan.from_dict(good() | change)
    assert all(error.problem and error.mend for error in caught.value.errors)


def test_every_mistake_is_listed_at_once() -> None:
    with pytest.raises(Invalid, match=r"\(1 more\)") as caught:
        ReadPlan.from_dict(good() | {"encoding": "klingon", "compression": "zip"})
    assert [error.where for error in caught.value.errors] == ["encoding", "compression"]


def test_a_column_is_changed_by_its_source_name() -> None:
    plan = ReadPlan.from_dict(good()).with_column("A", name="total", type="decimal(18,2)")
    assert plan.columns[0] == ColumnPlan("A", "total", Cast("decimal(18,2)"))
    with pytest.raises(Invalid, match="The plan has no column “B”"):
        plan.with_column("B", name="b")
    with pytest.raises(Invalid, match="The plan includes no column"):
        plan.with_column("A", include=False)


def test_columns_that_are_left_out_may_have_any_name() -> None:
    columns = (ColumnPlan("A", "a"), ColumnPlan("B", "NOT A NAME", include=False))
    assert check(ReadPlan("csv", columns)).included == columns[:1]
