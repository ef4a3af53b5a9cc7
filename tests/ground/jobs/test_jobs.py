"""Background work: done once, canceled, retried, taken up again when its worker went silent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from potager.ground.audit.models import AuditEntry
from potager.ground.events.models import OutboxEntry
from potager.ground.jobs import actions, pages, queries, schedule, work
from potager.ground.jobs.models import Job, State, Tick
from potager.kit import clock
from potager.kit.errors import Conflict, NotAllowed, Unavailable

pytestmark = pytest.mark.django_db


@pytest.fixture
def kind(monkeypatch):
    """A kind of job that does what the test says."""
    monkeypatch.setattr(work, "_kinds", dict(work._kinds))

    def register(function, name="garden.weed"):
        return work.job_kind(name)(function)

    return register


@pytest.fixture
def weeding(kind):
    """Weed beds and count how often."""
    done = []

    def weed(work, *, bed):
        done.append((work.actor.name, bed))
        return {"weeds": len(done)}

    kind(weed)
    return done


@pytest.fixture
def impatient(monkeypatch):
    """Report every progress at once."""
    monkeypatch.setattr(work, "SECONDS_BETWEEN_REPORTS", 0)


def enqueue(who, **given) -> Job:
    return work.enqueue(who.actor, "garden.weed", "Weed", **{"bed": "roses", **given})


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_a_job_is_done_for_whom_it_was_asked_and_once(bo, weeding):
    job = enqueue(bo)
    assert job.state == State.WAITING and not job.over
    work.run_job.call(str(job.pk))
    work.run_job.call(str(job.pk))
    job = fresh(job)
    assert weeding == [("Bo", "roses")]
    assert (job.state, job.result, job.attempts, job.over) == (State.DONE, {"weeds": 1}, 1, True)
    ended = OutboxEntry.objects.get(name="jobs.job_ended")
    assert ended.payload["state"] == "done" and ended.payload["job"] == str(job.pk)


def test_a_kind_nobody_registered_is_refused_at_once(bo):
    with pytest.raises(LookupError, match=r"garden\.weed"):
        enqueue(bo)
    assert not Job.objects.exists()


def test_a_job_nobody_asked_for_is_done_by_potager(kind):
    seen = []
    kind(lambda work: seen.append(work.actor.kind))
    job = work.enqueue(work.machine("Potager"), "garden.weed", "Weed")
    work.run_job.call(str(job.pk))
    assert seen == ["machine"] and pages.shape(fresh(job))["owner"] == "Potager"


def test_a_problem_is_kept_with_its_mend(bo, kind):
    def dry(work, *, bed):
        raise Unavailable("There is no water.", mend="Open the tap.")

    kind(dry)
    job = enqueue(bo)
    work.run_job.call(str(job.pk))
    job = fresh(job)
    assert (job.state, job.problem["detail"], job.problem["mend"]) == (
        State.FAILED,
        "There is no water.",
        "Open the tap.",
    )
    assert pages.shape(job)["note"] == "There is no water. Open the tap."


def test_an_unexpected_error_fails_the_job_and_not_the_worker(bo, kind):
    def broken(work, *, bed):
        raise ZeroDivisionError("division by zero")

    kind(broken)
    job = enqueue(bo)
    work.run_job.call(str(job.pk))
    assert "ZeroDivisionError: division by zero" in fresh(job).problem["detail"]
    assert "Retry it" in fresh(job).problem["mend"]


def test_progress_is_seen_by_those_who_wait(bo, kind, impatient):
    seen = []

    def weed(work, *, bed):
        work.progress(30, 120, "thistles", "weeds")
        seen.append(Job.objects.get(pk=work.job_id))

    kind(weed)
    work.run_job.call(str(enqueue(bo).pk))
    (job,) = seen
    assert (job.done, job.total, job.doing, job.unit, job.share) == (30, 120, "thistles", "weeds", 0.25)
    assert pages.shape(job)["running"] and pages.shape(job)["cancel_url"]


def test_progress_is_not_written_more_often_than_people_look(bo, kind):
    counts = []

    def weed(work, *, bed):
        for number in range(1000):
            work.progress(number, 1000)
        counts.append(Job.objects.get(pk=work.job_id).done)

    kind(weed)
    work.run_job.call(str(enqueue(bo).pk))
    assert counts[0] < 1000 and fresh(Job.objects.get()).state == State.DONE


@pytest.mark.parametrize(
    ("seconds", "done", "left"), [(10, 50, "about 10 s"), (600, 50, "about 10 min"), (5, 0, "")]
)
def test_the_time_left_is_told_from_the_share_done(bo, weeding, seconds, done, left):
    job = enqueue(bo)
    job.state, job.total, job.done = State.RUNNING, 100, done
    job.started_at = clock.now() - timedelta(seconds=seconds)
    with clock.held(clock.now()):
        assert pages.shape(job)["left"] == left


def test_a_waiting_job_is_canceled_at_once_and_never_done(bo, weeding):
    job = enqueue(bo)
    actions.cancel(actor=bo.actor, job=job)
    work.run_job.call(str(job.pk))
    assert fresh(job).state == State.CANCELED and weeding == []
    assert OutboxEntry.objects.get(name="jobs.job_ended").payload["state"] == "canceled"


def test_a_running_job_is_canceled_when_it_next_reports(bo, kind, impatient):
    far = []

    def weed(work, *, bed):
        work.progress(1, 10)
        actions.cancel(actor=bo.actor, job=Job.objects.get(pk=work.job_id))
        far.append(pages.shape(Job.objects.get(pk=work.job_id))["state"])
        work.progress(2, 10)
        far.append("too far")

    kind(weed)
    job = enqueue(bo)
    work.run_job.call(str(job.pk))
    assert fresh(job).state == State.CANCELED and far == ["Stopping"]


def test_a_job_canceled_before_its_worker_began_is_not_begun(bo, weeding):
    job = enqueue(bo)
    Job.objects.filter(pk=job.pk).update(cancel_requested_at=clock.now())
    work.run_job.call(str(job.pk))
    assert fresh(job).state == State.CANCELED and weeding == []


def test_what_is_over_cannot_be_canceled_and_what_went_well_not_retried(bo, weeding):
    job = enqueue(bo)
    with pytest.raises(Conflict, match="is waiting"):
        actions.retry(actor=bo.actor, job=job)
    work.run_job.call(str(job.pk))
    with pytest.raises(Conflict, match="over already"):
        actions.cancel(actor=bo.actor, job=job)
    with pytest.raises(Conflict, match="is done"):
        actions.retry(actor=bo.actor, job=job)


def test_what_failed_is_done_again_on_request(bo, kind):
    tries = []

    def weed(work, *, bed):
        tries.append(bed)
        if len(tries) == 1:
            raise Unavailable("Rain.")

    kind(weed)
    job = enqueue(bo)
    work.run_job.call(str(job.pk))
    retried = actions.retry(actor=bo.actor, job=fresh(job))
    assert (retried.state, retried.attempts, retried.done) == (State.WAITING, 0, 0)
    work.run_job.call(str(job.pk))
    assert fresh(job).state == State.DONE and fresh(job).problem == {} and len(tries) == 2
    assert [entry.action for entry in AuditEntry.objects.all()] == ["ground.jobs.retry"]


def test_a_viewer_sees_jobs_and_steers_none(bo, vi, weeding):
    job = enqueue(bo)
    assert [*queries.running(vi.actor)] == [job]
    with pytest.raises(NotAllowed):
        actions.cancel(actor=vi.actor, job=job)


def silent(job: Job, attempts: int) -> None:
    long_ago = clock.now() - timedelta(minutes=5)
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING, heartbeat_at=long_ago, attempts=attempts)


def test_a_job_whose_worker_went_silent_is_taken_up_again(bo, weeding):
    job = enqueue(bo)
    silent(job, 1)
    assert fresh(job).stale and work.take_up_stale() == 1
    assert fresh(job).state == State.WAITING and work.take_up_stale() == 0
    work.run_job.call(str(job.pk))
    assert fresh(job).state == State.DONE and fresh(job).attempts == 2


def test_a_job_that_keeps_killing_its_worker_fails_with_a_sentence(bo, weeding):
    job = enqueue(bo)
    silent(job, work.MOST_ATTEMPTS)
    work.take_up_stale()
    assert fresh(job).state == State.FAILED and "stopped 3 times" in fresh(job).problem["detail"]
    assert "memory" in fresh(job).problem["mend"] and weeding == []


def test_a_job_that_still_reports_is_left_alone(bo, weeding):
    job = enqueue(bo)
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING, heartbeat_at=clock.now())
    assert work.take_up_stale() == 0 and not fresh(job).stale


@pytest.fixture
def scheduled(monkeypatch):
    """A schedule of its own."""
    monkeypatch.setattr(schedule, "_schedule", {})
    return schedule.every


def test_what_is_scheduled_is_done_once_per_period(scheduled):
    done = []
    scheduled(timedelta(hours=1), "water")(lambda: done.append(clock.now()))
    moment = clock.now()
    for minutes in (0, 20, 59, 61, 100, 122):
        with clock.held(moment + timedelta(minutes=minutes)):
            schedule.tick()
    assert [(at - moment).total_seconds() / 60 for at in done] == [0, 61, 122]
    assert Tick.objects.get(name="worker").at == moment + timedelta(minutes=122)


def test_one_broken_item_does_not_stop_the_others_and_is_remembered_until_it_works(scheduled):
    works, done = [], []

    def broken():
        if not works:
            raise OSError("no water")

    scheduled(timedelta(hours=1), "water")(broken)
    scheduled(timedelta(hours=1), "weed")(lambda: done.append(1))
    moment = clock.now()
    with clock.held(moment):
        assert schedule.tick() == ["water", "weed"] and done == [1]
    assert Tick.objects.get(name="water").problem == "OSError: no water"
    works.append(1)
    with clock.held(moment + timedelta(hours=2)):
        schedule.tick()
    assert Tick.objects.get(name="water").problem == "" and str(Tick.objects.get(name="water")).startswith(
        "water at"
    )


def test_two_workers_that_meet_a_new_item_do_it_once(scheduled, monkeypatch):
    done = []
    scheduled(timedelta(hours=1), "water")(lambda: done.append(1))
    asked = type(Tick.objects.all()).exists

    def beaten(rows):  # the other worker enters it between this one's look and its own entry
        there = asked(rows)
        if rows.model is Tick and not there:
            Tick.objects.create(name="water", at=clock.now())
        return there

    monkeypatch.setattr(type(Tick.objects.all()), "exists", beaten)
    assert schedule.tick() == [] and done == []


def test_the_ticker_goes_on_when_the_database_was_away(monkeypatch, caplog):
    ticker, turns = schedule.Ticker(seconds=0), []

    def tick():
        turns.append(1)
        if len(turns) == 1:
            raise OSError("away")
        ticker.ended.set()

    monkeypatch.setattr(schedule, "tick", tick)
    monkeypatch.setattr(schedule, "connection", type("Closed", (), {"close": staticmethod(lambda: None)}))
    ticker.run()
    assert len(turns) == 2 and "could not be kept" in caplog.text


def test_jobs_on_pages_and_over_http(bo, weeding):
    job = enqueue(bo)
    browser = bo.browser
    assert "Weed" in browser.get("/jobs/").content.decode()
    assert "Weed" in browser.get(f"/jobs/{job.pk}").content.decode()
    assert "Weed" in browser.get(f"/jobs/{job.pk}/part").content.decode()
    browser.get(f"/jobs/{job.pk}/cancel")
    assert fresh(job).state == State.WAITING
    browser.post(f"/jobs/{job.pk}/cancel")
    assert fresh(job).state == State.CANCELED
    browser.get(f"/jobs/{job.pk}/retry")
    assert fresh(job).state == State.CANCELED
    browser.post(f"/jobs/{job.pk}/retry")
    assert fresh(job).state == State.WAITING
    assert bo.call("post", f"/jobs/{job.pk}/cancel").json()["state"] == "canceled"
    assert bo.call("post", f"/jobs/{job.pk}/retry").json()["state"] == "waiting"
    assert bo.call("post", f"/jobs/{job.pk}/retry").status_code == 409
    assert bo.call("get", f"/jobs/{job.pk}").json()["name"] == "Weed"
    assert bo.call("get", "/jobs?state=waiting").json()["total"] == 1
    assert bo.call("get", "/jobs?state=failed").json()["total"] == 0
