"""Corners: batches, dates in other orders, discounts in tables, lines before the header, lists without anything."""

from __future__ import annotations

import json
from datetime import date

import pytest

from potager.connectors.stripe import Kind, events, read, recognize, stretches
from potager.kit.errors import Invalid

from .building import KNOWN, coupon, event, item, lines, rows, subscription


def table(path, text):
    path.write_text(text, encoding="utf-8")
    return read(path, kind="plain", known_at=KNOWN)


def test_batches_of_any_size_give_the_same_terms(tmp_path, monkeypatch):
    said = [
        event(
            "updated" if day > 1 else "created",
            f"2024-01-{day:02}",
            subscription(item(1_000, day), name=name, starts="2024-01-01"),
        )
        for name in ("sub_1", "sub_2", "sub_3")
        for day in range(1, 8)
    ]
    path = lines(tmp_path / "e.jsonl", *said, "{", "{", "{")
    whole = read(path)
    monkeypatch.setattr(events, "_BATCH", 2)
    monkeypatch.setattr(stretches, "_BATCH", 2)
    small = read(path)
    assert whole.terms.num_rows == 21
    assert small.terms.to_pylist() == whole.terms.to_pylist()
    assert small.history.to_pylist() == whole.history.to_pylist()
    assert small.rejected.to_pylist() == whole.rejected.to_pylist()


def test_dates_are_read_in_the_order_of_their_column_and_refused_where_they_may_be_two(tmp_path):
    text = "customer,started_at,mrr,currency\nada,{},10,USD\nben,{},10,USD\n"
    assert rows(table(tmp_path / "us.csv", text.format("01/10/2024", "01/25/2024")).terms, "starts") == [
        date(2024, 1, 10),
        date(2024, 1, 25),
    ]
    assert rows(table(tmp_path / "eu.csv", text.format("10/01/2024", "25/01/2024")).terms, "starts") == [
        date(2024, 1, 10),
        date(2024, 1, 25),
    ]
    unclear = table(tmp_path / "unclear.csv", text.format("03/04/2024", "05/06/2024"))
    assert unclear.terms.num_rows == 0
    assert all("2026-11-23" in mend for mend in rows(unclear.rejected, "mend"))


def test_a_discount_of_a_table_is_a_percentage_or_an_amount_and_lasts(tmp_path):
    header = "customer,started_at,amount,currency,interval,discount\n"
    percent = table(
        tmp_path / "p.csv", header + "ada,2024-01-10,80,USD,month,25%\nben,2024-01-10,80,USD,month,\n"
    )
    assert rows(percent.terms, "forever_off") == [2_000, 0]
    amount = table(
        tmp_path / "a.csv", header + "ada,2024-01-10,80,USD,month,5.50\nben,2024-01-10,80,USD,month,0\n"
    )
    assert rows(amount.terms, "forever_off") == [550, 0]
    above = table(
        tmp_path / "x.csv", header + "ada,2024-01-10,80,USD,month,90\nben,2024-01-10,80,USD,month,1\n"
    )
    assert "discount above the price" in above.rejected["because"][0].as_py()
    assert any("as long as the subscription lasts" in note for note in above.notes)


def test_a_canceled_trial_of_a_table_never_paid_and_an_end_in_9999_is_none(tmp_path):
    found = table(
        tmp_path / "t.csv",
        "customer,started_at,ended_at,trial_end,status,mrr,currency\n"
        "ada,2024-01-10,2024-01-20,2024-01-24,canceled,10,USD\n"
        "ben,2024-01-10,9999-12-31,,active,10,USD\n",
    )
    assert rows(found.terms, "customer", "ends", "state") == [
        ("ada", date(2024, 1, 20), "trialing"),
        ("ben", None, "active"),
    ]


def test_a_flag_that_is_neither_true_nor_false_is_set_aside(tmp_path):
    found = table(
        tmp_path / "t.csv",
        "customer,started_at,mrr,currency,cancel at period end,current period end\n"
        "ada,2024-01-10,10,USD,perhaps,2024-02-10\nben,2024-01-10,10,USD,yes,2024-02-10\n",
    )
    assert "'perhaps' does not say" in found.rejected["because"][0].as_py()
    assert rows(found.terms, "customer", "ends") == [("ben", date(2024, 2, 10))]


def test_metered_rows_and_negative_prices_of_a_table(tmp_path):
    found = table(
        tmp_path / "t.csv",
        "customer,started_at,amount,currency,interval,usage type\n"
        "ada,2024-01-10,10,USD,month,metered\nben,2024-01-10,-10,USD,month,licensed\n",
    )
    assert rows(found.terms, "customer", "kind", "quantity") == [("ada", "metered", 0)]
    assert "negative price" in found.rejected["because"][0].as_py()


def test_a_list_of_nothing_is_read_and_says_nothing(tmp_path):
    path = tmp_path / "none.json"
    path.write_text(json.dumps({"object": "list", "url": "/v1/subscriptions", "data": []}))
    assert recognize(path) == Kind.API
    assert (read(path).terms.num_rows, read(path).counts["read"]) == (0, 0)
    path.write_text(json.dumps({"object": "list", "url": "/v1/events", "data": []}))
    assert recognize(path) == Kind.EVENTS


def test_a_table_without_a_header_or_of_another_format_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("1,2\n3,4\n5,6\n")
    with pytest.raises(Invalid) as problem:
        read(path, kind="plain")
    assert problem.value.mend


def test_discounts_of_an_event_file_alone_and_items_without_prices(tmp_path):
    alone = {
        "id": "evt_d", "object": "event", "type": "customer.discount.created", "created": 1706774400,
        "data": {"object": {**coupon(percent_off=50), "subscription": "sub_9"}},
    }  # fmt: skip
    of_customer = {**alone, "id": "evt_c", "data": {"object": coupon(percent_off=50)}}
    bare = subscription(name="sub_2")
    bare["items"]["data"][0] = {"id": "si_1", "price": "price_1"}
    more = subscription(name="sub_3")
    more["items"]["has_more"] = True
    path = lines(
        tmp_path / "e.jsonl", event("created", "2024-01-10", subscription()), alone, of_customer,
        event("created", "2024-01-10", bare), event("created", "2024-01-10", more),
    )  # fmt: skip
    reading = read(path)
    assert (reading.counts["passed_over"], reading.counts["used"]) == (2, 1)
    assert [
        "no price" in rows(reading.rejected, "because")[0],
        "Only the first" in rows(reading.rejected, "because")[1],
    ] == [True, True]


def test_a_coupon_holds_in_the_currency_it_gives_an_amount_for(tmp_path):
    options = {"amount_off": 500, "currency": "eur", "currency_options": {"usd": {"amount_off": 600}}}
    path = lines(tmp_path / "s.jsonl", subscription(discount=coupon(**options)))
    assert rows(read(path, known_at=KNOWN).terms, "forever_off") == [600]


def test_what_is_too_large_to_count_is_set_aside(tmp_path):
    path = lines(tmp_path / "s.jsonl", subscription(item(10**18, 10**6)), subscription(name="sub_2"))
    reading = read(path, known_at=KNOWN)
    assert "too large" in reading.rejected["because"][0].as_py()
    assert rows(reading.terms, "subscription") == ["sub_2"]
