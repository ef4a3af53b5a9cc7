"""The guided start: what is proposed for a table is valid, sensible, and answers at once."""

from __future__ import annotations

import pytest

from potager.insight.metrics.semantics import MetricQuery, SemanticLayer, parse, profile, propose, validate
from potager.kit.errors import Invalid, NotFound
from tests.insight.semantics.lake_in_memory import MemoryWarehouse

TABLES = {
    "orders": "SELECT i AS id, 'c' || i % 20 AS customer_id, DATE '2024-01-01' + (i % 300)::INT AS created_at, "
    "i * 1.5 AS total_amount, ['new', 'paid'][1 + i % 2] AS status FROM range(1, 400) r(i)",
    "Web Events": 'SELECT uuid() AS "Event ID", i % 50 AS "User Id", '
    "TIMESTAMP '2024-01-01' + INTERVAL (i) HOUR AS \"Happened At\", "
    'i % 3 = 0 AS "Is Mobile", \'p\' || i % 7 AS "order", i % 10 AS "2nd score" FROM range(500) r(i)',
    "payments": "SELECT i AS payment_no, strftime(DATE '2024-01-01' + (i % 100)::INT, '%Y-%m-%d') AS paid, "
    "i % 9 AS account_id, i::DECIMAL(10, 2) AS amount, NULL::VARCHAR AS note FROM range(1, 200) r(i)",
    "readings": "SELECT DATE '2024-01-01' + (i % 30)::INT AS day, i % 4 AS sensor, random() AS value, "
    "i % 12 AS month FROM range(100) r(i)",
    "items": "SELECT DATE '2024-01-01' AS date, i AS quantity, 2.5 AS unit_cost, 'x' AS kind FROM range(10) r(i)",
}


@pytest.mark.parametrize("name", TABLES)
def test_what_is_proposed_is_valid_and_answers(name):
    warehouse = MemoryWarehouse(
        "CREATE SCHEMA main_lake", f'CREATE TABLE main_lake."{name.replace(" ", "_")}" AS {TABLES[name]}'
    )
    table = f"main_lake.{name.replace(' ', '_')}"
    tables = warehouse.tables()

    proposal = propose(table, tables[table].schema, profile(warehouse, table))

    documents = [parse(proposal.yaml_text, "proposed.yml")]
    assert validate(documents, tables, namespace="main_lake") == []
    layer = SemanticLayer(documents, warehouse, namespace="main_lake")
    names = tuple(metric.name for metric in layer.metrics())
    answered = layer.query(MetricQuery(names, grain="month")).table
    assert answered.num_rows >= 1
    assert set(answered.column_names) == {"metric_time", *names}
    assert len({metric.label for metric in layer.metrics()}) == len(names)


def proposed(name: str) -> str:
    warehouse = MemoryWarehouse("CREATE SCHEMA app", f"CREATE TABLE app.{name} AS {TABLES[name]}")
    return propose(
        f"app.{name}", warehouse.tables()[f"app.{name}"].schema, profile(warehouse, f"app.{name}")
    ).yaml_text


def test_a_key_of_the_row_is_the_primary_entity():
    text = proposed("orders")

    assert "- name: order_record\n        type: primary\n        expr: id" in text  # ORDER is a word of SQL
    assert "- name: orders\n    label: Orders" in text
    assert "total_amount_per_customer" in text
    assert "28-day active customers" in text


def test_dates_written_as_text_are_cast():
    assert "expr: CAST(paid AS TIMESTAMP)" in proposed("payments")


def test_a_quantity_and_its_cost_make_a_cost():
    text = proposed("items")

    assert "- name: cost\n    label: Cost" in text
    assert "expr: quantity * unit_cost" in text


def test_empty_columns_are_left_out_and_said():
    warehouse = MemoryWarehouse("CREATE SCHEMA app", f"CREATE TABLE app.payments AS {TABLES['payments']}")
    found = propose(
        "app.payments", warehouse.tables()["app.payments"].schema, profile(warehouse, "app.payments")
    )

    assert "The column `note` is left out: it is empty." in found.notes


def test_a_table_without_a_date_is_refused_with_a_mend():
    warehouse = MemoryWarehouse("CREATE SCHEMA app", "CREATE TABLE app.things AS SELECT 1 AS id, 'x' AS name")

    with pytest.raises(Invalid, match="when a row happened") as caught:
        propose("app.things", warehouse.tables()["app.things"].schema, profile(warehouse, "app.things"))
    assert "date column" in caught.value.mend


def test_a_profile_is_two_queries_and_knows_its_columns():
    warehouse = MemoryWarehouse("CREATE SCHEMA app", f"CREATE TABLE app.payments AS {TABLES['payments']}")
    found = profile(warehouse, "app.payments")

    assert len(warehouse.asked) == 2
    assert found.rows == 199
    assert found.column("paid").dates == 1.0
    assert found.column("note").nulls == 199
    assert (found.column("amount").lowest, found.column("amount").kind) == ("1.00", "number")
    assert found.column("account_id").samples[:2] == ("1", "2")
    with pytest.raises(NotFound):
        profile(warehouse, "app.nothing")


def test_an_empty_table_has_a_profile_and_no_proposal():
    warehouse = MemoryWarehouse("CREATE SCHEMA app", "CREATE TABLE app.e (day_of DATE, amount DOUBLE)")

    assert profile(warehouse, "app.e").rows == 0
    with pytest.raises(Invalid):
        propose("app.e", warehouse.tables()["app.e"].schema, profile(warehouse, "app.e"))
