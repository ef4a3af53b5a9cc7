"""Bad input: what is set aside says what is wrong and how to mend it, and the rest is read."""

from __future__ import annotations

import csv

import pytest

from potager.connectors.stripe import read, recognize
from potager.kit.errors import Invalid, NotFound

from .building import KNOWN, coupon, event, item, lines, rows, subscription

TWO = [item(), item(name="si_2", currency="eur")]
TIERED = item(None, billing_scheme="tiered", tiers_mode="graduated")
OFF = {"percent_off": 50}


@pytest.mark.parametrize(
    ("bad", "because", "mend"),
    [
        (
            subscription(status="canceled", canceled_at="2023-12-01", ended_at="2023-12-01"),
            "ends on 2023-12-01, before it starts on 2024-01-10", "which of the two dates",
        ),
        (subscription(*TWO), "two currencies at once, EUR and USD", "one subscription a currency"),
        (
            subscription(discount=coupon(amount_off=5_000, currency="eur")),
            "billed in USD and has a discount in EUR", "currency of the price",
        ),
        (subscription(discount=coupon(amount_off=10_001, currency="usd")), "discount above the price", "Cap"),
        (subscription(discount=coupon(percent_off=101)), "above the price", "Cap"),
        (subscription(discount=coupon(percent_off=-5)), "negative discount", "price of its own"),
        (subscription(item(quantity=-1)), "negative quantity, -1", "refund"),
        (subscription(item(-1)), "negative price", "discount"),
        (subscription(item(interval="fortnite")), "interval is 'fortnite'", "day, week, month or year"),
        (subscription(item(count=0)), "0 months", "1 or more"),
        (subscription(TIERED), "tiered and has no unit_amount, so what is paid cannot be known", "unit_amount"),
        (subscription(discounts=["di_9"]), "discount 'di_9' only the id", "expand"),
        (subscription(discount=coupon("weekly", **OFF)), "lasts 'weekly'", "forever, once or repeating"),
        (subscription(discount=coupon("repeating", **OFF)), "repeating discount without months", "how many"),
        (subscription(status="dormant"), "status is 'dormant'", "active"),
        (subscription(customer=None), "no customer", "whole"),
        (subscription(item(currency="dollars")), "currency is 'DOLLARS'", "ISO 4217"),
        (subscription(cancel_at_period_end=True), "that end is not known", "current_period_end"),
        ({**subscription(), "items": {"data": []}}, "no items", "items"),
        ({**subscription(), "start_date": 1e30, "created": None}, "no time that can be read", "2026-11-23"),
        ({"object": "invoice", "id": "in_1"}, "another kind, invoice", "subscriptions alone"),
    ],
)  # fmt: skip
def test_a_subscription_no_figure_may_be_made_of_is_set_aside_with_its_line(tmp_path, bad, because, mend):
    path = lines(tmp_path / "s.jsonl", subscription(name="sub_good"), "", bad)
    reading = read(path, known_at=KNOWN)
    (found,) = reading.rejected.to_pylist()
    assert found["where"] == "line 3"
    assert found["id"] == bad["id"]
    assert because in found["because"]
    assert mend in found["mend"]
    assert rows(reading.terms, "subscription") == ["sub_good"]
    assert (reading.counts["read"], reading.counts["used"], reading.counts["rejected"]) == (2, 1, 1)


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ('{"id": "sub_2", "object":', "Line 2 is no JSON: Expecting value at character 26"),
        ("[1, 2]", "no object in line 2"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_an_unreadable_line_is_set_aside_with_its_number(tmp_path, text, because):
    reading = read(
        lines(tmp_path / "s.jsonl", subscription(), text, subscription(name="sub_3")), known_at=KNOWN
    )
    (found,) = reading.rejected.to_pylist()
    assert found["where"] == "line 2"
    assert because in found["because"]
    assert found["mend"]
    assert rows(reading.terms, "subscription") == ["sub_1", "sub_3"]


def test_bytes_that_are_no_text_are_set_aside_with_their_line(tmp_path):
    path = lines(tmp_path / "s.jsonl", subscription())
    path.write_bytes(path.read_bytes() + b'{"id": "\xff\xfe"}\n')
    (found,) = read(path, known_at=KNOWN).rejected.to_pylist()
    assert found["because"] == "Line 2 holds bytes that are no UTF-8 text."


def test_a_list_that_breaks_says_in_which_line(tmp_path):
    path = tmp_path / "s.json"
    path.write_text(
        '{\n "object": "list",\n "data": [\n  {"id": "sub_1", "object": "subscription"},\n  {"id": ,\n'
    )
    with pytest.raises(Invalid, match="line 5"):
        read(path, known_at=KNOWN)


def test_a_whole_history_is_set_aside_where_one_event_of_it_cannot_be_counted(tmp_path):
    path = lines(
        tmp_path / "e.jsonl",
        event("created", "2024-01-10", subscription()),
        event("updated", "2024-02-10", subscription(TIERED)),
        event("created", "2024-01-10", subscription(name="sub_2")),
        {"id": "evt_thin", "object": "event", "type": "customer.subscription.updated", "created": 1},
        subscription(name="sub_3"),
    )
    reading = read(path)
    assert rows(reading.rejected, "where", "id") == [
        ("line 4", "evt_thin"), ("line 5", "sub_3"), ("line 2", "sub_1"),
    ]  # fmt: skip
    assert "Its other 1 events are set aside with it." in reading.rejected["because"][2].as_py()
    assert rows(reading.terms, "subscription") == ["sub_2"]
    assert (reading.counts["read"], reading.counts["used"], reading.counts["rejected"]) == (5, 1, 4)


def test_what_was_set_aside_is_written_to_a_file_that_no_spreadsheet_computes(tmp_path):
    path = lines(tmp_path / "s.jsonl", subscription(), subscription(item(quantity=-1), name="=cmd()"))
    read(path, known_at=KNOWN, rejects_to=tmp_path / "rejects.csv")
    with (tmp_path / "rejects.csv").open(newline="") as file:
        header, row = csv.reader(file)
    assert header == ["where", "id", "because", "mend"]
    assert row[:2] == ["line 2", "'=cmd()"]


@pytest.mark.parametrize("content", ["", "  \n\n"])
def test_an_empty_file_is_refused(tmp_path, content):
    path = tmp_path / "empty.jsonl"
    path.write_text(content)
    for act in (recognize, read):
        with pytest.raises(Invalid, match=r"empty\.jsonl is empty") as problem:
            act(path)
        assert problem.value.mend


def test_a_file_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFound):
        read(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("name", "text", "seems"),
    [
        ("invoices.jsonl", '{"id": "in_1", "object": "invoice"}\n', "JSON with a invoice"),
        ("people.csv", "name,age\nAda,36\nBen,41\n", "a table with the columns name, age"),
        ("other.json", '{"a": 1}', "JSON of another kind"),
        ("broken.json", '{"a": ', "JSON of another kind"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_was_expected(tmp_path, name, text, seems):
    path = tmp_path / name
    path.write_text(text)
    assert recognize(path) is None
    with pytest.raises(Invalid, match="no file of subscriptions") as problem:
        read(path)
    assert seems in problem.value.detail
    assert "customer.subscription" in problem.value.mend


def test_a_kind_that_the_file_is_not_is_refused_with_what_was_expected(tmp_path):
    path = lines(tmp_path / "s.jsonl", subscription())
    for kind, expected in (("events", "events of Stripe"), ("dashboard", "Dashboard"), ("plain", "a table")):
        with pytest.raises(Invalid, match="expected were") as problem:
            read(path, kind=kind)
        assert expected in problem.value.detail
    with pytest.raises(Invalid, match="'sheet' is no kind"):
        read(path, kind="sheet")
