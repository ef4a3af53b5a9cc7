"""Rolling and cumulative values in linear time equal MetricFlow's own, to the row."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.insight.metrics.semantics import Condition, MetricQuery, SemanticLayer, parse
from potager.insight.metrics.semantics.rolling import rolling_of
from potager.insight.metrics.semantics.statements import Asked, metricflow_query
from potager.insight.metrics.semantics.vocabulary import resolve
from tests.insight.semantics.lake_in_memory import MemoryWarehouse

WINDOWS = {
    "w1": "window: 1 day",
    "w28": "window: 28 days",
    "w2w": "window: 2 weeks",
    "w1m": "window: 1 month",
    "w1q": "window: 1 quarter",
    "mtd": "grain_to_date: month",
    "wtd": "grain_to_date: week",
    "ytd": "grain_to_date: year",
    "ever": "",
}
EVENTS = """\
semantic_models:
  - name: events
    model: ref('events')
    defaults: {agg_time_dimension: happened}
    primary_entity: event
    entities: [{name: person, type: foreign, expr: person_id}]
    dimensions:
      - {name: happened, expr: day, type: time, type_params: {time_granularity: day}}
      - {name: plan, type: categorical}
      - {name: kind, type: categorical}
    measures:
      - {name: people, agg: count_distinct, expr: person_id}
      - {name: points, agg: sum, expr: points}
  - name: people
    model: ref('people')
    entities: [{name: person, type: primary, expr: person_id}]
    dimensions: [{name: region, type: categorical}]
metrics:
  - {name: people, label: People, type: simple, type_params: {measure: people}}
  - {name: points, label: Points, type: simple, type_params: {measure: points}}
"""
FILTER = "{{ Dimension('event__kind') }} = 'a'"


def cumulative(measure: str, window: str, period: str) -> str:
    """Return one cumulative metric; a ``period`` of "filtered" means the first day's value under the filter."""
    over = "first" if period == "filtered" else period
    inner = ", ".join(part for part in (WINDOWS[window], f"period_agg: {over}") if part)
    filtered = f'filter: "{FILTER}", ' if period == "filtered" else ""
    return (
        f"  - {{name: {measure}_{window}_{period}, label: {measure} {window} {period}, type: cumulative, {filtered}"
        f"type_params: {{measure: {measure}, cumulative_type_params: {{{inner}}}}}}}\n"
    )


PERIODS = ["first", "last", "average", "filtered"]
EVENTS += "".join(
    cumulative(measure, window, period)
    for measure in ("people", "points")
    for window in WINDOWS
    for period in PERIODS
)

DAYS = st.integers(0, 120).map(lambda offset: date(2023, 12, 1) + timedelta(days=offset))
ROWS = st.lists(
    st.tuples(
        DAYS,
        st.one_of(st.none(), st.integers(1, 6)),
        st.sampled_from(["x", "y", None]),
        st.sampled_from(["a", "b"]),
        st.integers(-5, 5),
    ),
    min_size=1,
    max_size=40,
)


def layer_over(rows) -> tuple[SemanticLayer, MemoryWarehouse]:
    warehouse = MemoryWarehouse(
        "CREATE SCHEMA app",
        "CREATE TABLE app.events (day DATE, person_id INTEGER, plan VARCHAR, kind VARCHAR, points INTEGER)",
        "CREATE TABLE app.people AS SELECT range AS person_id, 'r' || (range % 2) AS region FROM range(1, 5)",
    )
    warehouse.connection.executemany("INSERT INTO app.events VALUES (?, ?, ?, ?, ?)", rows)
    return SemanticLayer([parse(EVENTS, "events.yml")], warehouse, namespace="app"), warehouse


def by_metricflow(layer: SemanticLayer, warehouse: MemoryWarehouse, query: MetricQuery) -> list[tuple]:
    """Return what MetricFlow's own SQL says for one cumulative metric."""
    compiled = layer._compiled
    groupings = tuple(resolve(compiled, query.metrics, name) for name in query.group_by)
    conditions = tuple((resolve(compiled, query.metrics, one.dimension), one) for one in query.where)
    asked = Asked(query.metrics, groupings, query.grain, query.start, query.end, conditions)
    table = warehouse.rows(metricflow_query(compiled, asked).sql("duckdb"))
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return sorted(
        ((row[0].date() if hasattr(row[0], "date") else row[0], *row[1:]) for row in rows), key=repr
    )


@pytest.mark.parametrize("measure", ["people", "points"])
@given(
    rows=ROWS,
    window=st.sampled_from(list(WINDOWS)),
    period=st.sampled_from(PERIODS),
    grain=st.sampled_from(["day", "week", "month", "quarter"]),
    groups=st.sampled_from([(), ("plan",), ("region",), ("plan", "kind"), ("person",)]),
    bounds=st.one_of(
        st.just((None, None)), st.tuples(DAYS, DAYS), st.tuples(DAYS, st.none()), st.tuples(st.none(), DAYS)
    ),
    condition=st.sampled_from([(), (Condition("plan", "!=", ("x",)),), (Condition("region", "=", ("r1",)),)]),
)
@settings(max_examples=40, deadline=None)
def test_the_linear_sql_equals_metricflows(measure, rows, window, period, grain, groups, bounds, condition):
    start, end = bounds
    if start is not None and end is not None and start > end:
        start, end = end, start
    layer, warehouse = layer_over(rows)
    query = MetricQuery((f"{measure}_{window}_{period}",), groups, grain, start, end, condition)

    ours = layer.query(query).table
    found = sorted(zip(*(column.to_pylist() for column in ours.columns), strict=True), key=repr)

    assert found == by_metricflow(layer, warehouse, query)


def test_the_linear_sql_is_what_runs():
    layer, _ = layer_over([(date(2024, 1, 1), 1, "x", "a", 1)])

    assert rolling_of(layer._compiled, "people_w28_first") is not None
    assert "stretches" in layer.sql(MetricQuery(("people_w28_first",), grain="day"))
    assert "JOIN" not in layer.sql(MetricQuery(("people_w28_first",), grain="day"))
    assert rolling_of(layer._compiled, "people") is None


def test_a_person_seen_twice_in_a_window_is_one_and_leaves_when_the_last_visit_does():
    rows = [(date(2024, 1, day), 1, "x", "a", 1) for day in (1, 5)] + [(date(2024, 2, 20), 2, "x", "a", 1)]
    layer, _ = layer_over(rows)
    table = layer.query(MetricQuery(("people_w28_first",), grain="day")).table
    days = dict(zip(*(column.to_pylist() for column in table.columns), strict=True))

    assert days[date(2024, 1, 1)] == days[date(2024, 1, 5)] == days[date(2024, 2, 1)] == 1
    assert date(2024, 2, 2) not in days  # nobody's window reaches it, as in MetricFlow
    assert days[date(2024, 2, 20)] == 1


def test_a_day_whose_rows_name_nobody_counts_nobody():
    layer, _ = layer_over([(date(2024, 1, 1), None, "x", "a", 1), (date(2024, 1, 2), None, "x", "a", 1)])

    assert layer.query(MetricQuery(("people_w28_first",), grain="day")).table.to_pylist() == [
        {"metric_time": date(2024, 1, 1), "people_w28_first": 0},
        {"metric_time": date(2024, 1, 2), "people_w28_first": 0},
    ]


def test_a_month_reaches_over_short_months_as_metricflow_says():
    layer, warehouse = layer_over([(date(2024, 1, day), day % 7, "x", "a", 1) for day in (29, 30, 31)])
    query = MetricQuery(("people_w1m_first",), grain="day", start=date(2024, 1, 1), end=date(2024, 4, 1))

    ours = layer.query(query).table
    found = sorted(zip(*(column.to_pylist() for column in ours.columns), strict=True), key=repr)
    assert found == by_metricflow(layer, warehouse, query)


def test_a_second_time_dimension_is_left_to_metricflow():
    layer, _ = layer_over([(date(2024, 1, 1), 1, "x", "a", 1)])
    sql = layer.sql(MetricQuery(("people_w28_first",), ("happened__month",), "day"))

    assert "stretches" not in sql
