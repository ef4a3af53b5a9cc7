"""Plain files of events: columns are guessed, time zones are said, nothing is lost without a word."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.connectors.events import ReadPlan, inspect, merge_identities, plan_from, preview, read
from potager.connectors.files import Progress
from potager.ground.connecting.connectors import described
from potager.kit.errors import Invalid
from tests.connectors.events.helpers import AS_OF, Whole, at

HEADER = "event_id,user_id,account_id,event,occurred_at,plan\n"


def plain(folder: Path, text: str, name: str = "events.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_columns_are_guessed_and_the_rest_are_properties(tmp_path: Path) -> None:
    path = plain(
        tmp_path, HEADER + "e1,ann,acme,open,2025-03-01T10:00:00Z,pro\ne2,bo,,save,2025-03-01 11:00:00,\n"
    )
    found = Whole(path)
    assert found.plan.roles == {"event_id": "event_id", "person": "user_id", "account": "account_id",
                                "event": "event", "time": "occurred_at"}  # fmt: skip
    assert [(e["person"], e["account"], e["event"], e["properties"]) for e in found.events] == [
        ("ann", "acme", "open", '{"plan":"pro"}'), ("bo", None, "save", "{}")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2025-07-01 10:00:00", "UTC", at(2025, 7, 1, 10)),
        ("2025-07-01 10:00:00", "Europe/Berlin", at(2025, 7, 1, 8)),
        ("2025-01-01 10:00:00", "Europe/Berlin", at(2025, 1, 1, 9)),
        ("2025-07-01 10:00:00+05:30", "Europe/Berlin", at(2025, 7, 1, 4, 30)),
        ("2025/07/01 10:00", "UTC", at(2025, 7, 1, 10)),
        ("2025-07-01", "Europe/Berlin", at(2025, 6, 30, 22)),
        ("1751364000", "Europe/Berlin", at(2025, 7, 1, 10)),
        ("1751364000123", "UTC", at(2025, 7, 1, 10, 0, 0, 123_000)),
        ("1751364000123456", "UTC", at(2025, 7, 1, 10, 0, 0, 123_456)),
        ("1751364000.5", "UTC", at(2025, 7, 1, 10, 0, 0, 500_000)),
    ],
)
def test_a_moment_is_read_in_its_own_zone_or_that_of_the_plan(
    tmp_path: Path, text: str, zone: str, moment: object
) -> None:
    path = plain(tmp_path, f"user_id,event,time\nann,open,{text}\n")
    assert Whole(path, zone=zone).events[0]["occurred_at"] == moment


def test_an_hour_that_the_clocks_skipped_is_set_aside(tmp_path: Path) -> None:
    path = plain(tmp_path, "user_id,event,time\nann,open,2025-03-30 02:30:00\nann,open,2025-03-30 03:30:00\n")
    found = Whole(path, zone="Europe/Berlin")
    assert found.reasons == [
        (2, "time: “2025-03-30 02:30:00” is a time that the clocks of Europe/Berlin skipped.")
    ]
    assert found.events[0]["occurred_at"] == at(2025, 3, 30, 1, 30)


def test_days_before_months_are_read_as_the_file_shows(tmp_path: Path) -> None:
    path = plain(tmp_path, "user_id,event,time\nann,open,25/03/2025 10:00\nann,open,03/04/2025 10:00\n")
    assert [e["occurred_at"] for e in Whole(path).events] == [at(2025, 3, 25, 10), at(2025, 4, 3, 10)]


def test_times_without_a_zone_are_remarked(tmp_path: Path) -> None:
    shape = inspect(plain(tmp_path, HEADER + "e1,ann,acme,open,2025-03-01 10:00:00,pro\n"))
    assert any("name no time zone; they are read as UTC" in one.problem for one in shape.problems)


def test_events_from_the_future_are_set_aside_but_not_for_a_clock_a_little_ahead(tmp_path: Path) -> None:
    path = plain(tmp_path, "user_id,event,time\nann,a,2026-01-01T00:59:00Z\nann,b,2026-01-01T01:01:00Z\n")
    found = Whole(path)
    assert [e["event"] for e in found.events] == ["a"]
    assert found.reasons == [(3, "time: “2026-01-01T01:01:00Z” lies in the future.")]


def test_a_file_without_a_person_is_refused_with_a_sentence_and_can_be_mapped(tmp_path: Path) -> None:
    path = plain(tmp_path, "badge,event,time\nx1,open,2025-03-01T10:00:00Z\n")
    shape = inspect(path)
    assert any(one.where == "roles.person" for one in shape.problems)
    plan = plan_from(shape)
    with pytest.raises(Invalid, match="No column says who did it"):
        read(path, plan)
    assert Whole(path, plan, roles={**plan.roles, "person": "badge"}).events[0]["person"] == "x1"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"zone": "Mars/Base"}, "no time zone"),
        ({"zone": "../../etc/passwd"}, "no time zone"),
        ({"kind": "webtrends"}, "no kind of events"),
        ({"roles": {"person": "nowhere", "time": "time"}}, "no column “nowhere”"),
        ({"roles": {"king": "time"}}, "nothing a column can mean"),
        ({"future_minutes": -1}, "cannot be negative"),
        ({"future_minutes": True}, "must be a whole number"),
        ({"speed": 1}, "no field “speed”"),
        ({"date_formats": ["%Q"]}, "%Q"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(
    tmp_path: Path, change: dict[str, object], sentence: str
) -> None:
    path = plain(tmp_path, "user_id,event,time\nann,open,2025-03-01T10:00:00Z\n")
    given = plan_from(inspect(path)).to_dict() | change
    with pytest.raises(Invalid, match=sentence):
        read(path, ReadPlan.from_dict(given), as_of=AS_OF)


def test_rows_without_a_name_of_the_event_are_the_same_event(tmp_path: Path) -> None:
    path = plain(tmp_path, "CustomerID,InvoiceDate,Quantity\n17,2025-03-01 10:00:00,3\n")
    found = Whole(path)
    assert (found.events[0]["person"], found.events[0]["event"]) == ("17", "event")
    assert any("every row counts as the same event" in one.problem for one in inspect(path).problems)


def test_properties_that_are_no_json_are_set_aside(tmp_path: Path) -> None:
    path = plain(
        tmp_path, 'user_id,event,time,properties\nann,a,2025-03-01,{oops\nann,b,2025-03-01,"{""a"":1}"\n'
    )
    found = Whole(path)
    assert [e["properties"] for e in found.events] == ['{"a":1}']
    assert found.reasons == [(2, "properties: “{oops” is not valid JSON.")]


def test_parquet_moments_keep_their_zone_and_local_ones_get_that_of_the_plan(tmp_path: Path) -> None:
    noon = at(2025, 7, 1, 12)
    for zone, moment in (("UTC", noon), (None, at(2025, 7, 1, 10))):
        path = tmp_path / f"{zone}.parquet"
        values = pa.array([noon.replace(tzinfo=None)], pa.timestamp("us")).cast(pa.timestamp("ns", zone))
        pq.write_table(pa.table({"user_id": ["ann"], "event": ["open"], "occurred_at": values}), path)
        assert Whole(path, zone="Europe/Berlin").events[0]["occurred_at"] == moment


def test_quotes_and_sql_in_names_are_only_text(tmp_path: Path) -> None:
    path = plain(
        tmp_path, 'user_id,event,time,"it\'s; DROP TABLE t --"\n\'; SELECT 1 --,o\'pen,2025-03-01,"a""b"\n'
    )
    event = Whole(path).events[0]
    assert (event["person"], event["event"]) == ("'; SELECT 1 --", "o'pen")
    assert json.loads(event["properties"]) == {"it's; DROP TABLE t --": 'a"b'}


def test_what_is_read_agrees_with_a_naive_second_reading(tmp_path: Path) -> None:
    """A hundred thousand rows over many blocks, a fifth of them repeated, some spoiled: Python counts the same."""
    chance = random.Random(3)
    rows = [
        (f"e{chance.randrange(80_000)}", chance.choice(["", "u1", "u2"]), "open",
         chance.choice(["2025-03-01T10:00:00Z", "soon"]))
        for _ in range(100_000)
    ]  # fmt: skip
    path = tmp_path / "big.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("event_id", "user_id", "event", "time"), *rows])
    good = [row for row in rows if row[1] and row[3] != "soon"]
    first: dict[str, str] = {}
    for row in good:
        first.setdefault(row[0], row[1])
    plan = ReadPlan.from_dict(plan_from(inspect(path)).to_dict())
    seen: list[Progress] = []
    plan = ReadPlan(plan.kind, plan.file, plan.roles | {"time": "time"})
    with read(path, plan, progress=seen.append, as_of=AS_OF) as reading:
        table = pa.Table.from_batches(list(reading.batches), reading.schema)
        assert reading.rejects.count == len(rows) - len(good)
        assert reading.duplicates == len(good) - len(first)
        assert reading.rows + reading.duplicates + reading.rejects.count == len(rows)
    assert dict(zip(table["event_id"].to_pylist(), table["person"].to_pylist(), strict=True)) == first
    assert seen[-1].done == seen[-1].total
    assert Counter(table["event"].to_pylist()) == {"open": len(first)}


def test_nothing_is_left_on_disk(tmp_path: Path) -> None:
    path = plain(tmp_path, HEADER + "e1,ann,acme,open,2025-03-01T10:00:00Z,pro\n")
    folder = tmp_path / "work"
    folder.mkdir()
    with read(path, plan_from(inspect(path)), as_of=AS_OF, folder=folder) as reading:
        list(reading.batches)
        assert list(folder.iterdir())
    assert not list(folder.iterdir())


def test_the_first_events_are_shown_and_the_shape_is_plain_json(tmp_path: Path) -> None:
    path = plain(tmp_path, HEADER + "e1,ann,acme,open,2025-03-01T10:00:00Z,pro\n,,,,,\n")
    shape = inspect(path)
    shown = preview(path, plan_from(shape), as_of=AS_OF)
    assert shown.rows["person"].to_pylist() == ["ann"]
    assert len(shown.rejected) == 1
    assert json.loads(json.dumps(described(shape)))["format"] == "events, csv"


def test_a_reading_can_be_canceled(tmp_path: Path) -> None:
    path = plain(tmp_path, HEADER + "e1,ann,acme,open,2025-03-01T10:00:00Z,pro\n")

    def stop(_: Progress) -> None:
        raise InterruptedError

    with read(path, plan_from(inspect(path)), progress=stop, as_of=AS_OF) as reading:
        with pytest.raises(InterruptedError):
            list(reading.batches)
        assert isinstance(reading.failure, InterruptedError)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.integers(0, 30), st.integers(0, 30), max_size=30))
def test_identities_end_where_following_them_by_hand_ends(links: dict[int, int]) -> None:
    links = {alias: person for alias, person in links.items() if alias != person}
    table = pa.table({"alias": pa.array([f"i{one}" for one in links], pa.string()),
                      "person": pa.array([f"i{one}" for one in links.values()], pa.string())})  # fmt: skip

    def end(one: int) -> int | None:
        seen = set()
        while one in links:
            if one in seen:
                return None
            seen.add(one)
            one = links[one]
        return one

    ends = {f"i{alias}": end(alias) for alias in links}
    if None in ends.values():
        with pytest.raises(Invalid, match="circle"):
            merge_identities(table)
        return
    found = merge_identities(table).table.to_pylist()
    assert {row["alias"]: row["person"] for row in found} == {a: f"i{p}" for a, p in ends.items()}


def test_a_chain_of_a_thousand_merges_ends_at_its_end() -> None:
    names = [f"n{number}" for number in range(1001)]
    found = merge_identities(pa.table({"alias": names[:-1], "person": names[1:]})).table
    assert set(found["person"].to_pylist()) == {"n1000"}
