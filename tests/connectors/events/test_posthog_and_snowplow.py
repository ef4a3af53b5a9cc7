"""PostHog's exports and Snowplow's enriched events are known by their shape."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from potager.connectors.events import inspect
from potager.connectors.events.vocabulary import SNOWPLOW_FIELDS
from tests.connectors.events.helpers import Whole, at, lines


def hog(number: int, event: str = "opened", person: str = "ann", **properties: Any) -> dict[str, Any]:
    return {"uuid": f"h{number}", "event": event, "distinct_id": person,
            "timestamp": f"2025-03-01T10:00:{number:02}+00:00", "properties": properties}  # fmt: skip


ROWS = [
    hog(1, person="device-1"),
    hog(2, "$identify", **{"$anon_distinct_id": "device-1"}),
    hog(3, "$create_alias", alias="ann@example.org"),
    hog(4, "saved", **{"$groups": {"company": "acme", "project": "p1"}}),
    hog(5, "saved", **{"$groups": {"workshop": "w1"}}),
    hog(6, "$groupidentify", **{"$group_type": "company", "$group_key": "acme", "$group_set": {"seats": 3}}),
    hog(4, "saved"),
]


def written(folder: Path, kind: str) -> Path:
    """Write the same export in one of three formats."""
    path = folder / f"export.{kind}"
    if kind == "jsonl":
        return lines(path, ROWS)
    flat = [{**row, "properties": json.dumps(row["properties"])} for row in ROWS]
    if kind == "csv":
        quote = '"'
        rows = [",".join(flat[0])] + [
            ",".join(f'"{value.replace(quote, quote * 2)}"' for value in row.values()) for row in flat
        ]
        path.write_text("\n".join(rows))
    else:
        table = pa.Table.from_pylist(flat)
        moments = pa.array([datetime.fromisoformat(r["timestamp"]) for r in flat], pa.timestamp("us", "UTC"))
        pq.write_table(table.set_column(table.column_names.index("timestamp"), "timestamp", moments), path)
    return path


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_posthog_export_is_read_alike_in_each_format(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, kind)
    assert inspect(path).kind == "posthog"
    found = Whole(path, zone="America/New_York")  # its times know their own zone, whatever the plan says
    assert [(e["event_id"], e["person"], e["event"], e["account"]) for e in found.events] == [
        ("h1", "device-1", "opened", None), ("h4", "ann", "saved", "acme"), ("h5", "ann", "saved", "w1")
    ]  # fmt: skip
    assert found.events[0]["occurred_at"] == at(2025, 3, 1, 10, 0, 1)
    assert found.identities == {"device-1": "ann", "ann@example.org": "ann"}
    assert [(row["account"], row["person"], row["traits"]) for row in found.accounts] == [
        ("acme", None, '{"seats":3}')
    ]
    assert (found.duplicates, found.calls) == (1, 3)


def test_the_group_that_is_the_account_can_be_said(tmp_path: Path) -> None:
    found = Whole(written(tmp_path, "jsonl"), group="project")
    assert [e["account"] for e in found.events] == [None, "p1", None]


def test_flattened_posthog_properties_become_json(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "uuid,event,distinct_id,timestamp,properties.plan,properties.$browser\nh1,go,ann,2025-03-01T10:00:00Z,pro,\n"
    )
    found = Whole(path)
    assert json.loads(found.events[0]["properties"]) == {"plan": "pro"}


def plow(number: int, **fields: str) -> str:
    given = {"event_id": f"00000000-0000-4000-8000-{number:012}", "collector_tstamp": "2025-03-01 10:00:05.000",
             "domain_userid": "cookie-1", "event": "page_view", "event_name": "page_view", "app_id": "web",
             "page_urlpath": "/pricing", "v_tracker": "js"} | fields  # fmt: skip
    return "\t".join(given.get(name, "") for name in SNOWPLOW_FIELDS)


def test_enriched_events_without_a_header_are_known_by_their_fields(tmp_path: Path) -> None:
    path = tmp_path / "part-0.tsv"
    deed = json.dumps({"schema": "x", "data": {"schema": "iglu:a/b", "data": {"size": 3, "name": 'a "b"'}}})
    path.write_text("\n".join([
        plow(1, derived_tstamp="2025-03-01 10:00:01.500"),
        plow(2, event="struct", event_name="event", se_action="export", user_id="ann",
             dvce_created_tstamp="2025-03-02 10:00:00", dvce_sent_tstamp="2025-03-02 10:00:02"),
        plow(3, event="unstruct", event_name="resized", unstruct_event=deed),
        plow(1),
    ]) + "\n")  # fmt: skip
    shape = inspect(path)
    assert shape.kind == "snowplow" and not shape.problems
    found = Whole(path, zone="UTC")
    assert [(e["event"], e["person"], e["occurred_at"]) for e in found.events] == [
        ("page_view", "cookie-1", at(2025, 3, 1, 10, 0, 1, 500_000)),
        ("export", "ann", at(2025, 3, 1, 10, 0, 3)),  # collector - (sent - created)
        ("resized", "cookie-1", at(2025, 3, 1, 10, 0, 5)),
    ]
    assert found.identities == {"cookie-1": "ann"}
    assert json.loads(found.events[2]["properties"]) == {
        "app_id": "web", "page_urlpath": "/pricing", "size": 3, "name": 'a "b"'
    }  # fmt: skip
    assert found.duplicates == 1


def test_enriched_events_in_parquet_are_known_too(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({
        "event_id": ["e1"], "collector_tstamp": pa.array([datetime(2025, 3, 1, 10, tzinfo=UTC)]),
        "domain_userid": ["c"], "user_id": pa.array([None], pa.string()), "event_name": ["page_view"],
    }), path)  # fmt: skip
    assert inspect(path).kind == "snowplow"
    assert [(e["person"], e["event"], e["occurred_at"]) for e in Whole(path).events] == [
        ("c", "page_view", at(2025, 3, 1, 10))
    ]
