"""The real file as usage: the customer is the person, the invoice is what they did."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from potager.connectors.files import inspect, read
from potager.demo.retail.columns import TABLE, plan_for
from potager.engines.behavior import Share, share_difference
from potager.ground.lake.lake import Lake
from potager.insight.usage import actions, queries
from potager.insight.usage.models import Stream
from potager.insight.usage.readings import retention
from potager.insight.usage.readings.base import parsed, reading_named
from tests.insight.lakes import own_lake, place_in

pytestmark = pytest.mark.retail


@pytest.fixture(scope="module")
def retail_place(retail_file: Path, tmp_path_factory: Any) -> dict[str, str]:
    """Where the lake is that the file was read into."""
    where = place_in(tmp_path_factory.mktemp("retail-usage"))
    lake = Lake(where["catalog_uri"], where["files"])
    with read(retail_file, plan_for(inspect(retail_file))) as reading:
        lake.overwrite(TABLE, reading.batches, load_id="all")
    lake.close()
    return where


@pytest.fixture
def shop_stream(retail_place: dict[str, str], settings: Any, ada: Any) -> Iterator[Stream]:
    """The file as a stream: every row of an invoice is one and the same event."""
    with own_lake(settings, retail_place):
        guessed = queries.guess_of(TABLE)
        assert guessed["person"] == "customer_id"
        values = {name: guessed[name] for name in ("table", "person", "time", "properties")}
        yield actions.describe_stream(
            actor=ada.actor, values={**values, "name": "Shop", "event_id": "invoice_no"}
        )


@pytest.fixture(scope="module")
def buyers(retail_file: Path) -> dict[str, list[date]]:
    """The naive second reading: each customer's days, in order."""
    table = pq.read_table(retail_file)
    names = {name.lower().replace("_", "").replace(" ", ""): name for name in table.column_names}
    found: dict[str, list[date]] = {}
    columns = (table[names["customerid"]].to_pylist(), table[names["invoicedate"]].to_pylist())
    for who, moment in zip(*columns, strict=True):
        if who not in (None, ""):
            found.setdefault(str(who).removesuffix(".0"), []).append(moment.date())
    return {who: sorted(days) for who, days in found.items()}


def _month(day: date, later: int = 0) -> tuple[int, int]:
    number = day.year * 12 + day.month - 1 + later
    return number // 12, number % 12 + 1


def test_cohorts_are_those_of_a_naive_count_and_what_is_not_over_is_blank(
    shop_stream: Stream, buyers: dict[str, list[date]]
) -> None:
    outcome = retention.answer(
        shop_stream, retention.RetentionParameters(grain="month", periods=11, start=date(2010, 12, 1))
    )
    cohorts = {one["starts"]: one for one in (outcome.figures or {})["cohorts"]}
    assert len(cohorts) == 13
    for starts, offset in (("2010-12-01", 3), ("2011-03-01", 6), ("2011-09-01", 2)):
        first = date.fromisoformat(starts)
        cohort = [days for days in buyers.values() if _month(days[0]) == _month(first)]
        kept = sum(any(_month(day) == _month(first, offset) for day in days) for days in cohort)
        assert cohorts[starts]["size"] == len(cohort)
        assert cohorts[starts]["kept"][offset] == kept
    # The file ends on 9 December 2011: that month is not over, so nobody is counted as lost in it.
    assert cohorts["2011-11-01"]["kept"][1] is None
    assert cohorts["2011-03-01"]["kept"][9] is None
    assert cohorts["2011-03-01"]["kept"][8] is not None


def test_december_buyers_keep_better_than_spring_buyers(shop_stream: Stream) -> None:
    """First-time buyers of December 2010 against those of March to May 2011, six months later."""
    outcome = retention.answer(
        shop_stream, retention.RetentionParameters(grain="month", periods=6, start=date(2010, 12, 1))
    )
    grid = {one["starts"]: one for one in (outcome.figures or {})["cohorts"]}
    december = _share([grid["2010-12-01"]])
    spring = _share([grid[f"2011-0{number}-01"] for number in (3, 4, 5)])
    found = share_difference(december, spring)
    assert found.low > 0, (december.value, spring.value, found)


def _share(cohorts: list[dict[str, Any]]) -> Share:
    from potager.engines.behavior import share

    made = share(sum(one["kept"][6] for one in cohorts), sum(one["size"] for one in cohorts))
    assert made is not None
    return made


def test_an_invoice_of_many_lines_is_one_event(shop_stream: Stream, buyers: dict[str, list[date]]) -> None:
    reading = reading_named("trends")
    outcome = reading.answer(shop_stream, parsed(reading, {"measure": "events", "grain": "month"}))
    assert outcome.refusal is None
    lines = (outcome.figures or {})["lines"][0]["values"]
    assert 1000 < lines[-2] < 5000  # November 2011 had some 2,700 invoices, and 84,711 lines


def test_what_needs_several_kinds_of_event_says_so(shop_stream: Stream, vi: Any) -> None:
    for name in ("funnel", "paths", "adoption", "activation"):
        page = vi.browser.get(f"/usage/{shop_stream.pk}/{name}").content.decode()
        assert "Every row is the same event here" in page


def test_growth_and_stickiness_answer_on_real_data(shop_stream: Stream, vi: Any) -> None:
    for name in ("lifecycle?grain=month", "stickiness?grain=month", "retention", "trends"):
        page = vi.browser.get(f"/usage/{shop_stream.pk}/{name}")
        assert page.status_code == 200
        assert page.context["outcome"].refusal is None
