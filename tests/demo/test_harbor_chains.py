"""Harbor's plans as a book: four currencies at simulated rates, counted by two policies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from potager.demo.chains import revenue_of_harbor
from potager.demo.harbor.generate import generate
from potager.ground.lake.service import lake, warehouse
from potager.insight.metrics.models import Target
from potager.insight.revenue.models import Book
from potager.kit import clock
from tests.insight.lakes import own_lake, place_in


@pytest.fixture(autouse=True)
def own(settings, tmp_path) -> Iterator[None]:
    """A lake and a data folder of the test's own."""
    settings.POTAGER_DATA = str(tmp_path)
    with own_lake(settings, place_in(tmp_path)):
        yield


def test_plans_are_counted_by_two_policies_in_euros(ada):
    through = clock.today() - timedelta(days=1)
    made = generate(through, accounts=800, days=600, seed=2)
    for name in ("harbor.terms", "harbor.rates"):
        lake().overwrite(name, made.tables()[name], load_id="one")
    said: list[str] = []
    revenue_of_harbor(ada.actor, through, said.append)
    book = Book.objects.get()
    assert book.state == "done" and book.rejected == 0
    assert book.policies == ("stripe", "chartmogul")
    totals = warehouse().query(
        "SELECT policy, sum(cents) AS cents, count(DISTINCT currency) AS currencies, max(currency) AS currency, "
        "sum(cents) FILTER (kind = 'currency') AS rates FROM revenue.movements GROUP BY policy ORDER BY policy"
    )
    chartmogul, stripe = totals.table.to_pylist()
    assert chartmogul["cents"] > 0 and stripe["cents"] > 0 and chartmogul["cents"] != stripe["cents"]
    assert [row["currency"] for row in (chartmogul, stripe)] == ["EUR", "EUR"]
    # One keeps the rate of the day it was bought at; the other says on a line of its own what rates did.
    assert chartmogul["rates"] is None and stripe["rates"] is not None
    assert Target.objects.filter(metric__name="mrr", value__gt=0).count() == 2
    assert any("simulated" in line for line in said)
