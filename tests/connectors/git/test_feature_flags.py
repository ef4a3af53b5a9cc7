"""Exports of feature flags become changes shipped, with what was done and when."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from potager.connectors.git import flag_changes
from potager.kit.errors import Invalid, NotFound


def found(folder: Path, given: Any) -> list[tuple[str, str, str]]:
    """Return title, day and author of what an export gives."""
    path = folder / "flags.json"
    path.write_text(given if isinstance(given, str) else json.dumps(given))
    changes = flag_changes(path)
    assert len({change.key for change in changes}) == len(changes)
    assert {change.kind for change in changes} <= {"flag"}
    assert flag_changes(path) == changes
    return [(c.title, c.shipped_at.isoformat(), " ".join(c.authors)) for c in changes]


def test_flags_of_launchdarkly(tmp_path: Path) -> None:
    rollout = {
        "rollout": {"variations": [{"variation": 0, "weight": 25_000}, {"variation": 1, "weight": 75_000}]}
    }
    given = {"items": [{"key": "setup", "name": "Guided setup", "creationDate": 1704103200000,
                        "_maintainer": {"email": "ada@example.org"}, "environments": {
                            "production": {"on": True, "lastModified": 1706781600000, "fallthrough": rollout},
                            "test": {"on": False, "lastModified": 1704189600000}}}]}  # fmt: skip
    assert found(tmp_path, given) == [
        ("Guided setup: created", "2024-01-01", "ada@example.org"),
        ("Guided setup: turned off in test", "2024-01-02", "ada@example.org"),
        ("Guided setup: turned on, rolled out to 75 % in production", "2024-02-01", "ada@example.org"),
    ]


def test_the_audit_log_of_launchdarkly(tmp_path: Path) -> None:
    given = {"items": [{"date": 1706781600000, "kind": "flag", "name": "Guided setup",
                        "titleVerb": "turned on the flag",
                        "member": {"email": "bo@example.org"},
                        "target": {"name": "Guided setup", "resources": ["proj/shop:env/production:flag/setup"]}},
                       {"date": 1706781600000, "kind": "project", "titleVerb": "renamed"}]}  # fmt: skip
    assert found(tmp_path, given) == [
        ("Guided setup: turned on in production", "2024-02-01", "bo@example.org")
    ]


def test_the_export_and_the_events_of_unleash(tmp_path: Path) -> None:
    assert found(
        tmp_path, {"version": 1, "features": [{"name": "setup", "createdAt": "2024-01-01T10:00:00Z"}]}
    ) == [("setup: created", "2024-01-01", "")]
    events = {"events": [
        {"type": "feature-environment-enabled", "featureName": "setup", "environment": "production",
         "createdBy": "ada", "createdAt": "2024-02-01T10:00:00Z"},
        {"type": "feature-strategy-update", "featureName": "setup", "environment": "production", "createdBy": "ada",
         "createdAt": "2024-02-03T10:00:00Z", "data": {"parameters": {"rollout": "50"}}},
        {"type": "feature-tagged", "featureName": "setup", "createdAt": "2024-02-04T10:00:00Z"},
    ]}  # fmt: skip
    assert found(tmp_path, events) == [
        ("setup: turned on in production", "2024-02-01", "ada"),
        ("setup: rolled out to 50 % in production", "2024-02-03", "ada"),
    ]


def test_the_flags_and_the_activity_of_posthog(tmp_path: Path) -> None:
    flags = {"results": [{"id": 1, "key": "setup", "name": "", "active": True,
                          "created_at": "2024-01-01T23:30:00-02:00",
                          "created_by": {"email": "ada@example.org"},
                          "filters": {"groups": [{"rollout_percentage": 30}]}}]}  # fmt: skip
    assert found(tmp_path, flags) == [("setup: created", "2024-01-02", "ada@example.org")]
    assert flag_changes(tmp_path / "flags.json")[0].notes == "Now rolled out to 30 %."
    activity = {"results": [
        {"scope": "FeatureFlag", "activity": "updated", "item_id": "1", "created_at": "2024-02-01T10:00:00Z",
         "user": {"email": "bo@example.org"}, "detail": {"name": "setup", "changes": [
             {"field": "active", "before": False, "after": True},
             {"field": "filters", "after": {"groups": [{"rollout_percentage": 80}]}}]}},
        {"scope": "Insight", "created_at": "2024-02-01T10:00:00Z", "detail": {}},
    ]}  # fmt: skip
    assert found(tmp_path, activity) == [
        ("setup: rolled out to 80 %", "2024-02-01", "bo@example.org"),
        ("setup: turned on", "2024-02-01", "bo@example.org"),
    ]


def test_a_plain_list_of_flags(tmp_path: Path) -> None:
    days = [
        {"at": "2024-01-01", "on": True},
        {"at": "2024-01-05", "rollout": 10},
        {"at": "soon", "rollout": 20},
    ]
    given = [{"key": "setup", "name": "Guided setup", "changes": days}]
    assert found(tmp_path, given) == [
        ("Guided setup: turned on", "2024-01-01", ""), ("Guided setup: rolled out to 10 %", "2024-01-05", "")
    ]  # fmt: skip
    assert flag_changes(tmp_path / "flags.json")[0].shipped_at == date(2024, 1, 1)


@pytest.mark.parametrize("given", [{}, [], {"items": [3]}, [{"key": "x"}], "null", "not json", "[" * 100_000])
def test_what_is_no_export_of_flags_is_refused(tmp_path: Path, given: Any) -> None:
    with pytest.raises(Invalid, match=r"no export of feature flags|is not JSON"):
        found(tmp_path, given)


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        flag_changes(tmp_path / "gone.json")


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}])
def test_odd_values_anywhere_do_not_break_the_reading(tmp_path: Path, odd: Any) -> None:
    flag = {
        "key": odd,
        "name": odd,
        "creationDate": odd,
        "environments": {"p": odd, "q": {"on": True, "lastModified": odd}},
    }
    good = {"key": "a", "name": "A", "creationDate": 1704103200000, "environments": odd}
    path = tmp_path / "flags.json"
    path.write_text(json.dumps({"items": [flag, good]}))
    assert "A: created" in [change.title for change in flag_changes(path)]
