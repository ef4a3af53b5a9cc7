"""Subscription objects of the API as terms: what holds now and what is taken to have held before."""

from __future__ import annotations

import gzip
import json
from datetime import date
from fractions import Fraction

import pytest

from potager.connectors.stripe import Kind, read, recognize
from potager.connectors.stripe.shapes import TERMS_SCHEMA
from potager.engines.finance import Discount, Price, Subscription, check_terms, terms_of

from .building import KNOWN, answered, coupon, item, lines, rows, subscription


def stretches(path, *names):
    reading = read(path, known_at=KNOWN)
    assert reading.rejected.to_pylist() == []
    return rows(reading.terms, "starts", "ends", *names)


def test_a_living_subscription_is_one_open_row_with_all_columns_of_the_terms(tmp_path):
    reading = read(lines(tmp_path / "s.jsonl", subscription(item(2_900, 3))), known_at=KNOWN)
    assert reading.kind == Kind.API
    assert reading.terms.schema.equals(TERMS_SCHEMA)
    assert check_terms(reading.terms) == ()
    assert reading.terms.to_pylist() == [
        {
            "customer": "cus_1", "subscription": "sub_1", "starts": date(2024, 1, 10), "ends": None,
            "currency": "USD", "unit_cents": 2_900, "quantity": 3, "interval_count": 1, "interval_unit": "month",
            "forever_off": 0, "repeating_off": 0, "once_off": 0, "state": "active", "kind": "recurring",
            "canceled_on": None, "paid_until": None, "plan": "Gold", "known_at": KNOWN,
        }
    ]  # fmt: skip
    assert any("no history of earlier prices" in note for note in reading.notes)


def test_lines_a_list_a_list_a_line_an_array_and_a_packed_file_are_read_alike(tmp_path):
    both = [
        subscription(name="sub_1"),
        subscription(name="sub_2", customer={"id": "cus_2", "object": "customer"}),
    ]
    page = {"object": "list", "has_more": False, "data": both}
    (tmp_path / "array.json").write_text(json.dumps(both, indent=1))
    (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, both)).encode()))
    (tmp_path / "marked.jsonl").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(map(json.dumps, both)).encode())
    (tmp_path / "one.json").write_text(json.dumps(both[0], indent=2))
    files = [
        lines(tmp_path / "lines.jsonl", *both),
        answered(tmp_path / "pretty.json", *both),
        answered(tmp_path / "dense.json", *both, indent=None),
        lines(tmp_path / "pages.jsonl", page),
        tmp_path / "array.json",
        tmp_path / "packed.jsonl.gz",
        tmp_path / "marked.jsonl",
    ]
    for path in files:
        assert recognize(path) == Kind.API, path.name
        assert rows(read(path, known_at=KNOWN).terms, "customer", "subscription") == [
            ("cus_1", "sub_1"),
            ("cus_2", "sub_2"),
        ], path.name
    assert rows(read(tmp_path / "one.json", known_at=KNOWN).terms, "subscription") == ["sub_1"]


def test_a_running_trial_is_taken_to_become_paid_on_its_last_day(tmp_path):
    path = lines(
        tmp_path / "s.jsonl",
        subscription(
            status="trialing",
            trial_start="2024-01-10",
            trial_end="2024-01-24",
            current_period_start="2024-01-10",
        ),
    )
    assert stretches(path, "state") == [
        (date(2024, 1, 10), date(2024, 1, 24), "trialing"),
        (date(2024, 1, 24), None, "active"),
    ]
    assert any("trial" in note for note in read(path, known_at=KNOWN).notes)


@pytest.mark.parametrize("status", ["past_due", "unpaid"])
def test_what_is_owed_is_owed_since_the_present_period_began(tmp_path, status):
    path = lines(
        tmp_path / "s.jsonl",
        subscription(status=status, trial_end="2024-01-24", current_period_start="2024-04-24"),
    )
    assert stretches(path, "state") == [
        (date(2024, 1, 10), date(2024, 1, 24), "trialing"),
        (date(2024, 1, 24), date(2024, 4, 24), "active"),
        (date(2024, 4, 24), None, status),
    ]


def test_a_paused_collection_holds_until_it_resumes(tmp_path):
    pause = {"behavior": "void", "resumes_at": 1714521600}  # 2024-05-01
    path = lines(
        tmp_path / "s.jsonl", subscription(pause_collection=pause, current_period_start="2024-03-10")
    )
    assert stretches(path, "state") == [
        (date(2024, 1, 10), date(2024, 3, 10), "active"),
        (date(2024, 3, 10), date(2024, 5, 1), "paused"),
        (date(2024, 5, 1), None, "active"),
    ]


def test_a_trial_without_a_payment_method_is_paused_since_the_trial_ended(tmp_path):
    path = lines(tmp_path / "s.jsonl", subscription(status="paused", trial_end="2024-01-24"))
    assert [row[2] for row in stretches(path, "state")] == ["trialing", "paused"]


@pytest.mark.parametrize("newer", [False, True])
def test_an_end_at_the_periods_end_is_read_from_the_older_and_the_newer_place(tmp_path, newer):
    held = item(period_ends="2024-07-10") if newer else item()
    more = {} if newer else {"current_period_end": "2024-07-10"}
    path = lines(
        tmp_path / "s.jsonl", subscription(held, cancel_at_period_end=True, canceled_at="2024-06-20", **more)
    )
    assert stretches(path, "canceled_on", "paid_until") == [
        (date(2024, 1, 10), date(2024, 7, 10), date(2024, 6, 20), date(2024, 7, 10))
    ]


def test_an_end_amid_a_period_says_until_when_it_was_paid(tmp_path):
    ended = {"status": "canceled", "canceled_at": "2024-03-15", "ended_at": "2024-03-15"}
    told = lines(tmp_path / "told.jsonl", subscription(**ended, current_period_end="2024-04-10"))
    counted = lines(tmp_path / "counted.jsonl", subscription(**ended))
    failed = {"cancellation_details": {"reason": "payment_failed"}, "current_period_start": "2024-03-10"}
    owed = lines(tmp_path / "owed.jsonl", subscription(**ended, **failed, current_period_end="2024-04-10"))
    assert stretches(told, "paid_until") == [(date(2024, 1, 10), date(2024, 3, 15), date(2024, 4, 10))]
    assert stretches(counted, "paid_until") == stretches(told, "paid_until")
    assert stretches(owed, "state", "paid_until")[-1] == (
        date(2024, 3, 10), date(2024, 3, 15), "past_due", date(2024, 3, 15),
    )  # fmt: skip


def test_a_trial_that_was_canceled_never_paid(tmp_path):
    path = lines(
        tmp_path / "s.jsonl",
        subscription(
            status="canceled", trial_end="2024-01-24", canceled_at="2024-01-12", ended_at="2024-01-24"
        ),
    )
    assert stretches(path, "state", "paid_until") == [
        (date(2024, 1, 10), date(2024, 1, 24), "trialing", date(2024, 1, 24))
    ]


def test_what_never_began_makes_no_terms_and_is_counted(tmp_path):
    path = lines(
        tmp_path / "s.jsonl",
        subscription(status="incomplete"),
        subscription(name="s2", status="incomplete_expired", ended_at="2024-01-11"),
    )
    reading = read(path, known_at=KNOWN)
    assert reading.terms.num_rows == 0
    assert (reading.counts["read"], reading.counts["passed_over"]) == (2, 2)


def test_items_have_a_name_each_and_an_amount_off_all_is_shared_to_the_cent(tmp_path):
    items = [item(10_000, name="si_1"), item(5_000, 1, name="si_2", plan="Silver")]
    path = lines(
        tmp_path / "s.jsonl",
        subscription(*items, discount=coupon("forever", amount_off=1_000, currency="usd")),
    )
    assert rows(read(path, known_at=KNOWN).terms, "subscription", "plan", "unit_cents", "forever_off") == [
        ("sub_1/si_1", "Gold", 10_000, 667),
        ("sub_1/si_2", "Silver", 5_000, 333),
    ]


def test_a_coupon_for_one_product_lowers_that_one_alone(tmp_path):
    items = [item(10_000, name="si_1"), item(5_000, name="si_2", plan="Silver")]
    discount = coupon("forever", percent_off=10, applies_to={"products": ["prod_silver"]})
    path = lines(tmp_path / "s.jsonl", subscription(*items, discounts=[discount]))
    assert rows(read(path, known_at=KNOWN).terms, "forever_off") == [0, 500]


def test_discounts_are_cut_and_rounded_as_the_engine_does(tmp_path):
    """The rows equal those of the engine's own reading of the same description."""
    discounts = [
        coupon("once", name="di_1", percent_off=33.33),
        coupon("repeating", name="di_2", percent_off=20, duration_in_months=3),
        coupon("forever", name="di_3", amount_off=1_001, currency="usd"),
    ]
    path = lines(
        tmp_path / "s.jsonl",
        subscription(item(9_999, 3), status="trialing", trial_end="2024-01-24", discounts=discounts),
    )
    described = Subscription(
        "cus_1", "sub_1", Price(9_999, "USD"), date(2024, 1, 10), quantity=3, trial_until=date(2024, 1, 24),
        discounts=(
            Discount("once", percent=Fraction("33.33")),
            Discount("repeating", percent=20, months=3),
            Discount("forever", cents=1_001, currency="USD"),
        ),
    )  # fmt: skip
    expected = terms_of([described])
    assert read(path, known_at=KNOWN).terms.select(expected.column_names).to_pylist() == expected.to_pylist()


def test_metered_prices_are_marked_and_have_no_quantity(tmp_path):
    items = [item(name="si_1"), item(2, name="si_2", usage="metered", plan="Calls")]
    reading = read(lines(tmp_path / "s.jsonl", subscription(*items)), known_at=KNOWN)
    assert rows(reading.terms, "kind", "quantity") == [("recurring", 1), ("metered", 0)]
    assert any("Usage" in note for note in reading.notes)


def test_a_price_of_a_fraction_of_a_cent_is_counted_as_what_all_cost(tmp_path):
    path = lines(tmp_path / "s.jsonl", subscription(item(None, 1_000, unit_amount_decimal="0.25")))
    assert rows(read(path, known_at=KNOWN).terms, "unit_cents", "quantity") == [(250, 1)]


@pytest.mark.parametrize(
    ("currency", "amount", "cents"),
    [("jpy", 500, 500), ("kwd", 5_000, 5_000), ("isk", 50_000, 500), ("mga", 5, 500)],
)
def test_amounts_become_the_minor_units_of_iso_4217(tmp_path, currency, amount, cents):
    path = lines(tmp_path / "s.jsonl", subscription(item(amount, currency=currency)))
    assert rows(read(path, known_at=KNOWN).terms, "unit_cents") == [cents]


def test_a_plan_of_the_oldest_versions_is_read_as_a_price(tmp_path):
    old = subscription()
    del old["items"]
    old |= {
        "plan": {"id": "gold", "amount": 1_500, "currency": "usd", "interval": "week", "interval_count": 2},
        "quantity": 4,
    }
    path = lines(tmp_path / "s.jsonl", old)
    assert rows(
        read(path, known_at=KNOWN).terms, "unit_cents", "quantity", "interval_count", "interval_unit"
    ) == [(1_500, 4, 2, "week")]


def test_packages_are_counted_as_stripe_rounds_them(tmp_path):
    up = item(1_000, 11, transform_quantity={"divide_by": 5, "round": "up"})
    down = item(1_000, 11, transform_quantity={"divide_by": 5, "round": "down"})
    path = lines(tmp_path / "s.jsonl", subscription(up, name="a"), subscription(down, name="b"))
    assert rows(read(path, known_at=KNOWN).terms, "quantity") == [3, 2]


def test_a_subscription_that_is_there_twice_is_read_once(tmp_path):
    reading = read(lines(tmp_path / "s.jsonl", subscription(), subscription()), known_at=KNOWN)
    assert (reading.terms.num_rows, reading.counts["repeated"]) == (1, 1)


def test_a_list_with_more_pages_says_that_they_are_missing(tmp_path):
    page = {"object": "list", "data": [subscription()], "has_more": True, "url": "/v1/subscriptions"}
    for path, indent in ((tmp_path / "pretty.json", 2), (tmp_path / "dense.json", None)):
        path.write_text(json.dumps(page, indent=indent))
        assert any("more pages" in note for note in read(path, known_at=KNOWN).notes)
    whole = answered(tmp_path / "whole.json", subscription())
    assert not any("more pages" in note for note in read(whole, known_at=KNOWN).notes)
