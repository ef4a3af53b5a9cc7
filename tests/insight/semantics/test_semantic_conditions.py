"""Conditions select what they say, and a value is never anything but a value."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.insight.metrics.semantics import Condition, MetricQuery, SemanticLayer, parse
from potager.kit.errors import Invalid
from tests.insight.semantics.lake_in_memory import LINES, SHOP, shop_layer, shop_warehouse

LAYER = shop_layer()


def answer(*metrics: str, **asked) -> list[dict]:
    return LAYER.query(MetricQuery(metrics, **asked)).table.to_pylist()


HOSTILE = [
    "it's",
    "'; DROP TABLE shop.lines; --",
    "' OR 1=1 --",
    "{{ Dimension('line__country') }}",
    "{% for x in range(9) %}x{% endfor %}",
    "{{ config }}",
    "potager_condition_0",
    "' || (SELECT max(segment) FROM shop.buyers) || '",
    "\\' OR true --",
    "a\nb\tc",
    "%",
    "_",
    "!%",
    "$1 ? :x @y",
    "名前 🌱",
    "",
]


def hostile_layer() -> SemanticLayer:
    warehouse = shop_warehouse()
    for position, value in enumerate(HOSTILE):
        warehouse.connection.execute(
            "INSERT INTO shop.lines VALUES ('2024-05-01', ?, ?, 1, 1)", [100 + position, value]
        )
    return SemanticLayer([parse(SHOP, "shop.yml")], warehouse, namespace="shop")


HOSTILE_LAYER = hostile_layer()


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("op", ["=", "in", "contains", "starts_with", "<=", "between", "!="])
@pytest.mark.parametrize("metric", ["line_count", "buyers_so_far"])
def test_a_hostile_value_is_only_ever_a_value(value, op, metric):
    values = (value, value) if op == "between" else (value,)
    everything = [*(line[2] for line in LINES), *HOSTILE]
    folded = value.lower()
    keeps = {
        "=": lambda own: own == value,
        "in": lambda own: own == value,
        "!=": lambda own: own != value,
        "contains": lambda own: own is not None and folded in own.lower(),
        "starts_with": lambda own: own is not None and own.lower().startswith(folded),
        "between": lambda own: own == value,
        "<=": lambda own: own is not None and own.encode() <= value.encode(),
    }[op]

    query = MetricQuery(
        (metric, "line_count"), where=(Condition("country", op, values),), end=date(2024, 12, 31)
    )
    rows = HOSTILE_LAYER.query(query).table.to_pylist()

    assert sum(row["line_count"] or 0 for row in rows) == sum(1 for own in everything if keeps(own))
    assert HOSTILE_LAYER.query(MetricQuery(("line_count",))).table.to_pylist() == [
        {"line_count": len(everything)}
    ]


@given(value=st.text(max_size=40), op=st.sampled_from(["=", "!=", "contains", "starts_with", "in"]))
@settings(max_examples=150, deadline=None)
def test_any_text_is_only_ever_a_value(value, op):
    condition = Condition("line__country", op, (value,))
    if "\x00" in value:
        with pytest.raises(Invalid):
            answer("line_count", where=(condition,))
        return
    try:
        value.encode()
    except UnicodeEncodeError:
        return
    kept = {"=": lambda own: own == value, "in": lambda own: own == value, "!=": lambda own: own != value}
    rows = answer("line_count", where=(condition,))
    if op in kept:
        assert (rows[0]["line_count"] or 0) == sum(1 for line in LINES if kept[op](line[2]))
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        (Condition("country", "=", ("France",)), 4),
        (Condition("country", "!=", ("France",)), 4),
        (Condition("country", "=", (None,)), 1),
        (Condition("country", "!=", (None,)), 7),
        (Condition("country", "in", ("Spain", None)), 4),
        (Condition("country", "not_in", ("Spain", None)), 4),
        (Condition("country", "not_in", ("Spain", "France")), 1),
        (Condition("country", "is_null"), 1),
        (Condition("country", "not_null"), 7),
        (Condition("country", "contains", ("PAI",)), 3),
        (Condition("country", "starts_with", ("fr",)), 4),
        (Condition("buyer", "=", (1,)), 3),
        (Condition("buyer", "between", (2, 3)), 3),
        (Condition("buyer", ">", (Decimal("1.5"),)), 4),
        (Condition("buyer", ">=", (-1.0,)), 7),
        (Condition("is_return", "=", (True,)), 1),
        (Condition("sold_on", ">=", (date(2024, 2, 20),)), 3),
        (Condition("sold_on", "<", (datetime(2024, 1, 4, 0, 0),)), 2),
        (Condition("segment", "=", ("small",)), 3),
    ],
)
def test_conditions_select_what_they_say(condition, count):
    assert answer("line_count", where=(condition,)) == [{"line_count": count}]


def test_a_segment_and_its_complement_add_up_to_the_whole():
    for value in ("France", "Spain", None):
        inside = answer("revenue", where=(Condition("country", "=", (value,)),))[0]["revenue"]
        outside = answer("revenue", where=(Condition("country", "!=", (value,)),))[0]["revenue"]
        assert inside + outside == 192.0
