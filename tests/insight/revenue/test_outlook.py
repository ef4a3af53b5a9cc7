"""The outlook of a book: forecast, scenario and economics, from the lake to API and page."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from potager.engines.answers import CannotTell
from potager.engines.finance import nearest
from potager.engines.statistics.forecast import Forecast
from potager.insight.revenue import outlook, readings
from potager.insight.revenue.models import Book
from potager.kit.errors import Invalid
from tests.insight.revenue.conftest import put, term
from tests.insight.revenue.test_books import KEPT, described, load


def month(count: int) -> date:
    """The first day of the month ``count`` months after January 2021."""
    return date(2021 + count // 12, 1 + count % 12, 1)


def growing() -> list[dict[str, Any]]:
    """46 months to October 2024: three customers a month, every fourth leaves after 9 months, prices rise and fall."""
    rows = []
    for at in range(46):
        for one in range(3):
            number = 3 * at + one
            who, cents = f"c{number}", 4_000 + 500 * (number * 7 % 5)
            ends = month(at + 9) if number % 4 == 0 and at + 9 < 46 else None
            if number % 5 == 1 and at + 4 < 46 and ends is None:
                rows += [
                    term(who, month(at), month(at + 4), cents),
                    term(who, month(at + 4), None, cents + (1_000 if number % 2 else -500)),
                ]
            else:
                rows.append(term(who, month(at), ends, cents))
    return rows


@pytest.fixture
def grown(own: Any, ada: Any) -> Book:
    """A book of 46 months."""
    put("billing.terms", growing())
    return load(ada, described(ada))


def test_the_forecast_is_that_of_the_engine_with_its_back_test_on_the_page(
    grown: Book, ada: Any, vi: Any
) -> None:
    told = outlook.forecast_of(grown, "chartmogul")
    assert isinstance(told.found, Forecast)
    assert len(told.history) == 46
    assert told.ahead == tuple(month(46 + at) for at in range(12))
    said = vi.call("get", f"/revenue/books/{grown.pk}/forecast").json()
    assert [one["cents"] for one in said["months"]] == [round(float(one)) for one in told.found.values]
    assert all(one["low"] <= one["cents"] <= one["high"] for one in said["months"])
    assert (said["coverage"], said["judged"]) == (told.found.coverage, told.found.judged)
    assert said["judged"] >= 10
    page = vi.browser.get(f"{grown.url()}/outlook")
    assert page.status_code == 200
    assert "MRR will likely be between" in page.context["forecast_sentence"]
    assert any(line.startswith("Back test: of ") for line in page.context["tested"])
    for form in ("image", "spec", "png"):
        for name in ("forecast_chart", "scenario_chart"):
            assert vi.browser.get(page.context[name][form]).status_code == 200


def test_with_few_months_there_is_no_forecast_but_a_reason(own: Any, ada: Any, vi: Any) -> None:
    put("billing.terms", KEPT)
    book = load(ada, described(ada))
    assert isinstance(outlook.forecast_of(book, "chartmogul").found, CannotTell)
    said = vi.call("get", f"/revenue/books/{book.pk}/forecast").json()
    assert (said["months"], said["reason"], said["known_months"]) == ([], "too_few", 12)
    assert "there are 12" in said["because"]
    page = vi.browser.get(f"{book.url()}/outlook")
    assert "There is no forecast of MRR." in page.content.decode()
    assert vi.browser.get(f"{book.url()}/outlook/forecast.svg").status_code == 404
    # The page offers the longest forecast that can be tested on so many months.
    shorter = page.context["shorter"]
    assert f"ahead={shorter}" in page.content.decode()
    assert isinstance(outlook.forecast_of(book, "chartmogul", shorter + 1).found, CannotTell)
    nearer = vi.browser.get(f"{book.url()}/outlook?ahead={shorter}")
    assert nearer.context["forecast_chart"] is not None
    assert vi.browser.get(nearer.context["forecast_chart"]["image"]).status_code == 200


def test_a_scenario_is_the_naive_loop_over_its_months(grown: Book, ada: Any, vi: Any) -> None:
    sums = readings.months(grown, "chartmogul", 6)
    at_stake = sum(one.start for one in sums)

    def naive(new: Fraction, churn: Fraction) -> list[Fraction]:
        level, ends = Fraction(sums[-1].end), []
        for _ in range(12):
            gained = Fraction(sum(one.new + one.reactivation for one in sums), 6) * new
            grown_by = level * Fraction(sum(one.expansion for one in sums), at_stake)
            shrunk_by = level * Fraction(sum(one.contraction for one in sums), at_stake)
            lost = level * Fraction(sum(one.churn for one in sums), at_stake) * churn
            level += gained + grown_by - shrunk_by - lost
            ends.append(level)
        return ends

    assert not any(one.reactivation for one in sums)  # or new alone would be scaled
    assert all(
        sum(getattr(one, name) for one in sums) for name in ("new", "churn", "expansion", "contraction")
    )
    base, changed = naive(Fraction(1), Fraction(1)), naive(Fraction(11, 10), Fraction(775, 1000))
    path = f"/revenue/books/{grown.pk}/scenario?new=10&churn=-22.5"
    said = vi.call("get", path).json()
    assert [one["base"] for one in said["months"]] == [nearest(one) for one in base]
    assert [one["changed"] for one in said["months"]] == [nearest(one) for one in changed]
    assert said["difference"] == nearest(changed[-1] - base[-1]) > 0
    assert said["now"] == sums[-1].end
    page = vi.browser.get(f"{grown.url()}/outlook?new=10&churn=-22.5")
    assert "new MRR up 10" in page.context["scenario_sentence"]
    assert "churn down 22.5" in page.context["scenario_sentence"]
    assert nearest(page.context["scenario"].changed[-1].end) == nearest(changed[-1])


def test_without_a_change_the_scenario_is_its_base(grown: Book, vi: Any) -> None:
    said = vi.call("get", f"/revenue/books/{grown.pk}/scenario?basis=3").json()
    assert said["rates"]["months"] == 3
    assert said["difference"] == 0
    assert all(one["base"] == one["changed"] for one in said["months"])
    page = vi.browser.get(f"{grown.url()}/outlook?policy=chartmogul")
    assert page.context["scenario_sentence"].startswith("If months go on as the last 6 did")


def test_a_change_that_cannot_be_is_said_where_it_was_written(grown: Book, vi: Any) -> None:
    page = vi.browser.get(f"{grown.url()}/outlook?churn=-400&gross_margin=many")
    assert page.status_code == 200
    assert "churn" in page.context["scenario_form"].errors
    assert "gross_margin" in page.context["economics_form"].errors
    assert vi.call("get", f"/revenue/books/{grown.pk}/scenario?churn=-400").status_code == 422
    with pytest.raises(Invalid, match="together would take more"):
        outlook.scenario_of(grown, "chartmogul", {"churn": Fraction(90_000)})


def test_what_nobody_said_stays_unknown_and_says_what_to_give(grown: Book, vi: Any) -> None:
    said = vi.call("get", f"/revenue/books/{grown.pk}/economics").json()
    figures = {one["key"]: one for one in said["figures"]}
    assert figures["arpa"]["value"] > 0
    for key in ("lifetime_value", "acquisition_cost", "acquisition_payback", "value_to_cost", "rule_of_40"):
        assert figures[key]["value"] is None
        assert figures[key]["because"].startswith("Nobody said")
        assert figures[key]["mend"].startswith("Give ")


def test_economics_are_those_of_a_count_over_the_terms(grown: Book, vi: Any) -> None:
    query = "gross_margin=80&spend=3600&operating_margin=5"
    said = vi.call("get", f"/revenue/books/{grown.pk}/economics?{query}").json()
    assert (said["since"], said["until"], said["won"]) == ("2023-11-01", "2024-10-31", 36)
    figures = {one["key"]: one for one in said["figures"]}

    def paid(day: date) -> dict[str, int]:
        """What each customer pays on a day, read off the rows of terms."""
        return {
            row["customer"]: row["unit_cents"]
            for row in growing()
            if row["starts"] <= day and (row["ends"] is None or day < row["ends"])
        }

    before, after = paid(date(2023, 10, 31)), paid(date(2024, 10, 31))
    lost = len(before.keys() - after.keys())
    assert lost >= 5
    arpa, churn = Fraction(sum(after.values()), len(after)), Fraction(lost, len(before) * 12)
    assert figures["lifetime_value"]["value"] == pytest.approx(float(arpa * Fraction(4, 5) / churn))
    assert figures["lifetime_value"]["low"] < figures["lifetime_value"]["value"]
    assert figures["acquisition_cost"]["value"] == 10_000
    won = {row["customer"]: row["unit_cents"] for row in reversed(growing()) if row["starts"] >= date(2023, 11, 1)
           and row["customer"] not in paid(date(2023, 10, 31)) }  # fmt: skip
    assert len(won) == 36
    payback = 10_000 / (sum(won.values()) / 36 * 0.8)
    assert figures["acquisition_payback"]["value"] == pytest.approx(payback)
    assert figures["value_to_cost"]["value"] == pytest.approx(figures["lifetime_value"]["value"] / 10_000)
    ends = [sum(paid(date.fromordinal(month(at + 1).toordinal() - 1)).values()) for at in range(46)]
    growth = sum(ends[-12:]) / sum(ends[-24:-12]) - 1
    assert figures["rule_of_40"]["value"] == pytest.approx(growth + 0.05, abs=1e-6)


def test_days_that_are_no_whole_months_give_no_monthly_churn(grown: Book, vi: Any) -> None:
    window = "since=2024-01-10&until=2024-10-31"
    said = vi.call("get", f"/revenue/books/{grown.pk}/economics?gross_margin=80&spend=10&{window}").json()
    figures = {one["key"]: one for one in said["figures"]}
    assert "whole months" in figures["lifetime_value"]["because"]
    assert figures["acquisition_cost"]["value"] is not None


def test_a_lifetime_is_refused_where_churn_cannot_be_told_from_nothing(own: Any, ada: Any, vi: Any) -> None:
    put("billing.terms", [term(f"c{at}", date(2022, 1, 1), None, 5_000) for at in range(40)])
    book = load(ada, described(ada))
    said = vi.call("get", f"/revenue/books/{book.pk}/economics?gross_margin=80&spend=100").json()
    figures = {one["key"]: one for one in said["figures"]}
    assert figures["lifetime_value"]["reason"] == "not_identified"
    assert figures["value_to_cost"]["value"] is None
    assert figures["acquisition_cost"]["because"].startswith("No customers were won")
    page = vi.browser.get(f"{book.url()}/outlook?gross_margin=80").content.decode()
    assert "the churn cannot be told from 0" in page
