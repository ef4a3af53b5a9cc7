"""Who is who comes with the events, is followed to the end over all files, and goes with the file that said it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from potager.engines.behavior import Funnel, Match, Scope, funnel_members_sql
from potager.ground.jobs.work import run_job
from potager.ground.lake.service import lake, warehouse
from potager.insight.usage import actions
from potager.insight.usage.describing import events_of, has_repeats
from potager.insight.usage.models import EventFile, Stream
from potager.insight.usage.queries import guess_of

TABLE = "app.happened"


def call(kind: str, at: int, **more: str) -> str:
    given = {
        "type": kind,
        "messageId": f"{kind}-{at}-{more}",
        "timestamp": f"2024-01-{at:02}T10:00:00Z",
        **more,
    }
    return json.dumps(given) + "\n"


ANONYMOUS = call("track", 1, event="open", anonymousId="anon-1") + call("track", 2, event="buy", userId="u1")
SAID = call("identify", 3, userId="u1", anonymousId="anon-1") + call("track", 3, event="open", userId="u2")
RENAMED = call("alias", 4, userId="u9", previousId="u1") + call("track", 5, event="look", userId="u9")


def bring(ada: Any, text: str, name: str) -> EventFile:
    brought = actions.bring_file(actor=ada.actor, file_name=name, chunks=[text.encode()], table=TABLE)
    actions.import_file(actor=ada.actor, brought=brought)
    brought.refresh_from_db()
    run_job.call(str(brought.job_id))
    brought.refresh_from_db()
    assert brought.state == "done", brought.note
    return brought


def stream(ada: Any) -> Stream:
    return actions.describe_stream(actor=ada.actor, values={**guess_of(TABLE), "name": "App", "table": TABLE})


def who_is_who() -> dict[str, str]:
    rows = warehouse().query(f"SELECT alias, person FROM {TABLE}_identities").table.to_pylist()
    return {row["alias"]: row["person"] for row in rows}


def opened_and_bought(found: Stream) -> list[str]:
    """Who opened it and then bought, as the funnel of the stream says."""
    funnel = Funnel((Match(("open",)), Match(("buy",))), 30 * 24 * 3600)
    scope = Scope(date(2024, 1, 1), date(2024, 1, 31))
    table = warehouse().query(funnel_members_sql(events_of(found), scope, funnel, 2)).table
    return sorted(table["who"].to_pylist())


def test_merged_persons_count_as_one_over_files_and_apart_again_when_one_is_undone(
    empty_lake: Any, ada: Any
) -> None:
    bring(ada, ANONYMOUS, "first.jsonl")
    found = stream(ada)
    assert opened_and_bought(found) == []
    second = bring(ada, SAID, "second.jsonl")
    assert who_is_who() == {"anon-1": "u1"}
    found.refresh_from_db()
    assert found.identities_table == f"{TABLE}_identities"
    assert opened_and_bought(found) == ["u1"]
    bring(ada, RENAMED, "third.jsonl")
    assert who_is_who() == {"anon-1": "u9", "u1": "u9"}  # followed to the end
    assert opened_and_bought(found) == ["u9"]
    undone = actions.undo_import(actor=ada.actor, brought=second)
    run_job.call(str(undone.job_id))
    assert who_is_who() == {"u1": "u9"}
    assert opened_and_bought(found) == []


def test_a_stream_described_later_finds_who_is_who_beside_its_events(empty_lake: Any, ada: Any) -> None:
    bring(ada, ANONYMOUS + SAID, "all.jsonl")
    assert guess_of(TABLE)["identities_table"] == f"{TABLE}_identities"


def test_files_that_lead_in_a_circle_leave_identities_as_they_were_and_say_so(
    empty_lake: Any, ada: Any
) -> None:
    bring(ada, RENAMED, "one.jsonl")
    back = call("alias", 6, userId="u1", previousId="u9") + call("track", 6, event="open", userId="u1")
    brought = bring(ada, back, "back.jsonl")
    assert "go in a circle" in brought.note and brought.rows == 1
    assert who_is_who() == {"u1": "u9"}


def test_repeats_are_looked_for_once_and_left_out_only_where_there_are_any(empty_lake: Any, ada: Any) -> None:
    bring(ada, ANONYMOUS, "first.jsonl")
    found = stream(ada)
    assert found.event_id == "event_id" and not has_repeats(found)
    assert events_of(found).event_id == ""
    again = warehouse().query(f"SELECT * FROM {TABLE}").table
    lake().append(TABLE, again, load_id="by-hand")
    assert has_repeats(found)
    assert events_of(found).event_id == "event_id"
