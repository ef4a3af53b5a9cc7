"""The one way to write."""

import pytest
from django.db import DatabaseError, transaction

from potager.ground.acting.action import expecting
from potager.ground.audit.models import AuditEntry
from potager.ground.events.models import OutboxEntry
from potager.insight.goals.models import Goal
from potager.insight.goals.resources import goals
from potager.kit.errors import Changed, Invalid, NotAllowed, NotFound, NotSignedIn

VALUES = {
    "name": "More activation",
    "who": "New customers",
    "does_what": "finish set-up",
    "by_how_much": "60 %",
}


@pytest.fixture
def goal(bo):
    return goals.create(actor=bo.actor, values=VALUES)


def test_an_action_leaves_one_audit_entry_with_before_and_after(bo, goal):
    goals.change(actor=bo.actor, record=goal, values={"by_how_much": "70 %"})
    entry = AuditEntry.objects.get(action="insight.goals.change_goal")
    assert (entry.before, entry.after) == ({"by_how_much": "60 %"}, {"by_how_much": "70 %"})
    assert (entry.actor_name, entry.record_id, entry.via) == ("Bo", goal.pk, "web")


def test_a_viewer_may_not_write(vi, goal):
    with pytest.raises(NotAllowed, match="contributor"):
        goals.change(actor=vi.actor, record=goal, values={"name": "x"})
    assert Goal.objects.get().name == VALUES["name"]


def test_an_outsider_is_not_signed_in(cy):
    with pytest.raises(NotSignedIn):
        goals.create(actor=cy.actor, values=VALUES)


def test_what_is_refused_leaves_nothing_behind(bo):
    with pytest.raises(Invalid) as refused:
        goals.create(actor=bo.actor, values={**VALUES, "name": ""})
    assert refused.value.errors[0].where == "name"
    assert not Goal.objects.exists() and not AuditEntry.objects.exists() and not OutboxEntry.objects.exists()


def test_nobody_overwrites_what_they_have_not_seen(bo, goal):
    goals.change(actor=bo.actor, record=goal, values={"name": "Second"})
    with expecting(1), pytest.raises(Changed):
        goals.change(actor=bo.actor, record=goal, values={"name": "Third"})
    assert Goal.objects.get().name == "Second"


def test_a_private_record_is_not_there_for_others(ada, bo, vi, goal):
    Goal.objects.filter(pk=goal.pk).update(visibility="private")
    assert not Goal.objects.visible_to(vi.actor).exists()
    assert Goal.objects.visible_to(bo.actor).exists() and Goal.objects.visible_to(ada.actor).exists()
    with pytest.raises(NotFound):
        goals.change(actor=vi.actor, record=goal, values={"name": "x"})


def test_a_grant_gives_a_role_on_one_record(vi, goal):
    from potager.ground.access.models import Grant

    Grant.objects.create(record_kind="goals.goal", record_id=goal.pk, user=vi.user, role=20)
    assert goals.change(actor=vi.actor, record=goal, values={"name": "Granted"}).name == "Granted"


def test_a_team_record_is_seen_by_the_team_only(bo, vi, goal, team):
    Goal.objects.filter(pk=goal.pk).update(visibility="team", team=team, owner=None)
    assert Goal.objects.visible_to(bo.actor).exists()
    assert not Goal.objects.visible_to(vi.actor).exists()


@pytest.mark.parametrize("change", ["update", "delete"])
def test_the_database_itself_refuses_to_change_the_audit(goal, change):
    entries = AuditEntry.objects.filter(record_id=goal.pk)
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        entries.update(actor_name="Nobody") if change == "update" else entries._raw_delete("default")
    with pytest.raises(TypeError):
        entries.get().delete()
