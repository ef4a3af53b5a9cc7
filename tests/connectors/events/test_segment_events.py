"""Segment's calls become events, identities and accounts; clocks are corrected as Segment documents it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.connectors.events import EVENTS, inspect
from potager.kit.errors import Invalid
from tests.connectors.events.helpers import Whole, at, lines


def call(number: int, type_: str = "track", **also: Any) -> dict[str, Any]:
    """One call, made and received at the same moment."""
    moment = f"2025-03-01T10:00:{number % 60:02}.000Z"
    made = {"type": type_, "messageId": f"m{number}", "userId": "ann", "originalTimestamp": moment,
            "sentAt": moment, "receivedAt": moment, "timestamp": moment}  # fmt: skip
    if type_ == "track":
        made |= {"event": "Order Completed", "properties": {"total": 12.5}}
    return {name: value for name, value in {**made, **also}.items() if value is not None}


def test_segment_is_known_by_its_shape(tmp_path: Path) -> None:
    shape = inspect(lines(tmp_path / "a.jsonl", [call(1), call(2, "page")]))
    assert shape.kind == "segment" and shape.format == "Segment events, jsonl"
    assert not shape.problems


def test_a_track_call_becomes_an_event_of_the_one_table(tmp_path: Path) -> None:
    found = Whole(lines(tmp_path / "a.jsonl", [call(1, context={"groupId": "acme"})]))
    assert found.schema.equals(EVENTS)
    assert found.events == [
        {"event_id": "m1", "person": "ann", "account": "acme", "event": "Order Completed",
         "occurred_at": at(2025, 3, 1, 10, 0, 1), "received_at": at(2025, 3, 1, 10, 0, 1),
         "properties": '{"total":12.5}'}
    ]  # fmt: skip


def test_the_clock_of_a_device_is_corrected_by_what_segment_documents(tmp_path: Path) -> None:
    """timestamp = receivedAt - (sentAt - originalTimestamp): the device's clock is a day ahead, the event 5 s old."""
    skewed = call(1, originalTimestamp="2025-03-02T09:59:55Z", sentAt="2025-03-02T10:00:00Z",
                  receivedAt="2025-03-01T10:00:00Z", timestamp=None)  # fmt: skip
    assert Whole(lines(tmp_path / "a.jsonl", [skewed])).events[0]["occurred_at"] == at(2025, 3, 1, 9, 59, 55)


@settings(max_examples=25, deadline=None)
@given(ahead=st.integers(-(10**6), 10**6), waited=st.integers(0, 10**6))
def test_a_wrong_clock_never_moves_an_event(tmp_path_factory: Any, ahead: int, waited: int) -> None:
    true = at(2025, 3, 1, 10)
    received, off = true + timedelta(seconds=waited), timedelta(seconds=ahead)
    row = call(1, originalTimestamp=(true + off).isoformat(), sentAt=(received + off).isoformat(),
               receivedAt=received.isoformat(), timestamp=None)  # fmt: skip
    path = tmp_path_factory.mktemp("skew") / "a.jsonl"
    assert Whole(lines(path, [row])).events[0]["occurred_at"] == true


def test_without_the_three_times_the_timestamp_counts(tmp_path: Path) -> None:
    row = call(1, sentAt=None, timestamp="2025-03-01T08:00:00+02:00")
    assert Whole(lines(tmp_path / "a.jsonl", [row])).events[0]["occurred_at"] == at(2025, 3, 1, 6)


def test_identify_and_alias_calls_become_identities_and_are_no_events(tmp_path: Path) -> None:
    found = Whole(lines(tmp_path / "a.jsonl", [
        call(1, userId=None, anonymousId="phone"),
        call(2, "identify", anonymousId="phone", userId="lead-7", traits={"plan": "pro"}),
        call(3, "alias", previousId="lead-7", userId="ann"),
    ]))  # fmt: skip
    assert [event["person"] for event in found.events] == ["phone"]
    assert found.identities == {"phone": "ann", "lead-7": "ann"}  # followed to the end
    assert found.calls == 2
    assert any("2 calls said who is who" in note for note in found.notes)


def test_identities_in_a_circle_are_refused_with_a_sentence_and_events_stay(tmp_path: Path) -> None:
    found = Whole(lines(tmp_path / "a.jsonl", [
        call(1), call(2, "alias", previousId="a", userId="b"), call(3, "alias", previousId="b", userId="c"),
        call(4, "alias", previousId="c", userId="a"),
    ]))  # fmt: skip
    assert isinstance(found.circle, Invalid)
    assert "“a” is merged into “b” is merged into “c” is merged into “a”" in found.circle.detail
    assert len(found.events) == 1
    assert any("circle" in note for note in found.notes)


def test_a_shared_device_belongs_to_the_first_who_used_it(tmp_path: Path) -> None:
    found = Whole(lines(tmp_path / "a.jsonl", [
        call(5, anonymousId="kiosk", userId="bo"), call(2, anonymousId="kiosk", userId="ann"),
    ]))  # fmt: skip
    assert found.identities == {"kiosk": "ann"}
    assert [event["person"] for event in found.events] == ["bo", "ann"]
    assert any("several persons" in note for note in found.notes)


@pytest.mark.parametrize("nobody", ["null", "undefined", "anonymous", "NaN"])
def test_nobody_is_merged_with_what_faulty_code_sends_for_an_id(tmp_path: Path, nobody: str) -> None:
    found = Whole(lines(tmp_path / "a.jsonl", [call(1, anonymousId=nobody)]))
    assert found.identities == {}
    assert len(found.events) == 1


def test_group_calls_make_accounts_and_their_members_events_belong_there(tmp_path: Path) -> None:
    found = Whole(lines(tmp_path / "a.jsonl", [
        call(1), call(2, userId="bo"),
        call(3, "group", groupId="acme", traits={"seats": 5}),
        call(4, "group", groupId="acme", userId="bo"), call(5, "group", groupId="zeta", userId="bo"),
    ]))  # fmt: skip
    assert [(row["account"], row["person"]) for row in found.accounts] == [
        ("acme", "ann"), ("acme", "bo"), ("zeta", "bo")
    ]  # fmt: skip
    assert found.accounts[0]["traits"] == '{"seats":5}'
    # ann is in one account; of bo's two nobody knows which it was.
    assert [event["account"] for event in found.events] == ["acme", None]


def test_pages_and_screens_are_events_with_their_name(tmp_path: Path) -> None:
    rows = [call(1, "page", name="Pricing"), call(2, "screen", properties={"name": "Home"})]
    found = Whole(lines(tmp_path / "a.jsonl", rows))
    assert [(e["event"], e["properties"]) for e in found.events] == [
        ("page", '{"name":"Pricing"}'), ("screen", '{"name":"Home"}')
    ]  # fmt: skip


def test_an_event_that_comes_twice_counts_once(tmp_path: Path) -> None:
    rows = [call(1), call(2), call(1, userId="later"), call(3), call(1)]
    found = Whole(lines(tmp_path / "a.jsonl", rows))
    assert [(e["event_id"], e["person"]) for e in found.events] == [
        ("m1", "ann"),
        ("m2", "ann"),
        ("m3", "ann"),
    ]
    assert found.duplicates == 2


def test_rows_that_cannot_be_taken_are_set_aside_with_line_and_reason(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", [
        call(1), call(2, userId=None), call(3, event=None), call(4, type="sing"),
        call(5, originalTimestamp=None, sentAt=None, receivedAt=None, timestamp="yesterday"),
        call(6, originalTimestamp=None, sentAt=None, receivedAt=None, timestamp=None),
        call(7, originalTimestamp=None, sentAt=None, timestamp="2031-01-01T00:00:00Z"),
    ])  # fmt: skip
    with path.open("a") as file:
        file.write("{broken\n")
    found = Whole(path)
    assert len(found.events) == 1
    said = dict(found.reasons)
    assert said[2] == "userId: The row says nobody."
    assert said[3] == "event: The row names no event."
    assert said[4] == "type: “sing” is no kind of call."
    assert said[5] == "timestamp: “yesterday” is not a date and time."
    assert said[6] == "timestamp: The row says no time."
    assert said[7] == "timestamp: “2031-01-01T00:00:00Z” lies in the future."
    assert "not valid JSON" in said[8]


def test_keys_that_only_later_rows_have_are_read(tmp_path: Path) -> None:
    rows = [call(number, anonymousId=None) for number in range(3)] + [call(9, userId=None, anonymousId="x")]
    assert Whole(lines(tmp_path / "a.jsonl", rows)).events[-1]["person"] == "x"
