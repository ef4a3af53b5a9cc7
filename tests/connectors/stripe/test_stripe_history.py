"""Events as a history: stretches between them, in any order, any number of times, with what was before the first."""

from __future__ import annotations

from datetime import UTC, date, datetime

from potager.connectors.stripe import Kind, read, recognize
from potager.engines.finance import POLICIES, check_terms, movements_under

from .building import answered, coupon, event, item, lines, rows, subscription


def at(quantity=1, **more):
    """Return the subscription as it was with a quantity."""
    return subscription(item(1_000, quantity), **more)


CREATED = event("created", "2024-01-10T08:00", at(1))
MORE = event("updated", "2024-02-01T08:00", at(3), before={"items": {"data": [item(1_000, 1)]}})
LESS = event("updated", "2024-03-05T23:59:59", at(2))
OVER = event(
    "deleted", "2024-04-02T08:00",
    at(2, status="canceled", canceled_at="2024-04-02", ended_at="2024-04-02", current_period_end="2024-04-10"),
)  # fmt: skip
HISTORY = [
    (date(2024, 1, 10), date(2024, 2, 1), 1),
    (date(2024, 2, 1), date(2024, 3, 5), 3),
    (date(2024, 3, 5), date(2024, 4, 2), 2),
]


def test_each_event_opens_a_stretch_that_the_next_one_closes(tmp_path):
    path = lines(tmp_path / "e.jsonl", CREATED, MORE, LESS, OVER)
    reading = read(path)
    assert recognize(path) == reading.kind == Kind.EVENTS
    assert rows(reading.terms, "starts", "ends", "quantity") == HISTORY
    assert rows(reading.terms, "paid_until") == [None, None, date(2024, 4, 10)]
    assert check_terms(reading.terms) == ()
    assert reading.counts["used"] == 4


def test_late_and_repeated_events_change_nothing(tmp_path):
    path = answered(
        tmp_path / "e.json", OVER, LESS, MORE, CREATED, LESS, MORE
    )  # Stripe answers the latest first
    reading = read(path)
    assert rows(reading.terms, "starts", "ends", "quantity") == HISTORY
    assert (reading.counts["read"], reading.counts["used"], reading.counts["repeated"]) == (6, 4, 2)


def test_a_stretch_is_known_since_the_event_that_said_its_last_word(tmp_path):
    reading = read(lines(tmp_path / "e.jsonl", CREATED, MORE))
    assert rows(reading.terms, "ends", "known_at") == [
        (date(2024, 2, 1), datetime(2024, 2, 1, 8, tzinfo=UTC)),
        (None, datetime(2024, 2, 1, 8, tzinfo=UTC)),
    ]
    # The history has the earlier word too: on 10 January the first stretch was open.
    assert rows(reading.history, "starts", "ends", "known_at") == [
        (date(2024, 1, 10), None, datetime(2024, 1, 10, 8, tzinfo=UTC)),
        (date(2024, 1, 10), date(2024, 2, 1), datetime(2024, 2, 1, 8, tzinfo=UTC)),
        (date(2024, 2, 1), None, datetime(2024, 2, 1, 8, tzinfo=UTC)),
    ]


def test_of_several_events_on_one_day_the_last_holds(tmp_path):
    twice = [
        event("updated", "2024-02-01T09:00", at(5)),
        event("updated", "2024-02-01T10:00", at(4)),
    ]
    reading = read(lines(tmp_path / "e.jsonl", CREATED, *twice))
    assert rows(reading.terms, "starts", "quantity") == [(date(2024, 1, 10), 1), (date(2024, 2, 1), 4)]


def test_an_event_that_changes_no_term_opens_no_stretch(tmp_path):
    renewed = event(
        "updated", "2024-02-10", at(1, current_period_end="2024-03-10"), before={"current_period_end": 0}
    )
    reading = read(lines(tmp_path / "e.jsonl", CREATED, renewed))
    assert rows(reading.terms, "starts", "ends") == [(date(2024, 1, 10), None)]


def test_what_was_before_the_first_known_event_is_told_by_its_previous_attributes(tmp_path):
    reading = read(lines(tmp_path / "e.jsonl", MORE))
    assert rows(reading.terms, "starts", "ends", "quantity") == [
        (date(2024, 1, 10), date(2024, 2, 1), 1),
        (date(2024, 2, 1), None, 3),
    ]
    assert any("does not hold the beginning" in note for note in reading.notes)
    plain = event("updated", "2024-02-01", at(3), before={"quantity": 2})
    assert rows(read(lines(tmp_path / "q.jsonl", plain)).terms, "quantity") == [2, 3]


def test_an_end_without_a_beginning_takes_the_agreement_back_to_its_start(tmp_path):
    reading = read(lines(tmp_path / "e.jsonl", OVER))
    assert rows(reading.terms, "starts", "ends", "quantity") == [(date(2024, 1, 10), date(2024, 4, 2), 2)]


def test_trial_pause_debt_and_resumption_are_stretches_of_their_states(tmp_path):
    trial = {"trial_start": "2024-01-10", "trial_end": "2024-01-24"}
    path = lines(
        tmp_path / "e.jsonl",
        event("created", "2024-01-10", at(status="trialing", **trial)),
        event("trial_will_end", "2024-01-21", at(status="trialing", **trial)),
        event("updated", "2024-01-24", at(status="active", **trial), before={"status": "trialing"}),
        event("updated", "2024-02-24", at(status="past_due", **trial), before={"status": "active"}),
        event("updated", "2024-03-10", at(status="unpaid", **trial), before={"status": "past_due"}),
        event("updated", "2024-03-12", at(status="active", **trial), before={"status": "unpaid"}),
        event("paused", "2024-04-01", at(status="paused", **trial)),
        event("resumed", "2024-05-01", at(status="active", **trial)),
        event("updated", "2024-05-10", at(pause_collection={"behavior": "void"}, **trial)),
    )
    assert rows(read(path).terms, "starts", "state") == [
        (date(2024, 1, 10), "trialing"), (date(2024, 1, 24), "active"), (date(2024, 2, 24), "past_due"),
        (date(2024, 3, 10), "unpaid"), (date(2024, 3, 12), "active"), (date(2024, 4, 1), "paused"),
        (date(2024, 5, 1), "active"), (date(2024, 5, 10), "paused"),
    ]  # fmt: skip


def test_a_trial_that_was_canceled_takes_back_that_it_was_expected_to_be_paid(tmp_path):
    trial = {"trial_start": "2024-01-10", "trial_end": "2024-01-24"}
    gone = event(
        "deleted",
        "2024-01-12",
        at(status="canceled", canceled_at="2024-01-12", ended_at="2024-01-12", **trial),
    )
    reading = read(
        lines(tmp_path / "e.jsonl", event("created", "2024-01-10", at(status="trialing", **trial)), gone)
    )
    assert rows(reading.terms, "starts", "ends", "state") == [
        (date(2024, 1, 10), date(2024, 1, 12), "trialing")
    ]
    assert rows(reading.history, "starts", "ends", "state") == [
        (date(2024, 1, 10), date(2024, 1, 24), "trialing"),
        (date(2024, 1, 10), date(2024, 1, 12), "trialing"),
        (date(2024, 1, 24), None, "active"),
        (date(2024, 1, 24), date(2024, 1, 24), "active"),
    ]
    assert movements_under(POLICIES["stripe"], reading.terms).num_rows == 0


def test_a_cancellation_that_was_taken_back_churns_and_returns_where_requests_count(tmp_path):
    asked = at(1, cancel_at_period_end=True, canceled_at="2024-02-05", current_period_end="2024-02-10")
    path = lines(
        tmp_path / "e.jsonl",
        CREATED,
        event("updated", "2024-02-05", asked),
        event("updated", "2024-02-07", at(1)),
    )
    terms = read(path).terms
    assert rows(movements_under(POLICIES["stripe"], terms), "date", "kind") == [
        (date(2024, 1, 10), "new"),
        (date(2024, 2, 5), "churn"),
        (date(2024, 2, 7), "reactivation"),
    ]
    assert rows(movements_under(POLICIES["chartmogul"], terms), "date", "kind") == [
        (date(2024, 1, 10), "new")
    ]


def test_the_first_payment_that_fails_opens_no_stretch_before_it_is_made(tmp_path):
    path = lines(
        tmp_path / "e.jsonl",
        event("created", "2024-01-10", at(status="incomplete")),
        event("updated", "2024-01-11", at(status="active"), before={"status": "incomplete"}),
    )
    assert rows(read(path).terms, "starts", "ends") == [(date(2024, 1, 11), None)]


def test_an_item_that_is_added_and_taken_away_has_a_name_of_its_own(tmp_path):
    one, two = item(1_000, name="si_1"), item(500, name="si_2", plan="Silver")
    path = lines(
        tmp_path / "e.jsonl",
        event("created", "2024-01-10", subscription(one)),
        event("updated", "2024-02-10", subscription(one, two)),
        event("updated", "2024-03-10", subscription(one)),
    )
    terms = read(path).terms
    assert rows(movements_under(POLICIES["stripe"], terms), "kind", "cents") == [
        ("new", 1_000), ("expansion", 500), ("contraction", -500),
    ]  # fmt: skip
    assert sorted(set(rows(terms, "subscription"))) == ["sub_1/si_1", "sub_1/si_2"]


def test_discounts_named_by_id_are_found_in_the_events_of_discounts(tmp_path):
    held = {**coupon("forever", percent_off=50), "subscription": "sub_1"}
    added = {
        "id": "evt_d", "object": "event", "type": "customer.discount.created", "created": 1706774400,
        "data": {"object": held},
    }  # fmt: skip
    changed = event("updated", "2024-02-01", at(1, discounts=["di_1"]))
    assert rows(read(lines(tmp_path / "e.jsonl", CREATED, changed, added)).terms, "forever_off") == [0, 500]
    without = read(lines(tmp_path / "w.jsonl", CREATED, changed))
    assert without.terms.num_rows == 0
    assert "only the id is in the file" in without.rejected["because"][0].as_py()


def test_events_of_other_things_are_passed_over_and_counted(tmp_path):
    paid = {
        "id": "evt_i",
        "object": "event",
        "type": "invoice.paid",
        "created": 1,
        "data": {"object": {"id": "in_1"}},
    }
    reading = read(lines(tmp_path / "e.jsonl", paid, CREATED))
    assert (reading.counts["passed_over"], reading.counts["used"], reading.terms.num_rows) == (1, 1, 1)
