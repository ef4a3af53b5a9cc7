"""``kill -9`` in the midst of an action: record, audit and outbox are there together or not at all."""

from __future__ import annotations

from typing import Any

from tests.faults.conftest import Ground
from tests.faults.dying import dead, define


def counts(house: Ground) -> dict[str, Any]:
    return {
        "terms": house.sql("SELECT count(*) FROM glossary_term")[0][0],
        "audit": house.sql("SELECT count(*) FROM audit_auditentry WHERE action LIKE '%create_term'")[0][0],
        "outbox": house.sql("SELECT count(*) FROM events_outboxentry WHERE payload LIKE '%create_term%'")[0][
            0
        ],
        "found": house.sql("SELECT count(*) FROM search_searchentry WHERE record_kind = 'glossary.term'")[0][
            0
        ],
    }


def test_an_action_killed_at_any_moment_is_done_wholly_or_not_at_all(house):
    nothing = {"terms": 0, "audit": 0, "outbox": 0, "found": 0}
    for moment in ("audit", "commit"):
        dead(moment, house.folder, define, "Activation")
        assert counts(house) == nothing, moment
    dead("reactions", house.folder, define, "Activation")
    assert counts(house) == {"terms": 1, "audit": 1, "outbox": 1, "found": 0}
    house.let_time_pass()
    house.run("worker", "--once")
    assert counts(house) == {"terms": 1, "audit": 1, "outbox": 1, "found": 1}
    assert house.sql("SELECT count(*) FROM events_outboxentry WHERE done_at IS NULL") == [(0,)]
