"""Influences: believed, estimated, tested on the last quarter, and expiring unless tested again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from potager.insight.metrics import actions
from potager.insight.metrics.edges import examine, examined_by
from potager.insight.metrics.models import Influence
from potager.kit.clock import held, now
from potager.kit.errors import Invalid
from tests.insight.shop import Shop

pytestmark = pytest.mark.django_db
START, DAYS, LAG = date(2022, 1, 3), 7 * 110, 2
ELASTICITY = 3 * 100 / (50 + 3 * 100)  # one percent more water is so many percent more harvest, at the mean
GARDEN = """\
semantic_models:
  - name: beds
    model: ref('beds')
    defaults: {agg_time_dimension: watered_on}
    primary_entity: bed
    dimensions:
      - {name: watered_on, type: time, type_params: {time_granularity: day}}
    measures:
      - {name: water, agg: sum, expr: water}
      - {name: harvest, agg: sum, expr: harvest}
      - {name: noise, agg: sum, expr: noise}
metrics:
  - {name: water, type: simple, type_params: {measure: water}}
  - {name: harvest, type: simple, type_params: {measure: harvest}}
  - {name: noise, type: simple, type_params: {measure: noise}}
"""


@pytest.fixture
def beds(lake_folder: Any, ada: Any) -> Shop:
    """Water goes up and down by the week; the harvest is 50 and three times the water of two weeks before."""
    from potager.ground.lake.service import lake

    chance = np.random.default_rng(7)
    weeks = DAYS // 7
    water = 100 + chance.normal(0, 10, weeks)
    harvest = 50 + 3 * np.concatenate([np.full(LAG, 100.0), water[:-LAG]]) + chance.normal(0, 3, weeks)
    noise = chance.normal(100, 10, weeks)
    days = [START + timedelta(days=n) for n in range(DAYS)]
    table = pa.table(
        {"watered_on": days, **{name: np.repeat(values / 7, 7) for name, values in
                         (("water", water), ("harvest", harvest), ("noise", noise))}}
    )  # fmt: skip
    lake().append("garden.beds", table, load_id="all")
    actions.publish(actor=ada.actor, name="garden.yml", namespace="garden", text=GARDEN)
    return Shop(ada.actor)


def edge(beds: Shop, driver: str = "water", outcome: str = "harvest", **given: Any) -> Influence:
    ends = {"driver": beds.metric(driver), "outcome": beds.metric(outcome)}
    return actions.add_influence(actor=beds.actor, **ends, **given)


def test_an_influence_that_is_there_is_found_with_its_lag_and_its_size(beds: Shop) -> None:
    found = examine(edge(beds))
    assert (found["grain"], found["lag"]) == ("week", LAG)
    assert found["low"] < ELASTICITY < found["high"]
    assert found["estimate"] == pytest.approx(ELASTICITY, rel=0.1)
    assert found["evidence"] == "predictive"
    assert found["back_test"]["verdict"] == "predictive"


def test_an_influence_that_is_not_there_is_not_found(beds: Shop) -> None:
    found = examine(edge(beds, "noise", "harvest"))
    assert found["evidence"] == "asserted"
    assert found["estimate"] is None or found["low"] <= 0 <= found["high"]


MONTHLY = """\
semantic_models:
  - name: months
    model: ref('months')
    defaults: {agg_time_dimension: sown_in}
    primary_entity: book
    dimensions:
      - {name: sown_in, type: time, type_params: {time_granularity: month}}
    measures:
      - {name: seeds, agg: sum, expr: seeds}
metrics:
  - {name: seeds, type: simple, type_params: {measure: seeds}}
"""


def test_a_metric_whose_rows_are_months_is_never_tested_by_weeks_of_zeros(beds: Shop) -> None:
    from potager.ground.lake.service import lake

    months = [date(2022 + n // 12, n % 12 + 1, 1) for n in range(24)]
    table = pa.table({"sown_in": months, "seeds": [100.0 + n % 5 for n in range(24)]})
    lake().append("shed.months", table, load_id="all")
    actions.publish(actor=beds.actor, name="shed.yml", namespace="shed", text=MONTHLY)
    for driver, outcome in (("water", "seeds"), ("seeds", "water")):
        assert examined_by(edge(beds, driver, outcome)) == "month"
    assert examined_by(edge(beds, "water", "harvest")) == "week"  # days have weeks of their own


def test_too_short_a_history_is_refused_with_the_reason(shop: Shop) -> None:
    found = examine(edge(shop, "lines", "line_value"))
    assert found["estimate"] is None and found["evidence"] == "asserted"
    assert found["back_test"]["refused"]


def test_what_a_test_found_is_kept_with_a_new_expiry(beds: Shop, ada: Any) -> None:
    made = edge(beds, evidence="experimental", because="We watered.")
    told = ada.call("post", f"/influences/{made.pk}/test").json()
    assert told["estimate"] == pytest.approx(ELASTICITY, rel=0.1) and told["tested_at"] and told["method"]
    assert told["low"] < told["estimate"] < told["high"]
    made.refresh_from_db()
    assert made.expires_at - now() > timedelta(days=179)


def test_an_influence_expires_to_what_is_merely_asserted(shop: Shop, ada: Any) -> None:
    made = edge(shop, "lines", "line_value", evidence="experimental")
    assert (made.expired, made.present_evidence) == (False, "experimental")
    with held(now() + timedelta(days=181)):
        made.refresh_from_db()
        assert (made.expired, made.present_evidence, made.evidence) == (True, "asserted", "experimental")


def test_an_influence_is_never_arithmetic(shop: Shop, ada: Any) -> None:
    edge(shop, "lines", "line_value")
    before = shop.ask("change", metric="revenue", period="2024-02").drivers
    assert {driver["metric"] for driver in before} == {"lines", "line_value"}
    told = ada.call("get", "/metrics/line_value/tree").json()
    assert [one["driver"] for one in told["influences"]] == ["lines"]
    assert next(node for node in told["nodes"] if node["name"] == "line_value")["children"] == []


def test_a_metric_does_not_drive_itself_and_a_pair_is_drawn_once(shop: Shop) -> None:
    with pytest.raises(Invalid) as refused:
        edge(shop, "lines", "lines")
    assert "does not drive itself" in refused.value.detail
    made = edge(shop, "lines", "line_value")
    with pytest.raises(Invalid) as refused:
        edge(shop, "lines", "line_value")
    assert "in the tree already" in refused.value.detail
    actions.drop_influence(actor=shop.actor, influence=made)
    assert edge(shop, "lines", "line_value").pk != made.pk


def test_a_viewer_can_neither_draw_test_nor_drop_an_influence(shop: Shop, vi: Any) -> None:
    made = edge(shop, "lines", "line_value")
    body = {"driver": "revenue", "outcome": "lines"}
    assert vi.call("post", "/influences", body).status_code == 403
    assert vi.call("post", f"/influences/{made.pk}/test").status_code == 403
    assert vi.call("delete", f"/influences/{made.pk}").status_code == 403
    assert Influence.objects.get().archived_at is None
