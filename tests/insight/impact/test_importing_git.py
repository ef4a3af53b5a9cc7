"""``potager import git PATH``: a clone becomes changes shipped, and twice adds nothing."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from click.testing import CliRunner

from potager.faces.cli import importing
from potager.insight.impact import actions
from potager.insight.impact.models import Change
from potager.kit.errors import NotAllowed
from tests.connectors.git.test_reading_repositories import clone as clone
from tests.connectors.git.test_reading_repositories import git


@pytest.fixture
def shop_clone(clone):
    """A clone with two releases."""
    git(clone, "tag", "v1.0.0", "HEAD~2")
    git(clone, "tag", "v1.1.0", "HEAD")
    return clone


def test_a_clone_becomes_changes_shipped_with_their_days(app, shop_clone):
    app.launched()
    assert actions.import_git(actor=app.actor, path=shop_clone, bet="guided") == (2, 0)
    assert actions.import_git(actor=app.actor, path=shop_clone, bet="guided") == (0, 2)
    made = [
        (change.name, change.shipped_at, change.shipped_as, change.bet)
        for change in Change.objects.order_by("name")
    ]
    assert made == [
        ("v1.0.0", date(2024, 1, 1), "release", "guided"),
        ("v1.1.0", date(2024, 1, 3), "release", "guided"),
    ]


def test_a_viewer_cannot_import_a_repository(app, vi, shop_clone):
    with pytest.raises(NotAllowed):
        actions.import_git(actor=vi.actor, path=shop_clone)


def test_the_command_reads_here_and_keeps_there(app, bo, shop_clone, monkeypatch):
    class Calling:
        def run(self, name: str, given: dict[str, Any]) -> Any:
            assert name == "impact_change_import"
            answer = bo.call("post", "/impact/changes/import", given)
            assert answer.status_code == 200, answer.content
            return json.loads(answer.content)

    monkeypatch.setattr(importing, "caller", lambda context: Calling())
    run = CliRunner().invoke(importing.import_group, ["git", str(shop_clone)])
    assert run.exit_code == 0, run.output
    assert "2 releases and tags" in run.output
    assert "2 changes are new and 0 were known" in run.output
    dry = CliRunner().invoke(importing.import_group, ["git", str(shop_clone), "--dry-run"])
    assert "Nothing was imported" in dry.output
    assert Change.objects.count() == 2


def test_a_first_word_that_names_no_source_is_a_file(tmp_path):
    gone = CliRunner().invoke(importing.import_group, [str(tmp_path / "orders.csv")])
    assert gone.exit_code == 2
    assert "orders.csv" in gone.output
    assert "does not exist" in gone.output
    both = CliRunner().invoke(importing.import_group, ["--help"])
    assert "git" in both.output and "file" in both.output
