"""The real file: proposed, defined, answered; equal to its known facts and to plain SQL."""

from __future__ import annotations

from datetime import date

import pytest

from potager.insight.metrics.semantics import (
    Condition,
    MetricQuery,
    SemanticLayer,
    Window,
    parse,
    profile,
    propose,
    validate,
)
from tests.insight.semantics.lake_in_memory import MemoryWarehouse

pytestmark = pytest.mark.retail
OCTOBER, NOVEMBER = (
    Window(date(2011, 10, 1), date(2011, 10, 31)),
    Window(date(2011, 11, 1), date(2011, 11, 30)),
)


@pytest.fixture
def retail(retail_file) -> tuple[SemanticLayer, MemoryWarehouse]:
    warehouse = MemoryWarehouse(
        "CREATE SCHEMA retail", f"CREATE VIEW retail.order_lines AS FROM '{retail_file}'"
    )
    table = "retail.order_lines"
    proposal = propose(table, warehouse.tables()[table].schema, profile(warehouse, table))
    documents = [parse(proposal.yaml_text, "order_lines.yml")]
    assert validate(documents, warehouse.tables(), namespace="retail") == []
    assert any("135,080 of 541,909" in note for note in proposal.notes)
    return SemanticLayer(documents, warehouse, namespace="retail"), warehouse


def test_what_is_proposed_answers_with_the_known_facts(retail):
    layer, _ = retail
    names = ("revenue", "order_lines", "order_lines_without_customer", "customers", "invoices", "quantity")
    found = layer.query(MetricQuery(names)).table.to_pylist()[0]

    assert found["revenue"] == pytest.approx(9747747.934, abs=1e-3)
    assert found["order_lines"] == 541_909
    assert found["order_lines_without_customer"] == 135_080
    assert (found["customers"], found["invoices"], found["quantity"]) == (4372, 25_900, 5_176_450)


def test_the_proposal_names_what_a_person_would(retail):
    layer, _ = retail
    labels = {metric.label for metric in layer.metrics()}

    assert {
        "Revenue", "Invoices", "Customers", "Revenue per invoice", "Revenue per customer", "Invoices per customer",
        "28-day active customers", "Share of revenue without a customer", "Share of order lines without a customer",
    } <= labels  # fmt: skip


def test_completeness_knows_that_december_ends_on_its_ninth_day(retail):
    layer, _ = retail
    found = layer.completeness("revenue_per_customer")

    assert str(found.data_through) == "2011-12-09 12:50:00"
    assert found.tables[0].null_shares["customer_id"] == pytest.approx(135_080 / 541_909)


def test_values_by_month_and_country_equal_plain_sql(retail):
    layer, warehouse = retail
    ours = layer.query(
        MetricQuery(("revenue", "customers", "revenue_per_customer"), ("country",), "month")
    ).table
    plain = warehouse.rows(
        "SELECT CAST(date_trunc('month', invoice_date) AS DATE), country, sum(quantity * unit_price), "
        "count(DISTINCT customer_id), sum(quantity * unit_price) / nullif(count(DISTINCT customer_id), 0) "
        "FROM retail.order_lines GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert ours.num_rows == plain.num_rows
    assert ours.column(1).to_pylist() == plain.column(1).to_pylist()
    assert ours["revenue"].to_pylist() == pytest.approx(plain.column(2).to_pylist(), rel=1e-9)
    assert ours["customers"].to_pylist() == plain.column(3).to_pylist()
    for mine, theirs in zip(
        ours["revenue_per_customer"].to_pylist(), plain.column(4).to_pylist(), strict=True
    ):
        assert mine == theirs or mine == pytest.approx(theirs, rel=1e-9)


def test_active_customers_equal_a_naive_count(retail):
    layer, warehouse = retail
    name = "active_customers_28d"
    ours = layer.query(MetricQuery((name,), grain="day", start=date(2011, 6, 1), end=date(2011, 6, 30))).table
    for row in ours.to_pylist():
        day = row["metric_time"]
        naive = warehouse.rows(
            f"SELECT count(DISTINCT customer_id) AS n FROM retail.order_lines WHERE CAST(invoice_date AS DATE) "
            f"BETWEEN DATE '{day}' - 27 AND DATE '{day}'"
        )
        assert row[name] == naive["n"][0].as_py()
    assert ours.num_rows == 30


def test_the_change_from_october_to_november_adds_up_over_every_dimension(retail):
    layer, warehouse = retail
    sums = layer.component_sums("revenue_per_invoice", ["country", "product"], OCTOBER, NOVEMBER)
    total = sums.cells().to_pylist()[0]
    plain = warehouse.rows(
        "SELECT sum(quantity * unit_price) AS y, count(DISTINCT invoice_no) AS x FROM retail.order_lines "
        "WHERE invoice_date >= '2011-11-01' AND invoice_date < '2011-12-01'"
    ).to_pylist()[0]

    assert total["numerator_after"] == pytest.approx(plain["y"])
    assert total["denominator_after"] == plain["x"]
    assert sums.adds_up("numerator", "country") and sums.adds_up("numerator", "product")
    assert sums.adds_up("denominator", "country") and not sums.adds_up("denominator", "product")


def test_customers_moments_equal_plain_sql(retail):
    layer, warehouse = retail
    found = layer.unit_sums("revenue", "customer", None, NOVEMBER).table.to_pylist()[0]
    plain = warehouse.rows(
        "SELECT count(*) AS n, sum(y) AS y, sum(y * y) AS yy FROM (SELECT sum(quantity * unit_price) AS y "
        "FROM retail.order_lines WHERE invoice_date >= '2011-11-01' AND invoice_date < '2011-12-01' "
        "AND customer_id IS NOT NULL GROUP BY customer_id)"
    ).to_pylist()[0]

    assert found["units"] == plain["n"]
    assert (found["y"], found["yy"]) == (pytest.approx(plain["y"]), pytest.approx(plain["yy"]))
    whole = (
        layer.query(MetricQuery(("revenue",), start=NOVEMBER.start, end=NOVEMBER.end))
        .table["revenue"][0]
        .as_py()
    )
    assert found["y"] + found["y_without_unit"] == pytest.approx(whole)


def test_a_country_and_all_others_are_the_whole(retail):
    layer, _ = retail
    inside, outside = (
        layer.query(MetricQuery(("revenue",), where=(Condition("country", op, ("France",)),)))
        .table["revenue"][0]
        .as_py()
        for op in ("=", "!=")
    )

    assert inside + outside == pytest.approx(9747747.934, abs=1e-3)
