"""The Dashboard's export and any table of subscriptions, by a mapping that is guessed and that a person overrides."""

from __future__ import annotations

from datetime import date

import pytest

from potager.connectors.stripe import Kind, guessed, read, recognize
from potager.engines.finance import POLICIES, movements_under
from potager.kit.errors import Invalid

from .building import KNOWN, rows

DASHBOARD = (
    "id,Customer ID,Customer Description,Customer Email,Plan,Product,Quantity,Currency,Interval,Amount,Status,"
    "Created (UTC),Start (UTC),Current Period Start (UTC),Current Period End (UTC),Trial Start (UTC),Trial End (UTC),"
    "Canceled At (UTC),Cancel At Period End,Ended At (UTC)\n"
)
EXPORT = (
    DASHBOARD
    + 'sub_1,cus_1,"Ada, Ltd",a@example.org,gold,prod_1,4,usd,year,"1,200.50",active,2024-01-09 23:00,2024-01-10 09:30,'
    "2024-01-10 09:30,2025-01-10 09:30,,,,false,\n"
    "sub_2,cus_2,,,silver,prod_2,2,jpy,month,500,canceled,2024-01-10 09:30,2024-01-10 09:30,2024-03-10 09:30,"
    "2024-04-10 09:30,,,2024-03-20 10:00,false,2024-03-20 10:00\n"
    "sub_3,cus_3,,,silver,prod_2,1,kwd,month,1.5,trialing,2024-01-10 09:30,2024-01-10 09:30,2024-01-10 09:30,"
    "2024-01-24 09:30,2024-01-10 09:30,2024-01-24 09:30,2024-01-12 10:00,true,\n"
)


def csv_file(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_the_dashboards_export_is_read_in_minor_units_by_currency(tmp_path):
    path = csv_file(tmp_path / "subscriptions.csv", EXPORT)
    assert recognize(path) == Kind.DASHBOARD
    reading = read(path, known_at=KNOWN)
    assert reading.rejected.num_rows == 0
    names = (
        "subscription",
        "customer",
        "plan",
        "starts",
        "ends",
        "currency",
        "unit_cents",
        "quantity",
        "interval_unit",
    )
    assert rows(reading.terms, *names) == [
        ("sub_1", "cus_1", "gold", date(2024, 1, 10), None, "USD", 120_050, 4, "year"),
        ("sub_2", "cus_2", "silver", date(2024, 1, 10), date(2024, 3, 20), "JPY", 500, 2, "month"),
        ("sub_3", "cus_3", "silver", date(2024, 1, 10), date(2024, 1, 24), "KWD", 1_500, 1, "month"),
    ]
    assert rows(reading.terms, "state", "canceled_on", "paid_until") == [
        ("active", None, None),
        ("active", date(2024, 3, 20), date(2024, 4, 10)),
        ("trialing", date(2024, 1, 12), date(2024, 1, 24)),
    ]
    assert any("no history" in note for note in reading.notes)
    assert any("the price of one" in note for note in reading.notes)


def test_headers_of_the_dashboard_are_read_in_any_case_and_in_their_older_words(tmp_path):
    older = EXPORT.replace("Start (UTC),Current", "start date (utc),CURRENT", 1).replace(
        "Customer ID", "customer_id", 1
    )
    older = older.replace("Canceled At (UTC)", "Cancelled At", 1)
    path = csv_file(tmp_path / "subscriptions.csv", older)
    assert recognize(path) == Kind.DASHBOARD
    assert rows(read(path, known_at=KNOWN).terms, "starts") == [date(2024, 1, 10)] * 3


CHARTMOGUL = (
    "customer_external_id,plan,started_at,ended_at,canceled_at,amount,currency,quantity,billing period\n"
    "ada,Gold,2024-01-10,,,30.00,USD,3,1 month\n"
    "ben,Gold,2024-01-10,2024-07-10,2024-06-20,120,EUR,1,3 months\n"
    "eve,Silver,2024-02-01,,,1200,USD,1,yearly\n"
)


def test_a_plain_table_is_read_by_the_words_of_its_header(tmp_path):
    path = csv_file(tmp_path / "table.csv", CHARTMOGUL)
    assert recognize(path) == Kind.PLAIN
    reading = read(path, known_at=KNOWN)
    assert reading.mapping == {
        "customer": "customer_external_id", "plan": "plan", "starts": "started_at", "ends": "ended_at",
        "canceled_on": "canceled_at", "amount": "amount", "currency": "currency", "quantity": "quantity",
        "interval": "billing period",
    }  # fmt: skip
    names = (
        "subscription",
        "unit_cents",
        "quantity",
        "interval_count",
        "interval_unit",
        "ends",
        "canceled_on",
    )
    assert rows(reading.terms, *names) == [
        ("ada/Gold", 1_000, 3, 1, "month", None, None),
        ("ben/Gold", 12_000, 1, 3, "month", date(2024, 7, 10), date(2024, 6, 20)),
        ("eve/Silver", 120_000, 1, 1, "year", None, None),
    ]
    moved = movements_under(POLICIES["chartmogul"], reading.terms)
    assert (date(2024, 2, 1), 10_000) in rows(moved, "date", "cents")


def test_what_a_person_maps_goes_before_what_is_guessed(tmp_path):
    text = "who,since,per seat cents,mrr,seats,notes\nada,10.01.2024,1050,99,3,x\nben,25.01.2024,250,98,,y\n"
    path = csv_file(tmp_path / "table.csv", text)
    assert recognize(path) is None
    mapping = {
        "customer": "who",
        "starts": "since",
        "unit_amount": "per seat cents",
        "currency": "=EUR",
        "interval": "=month",
    }
    reading = read(path, kind="plain", mapping=mapping, known_at=KNOWN)
    assert rows(reading.terms, "customer", "starts", "currency", "unit_cents", "quantity") == [
        ("ada", date(2024, 1, 10), "EUR", 1_050, 3),
        ("ben", date(2024, 1, 25), "EUR", 250, 1),
    ]
    without = read(
        path,
        kind="plain",
        mapping={**mapping, "quantity": "", "unit_amount": "", "mrr": "mrr"},
        known_at=KNOWN,
    )
    assert rows(without.terms, "unit_cents", "quantity") == [(9_900, 1), (9_800, 1)]


def test_figures_are_read_with_the_marks_of_their_column(tmp_path):
    text = "customer;started_at;mrr;currency\nada;2024-01-10;1.234,50;EUR\nben;2024-01-10;99,00;EUR\n"
    path = csv_file(tmp_path / "table.csv", text)
    assert rows(read(path, kind="plain", known_at=KNOWN).terms, "unit_cents") == [123_450, 9_900]


def test_a_yearly_run_rate_is_a_yearly_price(tmp_path):
    path = csv_file(tmp_path / "t.csv", "account,start date,arr,currency\nada,2024-01-10,1200,USD\n")
    assert rows(read(path, known_at=KNOWN).terms, "unit_cents", "interval_unit") == [(120_000, "year")]


def test_a_monthly_figure_goes_before_an_amount_without_an_interval(tmp_path):
    path = csv_file(
        tmp_path / "t.csv", "account,start date,amount,mrr,currency\nada,2024-01-10,1200,100,USD\n"
    )
    assert rows(read(path, known_at=KNOWN).terms, "unit_cents", "interval_unit") == [(10_000, "month")]


def test_stretches_of_one_subscription_are_rows_of_their_own(tmp_path):
    text = (
        "customer,subscription id,started_at,ended_at,mrr,currency\n"
        "ada,s1,2024-01-10,2024-02-10,10,USD\nada,s1,2024-02-10,,30,USD\n"
    )
    moved = movements_under(
        POLICIES["stripe"], read(csv_file(tmp_path / "t.csv", text), known_at=KNOWN).terms
    )
    assert rows(moved, "kind", "cents") == [("new", 1_000), ("expansion", 2_000)]


@pytest.mark.parametrize(
    ("row", "because"),
    [
        ("ada,s,2024-01-10,2023-01-10,,10,USD,1,month,", "ends on 2023-01-10, before it starts"),
        ("ada,s,2024-01-10,,,10,USD,-2,month,", "negative quantity"),
        ("ada,s,2024-01-10,,,10,USD,1.5,month,", "no whole number"),
        ("ada,s,2024-01-10,,,10,USD,1,fortnite,", "interval is 'fortnite'"),
        ("ada,s,2024-01-10,,,10,USD,1,,", "no billing interval"),
        ("ada,s,2024-01-10,,,ten,USD,1,month,", "'ten' is no number"),
        ("ada,s,2024-01-10,,,,USD,1,month,", "price is not in the file"),
        ("ada,s,2024-01-10,,,10,,1,month,", "no currency"),
        ("ada,s,someday,,,10,USD,1,month,", "'someday' is no time"),
        ("ada,s,,,,10,USD,1,month,", "no day on which it starts"),
        (",s,2024-01-10,,,10,USD,1,month,", "no customer"),
        ("ada,s,2024-01-10,,asleep,10,USD,1,month,", "status is 'asleep'"),
        ("ada,s,2024-01-10,,canceled,10,USD,1,month,", "the day it ended is not in the file"),
        ("ada,s,2024-01-10,,,10,USD,1,month,SPRING", "coupon 'SPRING'"),
        ("ada,s,2024-01-10,,,10,USD,1,month,,", "has 11 columns where the header has 10"),
        ("good,g,2024-02-10,,,10,EUR,1,month,", "billed in two currencies at once"),
        ("good,g,2024-02-10,,,10,USD,1,month,", "two prices on the same day"),
    ],
)
def test_a_row_no_figure_may_be_made_of_is_set_aside_with_its_line(tmp_path, row, because):
    header = "customer,subscription id,started_at,ended_at,status,amount,currency,quantity,interval,coupon\n"
    good = "good,g,2024-01-10,,active,10,USD,1,month,\n"
    other = 'other,o,2024-01-10,,active,"10",USD,1,month,\n'
    path = csv_file(tmp_path / "t.csv", header + good + other * 1 + row + "\n")
    reading = read(path, kind="plain", known_at=KNOWN)
    (found,) = reading.rejected.to_pylist()
    assert found["where"] == "line 4"
    assert because in found["because"]
    assert found["mend"]
    assert rows(reading.terms, "customer") == ["good", "other"]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("started_at,amount,currency,interval", "No column says the customer."),
        ("customer,amount,currency,interval", "No column says the day a subscription starts."),
        ("customer,started_at,currency,interval", "No column says the price."),
        ("customer,started_at,amount,interval", "No column says the currency."),
        ("customer,started_at,amount,currency", "No column says the billing interval."),
    ],
)
def test_a_column_that_is_needed_and_not_found_is_asked_for(tmp_path, header, said):
    path = csv_file(
        tmp_path / "t.csv", header + "\n" + ",".join(["1"] * 4) + "\n" + ",".join(["2"] * 4) + "\n"
    )
    with pytest.raises(Invalid) as problem:
        read(path, kind="plain")
    assert said in problem.value.detail
    assert "mapping" in problem.value.mend


def test_a_mapping_to_what_is_not_there_is_refused(tmp_path):
    path = csv_file(tmp_path / "t.csv", CHARTMOGUL)
    with pytest.raises(Invalid, match="no column 'person'"):
        read(path, mapping={"customer": "person"})
    with pytest.raises(Invalid, match="'color' is no role"):
        read(path, mapping={"color": "plan"})


def test_each_column_has_one_role():
    headers = ["Customer Email", "Customer ID", "id", "Plan", "Start", "Created", "Amount", "MRR"]
    found = guessed(headers)
    assert len(set(found.values())) == len(found)
    assert (found["customer"], found["subscription"], found["starts"]) == ("Customer ID", "id", "Start")
