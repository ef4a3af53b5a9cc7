"""Broken files through the whole import: a sentence, or rows set aside with their line and reason."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from potager.ground.connecting import actions
from potager.ground.connecting.models import Import
from potager.ground.jobs.models import State
from potager.ground.lake.service import lake, warehouse
from potager.kit.errors import Invalid
from tests.ground.conftest import data_folder, work_off

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures(data_folder.__name__)]
assert work_off
TABLE = "shop.broken"


@pytest.fixture
def bring(bo, work_off) -> Callable[[bytes], Import]:
    """Upload a CSV, import it as proposed."""

    def brought(content: bytes) -> Import:
        chunks = (content[at : at + 65_536] for at in range(0, len(content), 65_536))
        made = actions.upload(actor=bo.actor, file_name="broken.csv", chunks=chunks, table=TABLE)
        actions.start(actor=bo.actor, imported=made)
        (job,) = work_off()
        assert job.state == State.DONE, job.problem
        return Import.objects.get(pk=made.pk)

    return brought


def rows(columns: str, order: str = "1") -> list[dict[str, object]]:
    return warehouse().query(f"SELECT {columns} FROM {TABLE} ORDER BY {order}").table.to_pylist()


def set_aside(imported: Import) -> list[tuple[int, str]]:
    with imported.rejects_path.open(newline="") as file:
        return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_letters_come_through_whatever_the_encoding(bring, encoding):
    content = "city,number\n" + "".join(f"Köln,{number}\n" for number in range(50))
    done = bring(content.encode(encoding))
    assert (done.rows, done.rejected) == (50, 0)
    assert rows("DISTINCT city") == [{"city": "Köln"}]
    said = " ".join(problem["problem"] for problem in done.shape["problems"])
    assert ("is a guess" in said) == (encoding == "cp1252"), (
        "a guess is called one before anything is imported"
    )


def test_a_line_of_fifty_megabytes_is_set_aside_and_the_others_come_in(bring):
    done = bring(b"city,number\nBonn,1\n" + b"x" * 50_000_000 + b",2\nBonn,3\n")
    assert (done.rows, done.rejected) == (2, 1) and rows("number") == [{"number": 1}, {"number": 3}]
    ((line, reason),) = set_aside(done)
    assert line == 3 and "50,000,002 bytes long" in reason
    assert done.rejects_path.stat().st_size < 100_000, "what is set aside does not fill the disk"
    assert [*done.reasons.values()] == [1]


def test_a_file_that_is_one_line_of_fifty_megabytes_is_refused_and_not_kept(bo, data_folder):
    with pytest.raises(Invalid, match=r"header of broken\.csv .* cannot be read") as refused:
        actions.upload(actor=bo.actor, file_name="broken.csv", chunks=[b"x" * 50_000_000], table=TABLE)
    assert refused.value.mend and not [*Path(data_folder).glob("uploads/*")]
    assert not lake().exists(TABLE)


def test_columns_of_one_name_are_told_apart_and_both_come_in(bring):
    done = bring(b"day,amount,amount\n2026-01-01,1,2\n2026-01-02,3,4\n")
    assert "same name" in done.shape["problems"][0]["problem"]
    assert rows("sum(amount)::INT AS a, sum(amount_2)::INT AS b") == [{"a": 4, "b": 6}]


def test_dates_written_in_three_ways_are_the_same_days(bring):
    ways = ("2026-01-{:02}", "{:02}/01/2026", "Jan {} 2026")
    lines = [f"{way.format(day)},{day}" for way in ways for day in range(1, 29)]
    done = bring(("day,number\n" + "\n".join(lines) + "\n").encode())
    (note,) = [column["note"] for column in done.shape["columns"] if column["name"] == "day"]
    assert "3 ways" in note and "The day comes first" in note
    assert (done.rows, done.rejected) == (84, 0)
    assert rows("count(*) n, count(DISTINCT day) d, sum(day(day) - number)::INT s") == [
        {"n": 84, "d": 28, "s": 0}
    ]


def test_a_way_of_writing_dates_that_comes_too_late_to_be_seen_is_set_aside(bring):
    lines = [f"2026-01-{1 + number % 28:02},{number}" for number in range(200_000)]
    done = bring(("day,number\n" + "\n".join([*lines, "the day after,7"]) + "\n").encode())
    assert done.rows + done.rejected == 200_001, "every row is in or set aside"
    if done.rejected:
        ((line, reason),) = set_aside(done)
        assert line == 200_002 and "the day after" in reason


def test_ragged_rows_and_quotes_never_closed_are_set_aside_with_their_lines(bring):
    done = bring(b'number,name\n1,a\n2,b,c\n3\n4,d\n5,"never closed\n')
    assert rows("number") == [{"number": 1}, {"number": 4}]
    aside = dict(set_aside(done))
    assert set(aside) == {3, 4, 6} and done.rejected == 3
    assert "3 cells instead of 2" in aside[3] and "1 cell instead of 2" in aside[4]
    assert "never closed" in aside[6]


def test_a_file_that_is_no_text_is_refused(bo):
    with pytest.raises(Invalid, match="is not a text file") as refused:
        actions.upload(actor=bo.actor, file_name="broken.csv", chunks=[b"a,b\n1,2\n\x00,3\n"], table=TABLE)
    assert "CSV, Excel" in refused.value.mend
