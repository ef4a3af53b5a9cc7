"""Facts are told exactly when their change is kept, and heard even after a crash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import transaction

from potager.ground.events import bus
from potager.ground.events.models import OutboxEntry
from potager.insight.goals.models import Goal
from potager.insight.goals.resources import goals
from potager.kit import clock

pytestmark = pytest.mark.django_db
VALUES = {"name": "More", "who": "New customers", "does_what": "finish set-up", "by_how_much": "60 %"}


@dataclass(frozen=True, slots=True)
class SoilTurned(bus.Event):
    """Somebody turned the soil."""

    bed: str


@pytest.fixture
def heard(monkeypatch):
    """What a reaction of the test's own heard."""
    monkeypatch.setattr(bus, "_reactions", {})
    monkeypatch.setattr(bus, "_events", {})
    found = []

    @bus.reacts_to(SoilTurned)
    def hears(event):
        found.append(event)

    return found


def turned(bed: str = "roses") -> OutboxEntry:
    return bus.announce(SoilTurned("Bo", bed))


def test_a_fact_is_named_after_its_context_and_what_happened():
    assert SoilTurned.name() == "events.soil_turned"


def test_a_fact_is_heard_as_it_was_told(heard):
    entry = turned()
    assert heard == [SoilTurned("Bo", "roses")] and entry.done_at is not None
    assert str(entry) == f"events.soil_turned {entry.pk}"


def test_a_change_that_is_not_kept_is_not_told(bo):
    with pytest.raises(RuntimeError), transaction.atomic():
        goals.create(actor=bo.actor, values=VALUES)
        assert OutboxEntry.objects.exists()
        raise RuntimeError("the transaction ends badly")
    assert not Goal.objects.exists() and not OutboxEntry.objects.exists()


def test_what_was_told_but_not_heard_is_heard_by_the_sweep_once(heard, monkeypatch):
    with monkeypatch.context() as crashed:  # the process dies between the commit and the reactions
        crashed.setattr("django.db.transaction.on_commit", lambda function, *given, **more: None)
        turned()
    assert heard == [] and bus.sweep() == 0, "a fact told just now is left to whoever told it"
    with clock.held(clock.now() + timedelta(minutes=1)):
        assert bus.sweep() == 1 and bus.sweep() == 0
    assert heard == [SoilTurned("Bo", "roses")]


def test_one_deaf_listener_does_not_silence_the_others_and_only_it_is_told_again(heard):
    ears = []

    @bus.reacts_to(SoilTurned)
    def deaf(event):
        if not ears:
            raise OSError("no ears")

    entry = turned()
    assert len(heard) == 1 and entry.done_at is None and [*entry.failed.values()] == ["OSError: no ears"]
    ears.append("new")
    with clock.held(clock.now() + timedelta(minutes=1)):
        bus.sweep()
    entry.refresh_from_db()
    assert len(heard) == 1 and entry.failed == {} and entry.done_at is not None and entry.attempts == 2


def test_what_a_failing_listener_wrote_is_not_kept(heard, bo):
    @bus.reacts_to(SoilTurned)
    def writes_and_fails(event):
        Goal.objects.create(**VALUES)
        raise OSError("half way")

    turned()
    assert not Goal.objects.exists()


def test_a_listener_that_stays_deaf_is_given_up_with_the_reason(heard):
    @bus.reacts_to(SoilTurned)
    def deaf(event):
        raise OSError("no ears")

    entry = turned()
    for minute in range(1, bus.MOST_ATTEMPTS + 2):
        with clock.held(clock.now() + timedelta(minutes=minute)):
            bus.sweep()
    entry.refresh_from_db()
    assert entry.attempts == bus.MOST_ATTEMPTS and entry.done_at is not None and entry.failed


def test_whoever_hears_everything_gets_the_entry(heard, monkeypatch):
    monkeypatch.setattr(bus, "_wildcards", set())
    every = []

    @bus.hears_everything
    def hears_all(entry):
        every.append((entry.name, entry.payload["bed"]))

    turned("kale")
    assert every == [("events.soil_turned", "kale")]
