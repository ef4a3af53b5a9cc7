"""Published vectors through book, job, lake, metric and API; bad rows; a second load; who may."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from potager.engines.finance import POLICIES, bridges
from potager.ground.jobs.work import run_job
from potager.ground.lake.service import lake, warehouse
from potager.insight.metrics.actions import govern, set_formula
from potager.insight.metrics.queries import metrics
from potager.insight.metrics.reading import series
from potager.insight.revenue import actions, queries, readings
from potager.insight.revenue.models import Book
from potager.insight.revenue.policies import policy_named
from potager.kit import clock
from potager.kit.errors import Invalid, NotAllowed
from tests.insight.revenue.conftest import TERMS, put, term

YEARLY = {"interval_unit": "year"}
# ChartMogul's "Syncalytics": the story of one customer, told by its own documentation.
SYNCALYTICS = [
    term("syncalytics", date(2022, 1, 10), date(2023, 1, 10), 50_000, quantity=4, plan="gold", **YEARLY,
         subscription="gold"),
    term("syncalytics", date(2022, 3, 5), date(2022, 5, 5), 3_000, quantity=2, plan="silver", subscription="silver",
         canceled_on=date(2022, 4, 20)),
    term("syncalytics", date(2023, 6, 1), None, 5_000, quantity=3, plan="gold", subscription="gold-2"),
]  # fmt: skip
# NRR 77.5 %, GRR 65 %, logo retention 75 %.
KEPT = [
    *(term(who, date(2023, 11, 1), date(2024, 10, 1), 10_000) for who in "abc"),
    term("d", date(2023, 11, 1), None, 10_000),
    term("a", date(2024, 10, 1), None, 15_000, subscription="a-1"),
    term("b", date(2024, 10, 1), None, 6_000),
    term("e", date(2024, 10, 1), None, 8_000),
]


def described(ada: Any, name: str = "Main", table: str = "billing.terms", **more: Any) -> Book:
    """A book over a table of terms."""
    values = {"name": name, "terms_table": table, "policy": "chartmogul", **more}
    return actions.describe_book(actor=ada.actor, values=values)


def load(ada: Any, book: Book) -> Book:
    """Load a book, as a worker does, on 15 November 2024."""
    with clock.held(datetime(2024, 11, 15, 12, tzinfo=UTC)):
        job = actions.load_book(actor=ada.actor, book=book)
        run_job.call(str(job.pk))
    job.refresh_from_db()
    book.refresh_from_db()
    assert job.state in {"done", "failed"}, job.problem
    return book


def test_the_syncalytics_story_comes_out_as_published(own: Any, ada: Any, vi: Any) -> None:
    put("billing.terms", SYNCALYTICS)
    book = load(ada, described(ada))
    assert (book.state, book.rows, book.rejected) == ("done", 3, 0), book.note
    said = vi.call("get", f"/revenue/books/{book.pk}/movements").json()
    assert [(one["day"], one["kind"], one["cents"]) for one in reversed(said["items"])] == [
        ("2022-01-10", "new", 16_667),
        ("2022-03-05", "expansion", 6_000),
        ("2022-05-05", "contraction", -6_000),
        ("2023-01-10", "churn", -16_667),
        ("2023-06-01", "reactivation", 15_000),
    ]
    assert {one["customer"] for one in said["items"]} == {"syncalytics"}
    rows = warehouse().query("SELECT * FROM revenue.months ORDER BY month").table.to_pylist()
    for row in rows:
        gained = row["new_cents"] + row["expansion_cents"] + row["reactivation_cents"] + row["currency_cents"]
        assert row["start_cents"] + gained - row["contraction_cents"] - row["churn_cents"] == row["end_cents"]
    ends = {row["month"]: row["end_cents"] for row in rows}
    assert ends[date(2022, 3, 1)] == ends[date(2022, 4, 1)] == 22_667
    assert ends[date(2023, 3, 1)] == 0  # a row nevertheless, because of what was paid a year before
    assert ends[date(2024, 11, 1)] == 15_000


def test_retention_comes_out_as_published(own: Any, ada: Any, vi: Any) -> None:
    put("billing.terms", KEPT)
    book = load(ada, described(ada))
    said = {one["key"]: one for one in vi.call("get", f"/revenue/books/{book.pk}/ratios").json()}
    # The first month of customers lies within the window of twelve months, so it is asked for by its days.
    window = "?since=2023-12-01&until=2024-10-31"
    asked = {one["key"]: one for one in vi.call("get", f"/revenue/books/{book.pk}/ratios{window}").json()}
    assert asked["net_revenue_retention"]["value"] == pytest.approx(0.775)
    assert asked["gross_revenue_retention"]["value"] == pytest.approx(0.65)
    assert asked["logo_retention"]["value"] == pytest.approx(0.75)
    assert asked["logo_churn"]["value"] == pytest.approx(0.25)
    assert said["net_revenue_retention"]["value"] is None
    assert "Nobody paid" in said["net_revenue_retention"]["because"]
    (october,) = vi.call("get", f"/revenue/books/{book.pk}/bridge?months=1").json()
    assert (october["start"], october["end"], october["churn"]) == (40_000, 39_000, 10_000)
    assert october["start"] + october["net_new"] + october["currency_effect"] == october["end"]
    grid = vi.call("get", f"/revenue/books/{book.pk}/cohorts").json()
    youngest = grid["cohorts"][-1]
    assert youngest["month"] == "2024-10-01"
    assert youngest["cells"][0]["cents"] == 8_000
    assert youngest["cells"][1]["cents"] is None  # not reached yet, which is not zero


def test_the_metrics_say_what_the_book_says(own: Any, ada: Any) -> None:
    put("billing.terms", KEPT)
    book = load(ada, described(ada))
    actions.publish_metrics(actor=ada.actor, book=book)
    known = {metric.name: metric for metric in metrics(ada.actor)}
    found = {
        name: series(known[name], "month", date(2024, 9, 1), date(2024, 10, 31)).values.tolist()
        for name in ("mrr", "arr", "churned_mrr", "expansion_mrr", "paying_customers", "arpa", "net_new_mrr")
    }
    assert (known["mrr"].unit, known["paying_customers"].unit) == ("EUR", "customers")
    assert (known["mrr"].direction, known["churned_mrr"].direction) == ("up", "down")
    assert found["mrr"] == [400.0, 390.0]
    assert found["arr"] == [4800.0, 4680.0]
    assert found["churned_mrr"][1] == 100.0
    assert found["expansion_mrr"][1] == 50.0
    assert found["net_new_mrr"][1] == -10.0
    assert found["paying_customers"] == [4, 4]
    assert found["arpa"] == [100.0, 97.5]
    quarter = series(known["mrr"], "quarter", date(2024, 7, 1), date(2024, 9, 30)).values.tolist()
    assert quarter == [400.0]  # at its end, not added up


def test_retention_as_metrics_is_retention_customer_by_customer(own: Any, ada: Any) -> None:
    started = date(2023, 10, 1)
    put(
        "billing.terms",
        [
            term("a", started, date(2024, 3, 1), 10_000),
            term("a", date(2024, 3, 1), None, 15_000),
            term("b", started, date(2024, 3, 1), 10_000),
            term("b", date(2024, 3, 1), None, 6_000),
            term("c", started, date(2024, 10, 5), 10_000),
            term("d", started, None, 10_000),
            term("e", date(2024, 2, 1), None, 8_000),
        ],
    )
    book = load(ada, described(ada))
    actions.publish_metrics(actor=ada.actor, book=book)
    known = {metric.name: metric for metric in metrics(ada.actor)}

    def of_october(name: str) -> float:
        return float(series(known[name], "month", date(2024, 10, 1), date(2024, 10, 31)).values[0])

    # domain.md 3.3: a 100 to 150, b 100 to 60, c 100 to 0, d stays, e is new.
    assert of_october("net_revenue_retention") == pytest.approx(0.775)
    assert of_october("gross_revenue_retention") == pytest.approx(0.65)
    assert of_october("customers_lost") == 1
    assert of_october("logo_churn") == pytest.approx(1 / 5)
    assert math.isnan(
        float(series(known["quick_ratio"], "month", date(2024, 9, 1), date(2024, 9, 30)).values[0])
    )  # nothing was lost, which is no ratio
    assert of_october("quick_ratio") == 0.0
    assert {known[name].unit for name in ("net_revenue_retention", "logo_churn")} == {"share"}
    assert known["net_revenue_retention"].level == "strategic"
    assert known["mrr_lost"].component.formula == "contraction_mrr + churned_mrr"


def test_months_summed_in_the_lake_are_the_bridges_of_the_engine(own: Any, ada: Any) -> None:
    put("billing.terms", [*KEPT, *SYNCALYTICS])
    book = load(ada, described(ada))
    told = readings.months(book, "chartmogul", 40)
    edges = [one.starts for one in told] + [told[-1].ends]
    assert told == bridges(queries.moved(book, "chartmogul"), edges, "EUR")
    assert told[0].end == 0  # before anybody paid
    assert all(one.holds for one in told)


def test_publishing_again_leaves_what_people_changed(own: Any, ada: Any) -> None:
    put("billing.terms", KEPT)
    book = load(ada, described(ada))
    actions.publish_metrics(actor=ada.actor, book=book)
    known = {metric.name: metric for metric in metrics(ada.actor)}
    set_formula(actor=ada.actor, metric=known["mrr"], formula="")
    govern(actor=ada.actor, metric=known["arr"], values={"level": "operational"})
    actions.publish_metrics(actor=ada.actor, book=book)
    known = {metric.name: metric for metric in metrics(ada.actor)}
    assert known["mrr"].component.archived_at is not None
    assert known["arr"].level == "operational"


def test_bad_rows_are_set_aside_with_their_sentences_and_the_rest_is_counted(
    own: Any, ada: Any, vi: Any
) -> None:
    bad = [
        term("=cmd()", date(2024, 2, 1), date(2024, 1, 1), 1_000),
        term("odd", date(2024, 1, 1), None, 1_000, state="asleep"),
        term("void", date(2024, 1, 1), None, 1_000, quantity=None),
        term("deep", date(2024, 1, 1), None, 1_000, forever_off=2_000),
    ]
    put("billing.terms", KEPT + bad)
    book = load(ada, described(ada))
    assert (book.state, book.rows, book.rejected) == ("done", len(KEPT), 4), book.note
    text = b"".join(vi.call("get", f"/revenue/books/{book.pk}/rejected.csv").streaming_content).decode()
    for sentence in (
        "ends before it starts",
        "a state that is none of",
        "no readable quantity",
        "above the price",
    ):
        assert sentence in text
    assert "\n'=cmd()," in text


def test_a_second_load_changes_nothing(own: Any, ada: Any) -> None:
    put("billing.terms", KEPT)
    book = load(ada, described(ada, compared=["stripe"]))
    before = {name: len(lake().history(name)) for name in ("revenue.movements", "revenue.months")}
    load(ada, book)
    assert (book.state, book.note) == ("done", "")
    assert book.job is not None
    assert book.job.result["changed"] is False
    assert {name: len(lake().history(name)) for name in before} == before


def test_a_book_keeps_the_rows_of_the_others(own: Any, ada: Any) -> None:
    put("billing.terms", KEPT)
    put("billing.others", SYNCALYTICS)
    main = load(ada, described(ada))
    assert load(ada, described(ada, "Other", "billing.others")).state == "done"
    put("billing.terms", KEPT[3:4], load_id="two")
    assert load(ada, main).state == "done"
    counts = warehouse().query(
        "SELECT book, count(*) AS n FROM revenue.movements GROUP BY book ORDER BY book"
    )
    assert counts.table.to_pylist() == [{"book": "Main", "n": 1}, {"book": "Other", "n": 5}]


def test_a_price_in_a_currency_without_a_rate_fails_the_load_with_a_sentence(own: Any, ada: Any) -> None:
    put("billing.terms", [*KEPT, term("far", date(2024, 1, 1), None, 900, currency="USD")])
    book = load(ada, described(ada))
    assert book.state == "failed"
    assert "USD" in book.note


def test_other_currencies_are_converted_as_last_known_and_their_change_is_a_line_of_its_own(
    own: Any, ada: Any
) -> None:
    import pyarrow as pa

    put(
        "billing.terms",
        [
            term("us", date(2024, 9, 3), None, 10_000, currency="USD"),
            term("jp", date(2024, 9, 3), None, 1_000, currency="JPY"),
        ],
    )
    rates = [
        (date(2024, 9, 1), "USD", 0.5, datetime(2024, 9, 1)),  # corrected the day after
        (date(2024, 9, 1), "USD", 0.9, datetime(2024, 9, 2)),
        (date(2024, 10, 1), "USD", 0.92, datetime(2024, 10, 1)),
        (date(2024, 9, 1), "JPY", 0.0062, datetime(2024, 9, 1)),
        (date(2024, 9, 1), "EUR", 1.0, datetime(2024, 9, 1)),
    ]
    names = ("day", "currency", "rate", "known_at")
    table = pa.table(dict(zip(names, map(list, zip(*rates, strict=True)), strict=True)))
    lake().overwrite("billing.rates", table, load_id="one")
    book = load(ada, described(ada, policy="stripe", rates_table="billing.rates"))
    assert book.state == "done", book.note
    rows = (
        warehouse()
        .query("SELECT customer, day, kind, cents FROM revenue.movements ORDER BY ALL")
        .table.to_pylist()
    )
    assert [tuple(row.values()) for row in rows] == [
        ("jp", date(2024, 9, 3), "new", 620),  # a yen has no smaller unit
        ("us", date(2024, 9, 3), "new", 9_000),
        ("us", date(2024, 10, 1), "currency", 200),
    ]


def test_a_correction_known_later_takes_the_place_of_the_row(own: Any, ada: Any) -> None:
    import pyarrow as pa

    rows = [term("a", date(2024, 9, 1), None, 10_000), term("a", date(2024, 9, 1), None, 7_000)]
    known = pa.array([datetime(2024, 9, 1), datetime(2024, 9, 20)], pa.timestamp("us"))
    table = pa.Table.from_pylist(rows, schema=TERMS).append_column("known_at", known)
    lake().overwrite("billing.terms", table, load_id="one")
    book = load(ada, described(ada))
    assert (book.rows, book.rejected) == (1, 0), book.note
    cents = warehouse().query("SELECT cents FROM revenue.movements").table["cents"].to_pylist()
    assert cents == [7_000]


def test_a_table_without_the_columns_is_refused(own: Any, ada: Any) -> None:
    import pyarrow as pa

    lake().overwrite("billing.thin", pa.table({"customer": ["a"]}), load_id="one")
    with pytest.raises(Invalid, match="no column starts, unit_cents"):
        described(ada, table="billing.thin")
    with pytest.raises(Invalid, match=r"no table billing\.none"):
        described(ada, table="billing.none")


def test_an_outsider_is_refused_and_a_viewer_cannot_load(own: Any, ada: Any, vi: Any, cy: Any) -> None:
    put("billing.terms", KEPT)
    book = load(ada, described(ada))
    assert cy.call("get", f"/revenue/books/{book.pk}").status_code == 401
    assert vi.call("post", f"/revenue/books/{book.pk}/load").status_code == 403
    with pytest.raises(NotAllowed):
        actions.describe_book(actor=vi.actor, values={"name": "Mine", "terms_table": "billing.terms"})


def test_a_billing_table_in_the_lake_is_a_book_under_its_own_names(own: Any, ada: Any) -> None:
    rows = [
        {"client": "a", "since": "2024-01-05", "gone": None, "monthly_price": "49.90"},
        {"client": "b", "since": "2024-02-01", "gone": "2024-09-01", "monthly_price": "100"},
        {"client": "c", "since": "soon", "gone": None, "monthly_price": "1"},
    ]
    lake().overwrite("erp.contracts", pa.Table.from_pylist(rows), load_id="one")
    said = {"customer": "client", "starts": "since", "ends": "gone", "amount": "monthly_price"}
    book = load(ada, described(ada, terms_table="erp.contracts", columns=said))
    assert (book.rows, book.rejected) == (2, 1), book.note
    (october,) = readings.months(book, "chartmogul", 1)
    assert (october.start, october.end) == (4_990, 4_990)
    with pytest.raises(Invalid, match=r"no column starts, unit_cents \(or amount\)"):
        described(ada, name="Other", terms_table="erp.contracts", columns={"customer": "client"})
    with pytest.raises(Invalid, match="has no column nobody"):
        described(ada, name="Other", terms_table="erp.contracts", columns={**said, "plan": "nobody"})
    with pytest.raises(Invalid, match="Terms have no color"):
        described(ada, name="Other", terms_table="erp.contracts", columns={**said, "color": "client"})


def test_an_organization_counts_by_a_policy_of_its_own(own: Any, ada: Any, vi: Any) -> None:
    said = {"name": "house", "based_on": "stripe", "churn_dated": "end", "because": "The board decided."}
    made = ada.call("post", "/revenue/policies", said)
    assert made.status_code == 201, made.json()
    put(
        "billing.terms", [term("a", date(2024, 1, 1), date(2024, 12, 1), 1_000, canceled_on=date(2024, 9, 1))]
    )
    book = load(ada, described(ada, policy="house", compared=["stripe"]))
    assert queries.month_sums(book, "house", date(2024, 10, 1), date(2024, 11, 1))
    assert not queries.month_sums(book, "stripe", date(2024, 10, 1), date(2024, 11, 1))
    assert policy_named("house").discounts == POLICIES["stripe"].discounts
    assert policy_named("house").sources == {"churn_dated": "The board decided."}
    refused = ada.call("post", "/revenue/policies", {"name": "stripe", "based_on": "stripe"})
    assert "is a policy that is given" in refused.json()["detail"]
    with pytest.raises(Invalid, match=r"no policy mine; there are .*house"):
        described(ada, name="Other", policy="mine")
    assert vi.call("post", "/revenue/policies", {**said, "name": "mine"}).status_code == 403
