"""Differences as pages and over HTTP: the answer first, every cent by its rule, the same figures as the engine's."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from potager.ground.lake.service import lake
from potager.insight.revenue import why, why_pictures
from potager.kit import clock
from tests.insight.revenue.conftest import TERMS, put, term
from tests.insight.revenue.test_books import described, load
from tests.insight.revenue.test_why import DISCOUNTED


@pytest.fixture
def book(own: Any, ada: Any) -> Any:
    put("billing.terms", DISCOUNTED)
    return load(ada, described(ada))


def test_the_sentence_says_both_figures_and_which_rule_makes_how_much(book: Any, vi: Any) -> None:
    page = vi.browser.get(f"{book.url()}/why?first=chartmogul&second=stripe")
    assert page.status_code == 200
    said = page.context["sentence"].replace("\N{NO-BREAK SPACE}", " ")
    assert said == (
        "By chartmogul MRR is €130 on 15 November 2024, by stripe €150: €50 more because only discounts that are "
        "forever lower a price, and €30 less because a cancellation counts on the day it is asked for."
    )
    assert "support.stripe.com" in page.content.decode()


def test_a_page_and_its_picture_need_neither_policy_to_be_loaded_for_the_book(book: Any, vi: Any) -> None:
    page = vi.browser.get(f"{book.url()}/why?first=list_price&second=profitwell&on=2024-10-31")
    assert page.status_code == 200
    knobs = page.context["knobs"]
    found = page.context["found"]
    assert sum(one["cents"] for one in knobs) == found.second["EUR"] - found.first["EUR"]
    for form in ("image", "spec", "png"):
        assert vi.browser.get(page.context["chart"][form]).status_code == 200


def test_without_parameters_the_books_policy_is_set_against_another(book: Any, vi: Any) -> None:
    found = vi.browser.get(f"{book.url()}/why").context["found"]
    assert (found.first_policy, found.second_policy) == ("chartmogul", "stripe")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("first=mine", "no policy mine"),
        ("on=2030-01-01", "tells of days up to"),
        ("on=2024-02-31", "is not a day"),
        ("on=soon", "is not a day"),
    ],
)
def test_what_cannot_be_answered_is_said_with_a_mend_and_the_form_stays(
    book: Any, vi: Any, query: str, says: str
) -> None:
    page = vi.browser.get(f"{book.url()}/why?{query}")
    assert page.status_code == 200
    text = page.content.decode()
    assert says in text
    assert 'name="second"' in text


def test_a_book_that_was_not_loaded_says_so(own: Any, ada: Any, vi: Any) -> None:
    put("billing.terms", DISCOUNTED)
    book = described(ada)
    for page in ("why", "committed"):
        assert "was not loaded yet" in vi.browser.get(f"{book.url()}/{page}").content.decode()
    api = vi.browser.get(f"/api/revenue/books/{book.pk}/difference")
    assert api.status_code == 409


def test_movements_come_by_customers_farthest_apart_and_are_a_safe_download(
    own: Any, ada: Any, vi: Any
) -> None:
    evil = term("=cmd|' /C calc'!A0", date(2024, 1, 1), None, 90_000, repeating_off=60_000)
    put("billing.terms", [*DISCOUNTED, evil])
    book = load(ada, described(ada))
    page = vi.browser.get(f"{book.url()}/why?first=chartmogul&second=stripe")
    assert [row["customer"] for row in page.context["rows"]] == [evil["customer"], "repeating", "leaving"]
    assert "customer=%3Dcmd" in page.content.decode()
    file = vi.browser.get(f"{book.url()}/why.csv?first=chartmogul&second=stripe")
    rows = list(csv.DictReader(io.StringIO(b"".join(file.streaming_content).decode())))
    assert {row["customer"] for row in rows} == {"'" + evil["customer"], "repeating", "leaving"}
    assert sum(int(row["second"]) - int(row["first"]) for row in rows) == 60_000 + 5_000 - 3_000


def test_what_their_own_page_shows_is_set_against_their_rules(book: Any, vi: Any) -> None:
    page = vi.browser.get(f"{book.url()}/why?first=chartmogul&second=stripe&stated=149")
    assert page.context["sentence"].endswith(
        "Stripe's own page shows €149.00: €1 less, which no rule explains."
    )
    assert "unexplained" in page.context["chart"]["alt"]
    assert vi.browser.get(page.context["chart"]["image"]).status_code == 200
    wrong = vi.browser.get(f"{book.url()}/why?second=stripe&stated=much")
    assert "is not an amount" in wrong.content.decode()
    at = f"/api/revenue/books/{book.pk}/difference?first=chartmogul&second=stripe"
    assert vi.browser.get(f"{at}&stated=14900").json()["unexplained"] == -100
    assert vi.browser.get(at).json()["unexplained"] is None


def test_movements_are_narrowed_to_a_customer_on_the_page_and_over_http(book: Any, vi: Any) -> None:
    page = vi.browser.get(f"{book.url()}/why?first=chartmogul&second=stripe&customer=leaving")
    assert [row["customer"] for row in page.context["rows"]] == ["leaving"]
    assert [row["customer"] for row in page.context["apart"]] == ["repeating", "leaving"]
    at = f"/api/revenue/books/{book.pk}/difference/movements?first=chartmogul&second=stripe"
    assert vi.browser.get(f"{at}&customer=leaving").json()["total"] == 1
    assert vi.browser.get(f"{at}&customer=nobody").json() == {"items": [], "total": 0}


def test_customers_with_nothing_apart_are_not_counted_among_those_who_differ(
    own: Any, ada: Any, vi: Any
) -> None:
    # Gone by every policy, on another day by each: two movements that differ, and no difference.
    gone = term("gone", date(2024, 1, 1), date(2024, 8, 1), 9_000, canceled_on=date(2024, 7, 3))
    put("billing.terms", [*DISCOUNTED, gone])
    book = load(ada, described(ada))
    page = vi.browser.get(f"{book.url()}/why?first=chartmogul&second=stripe")
    assert page.context["customers"] == 2
    assert [row["customer"] for row in page.context["rows"]] == ["repeating", "leaving", "gone", "gone"]


def test_over_http_the_figures_are_those_of_the_engine(book: Any, vi: Any) -> None:
    at = f"/api/revenue/books/{book.pk}/difference"
    told = vi.browser.get(f"{at}?first=chartmogul&second=stripe").json()
    found = why.difference(book, "chartmogul", "stripe")
    assert (told["first"], told["second"]) == (found.first["EUR"], found.second["EUR"]) == (13_000, 15_000)
    assert told["difference"] == sum(one["cents"] for one in told["knobs"])
    assert {one["knob"]: one["cents"] for one in told["knobs"] if one["cents"]} == {
        part: cents for _, part, cents in found.by_knob
    }
    assert told["sentence"] == why_pictures.sentence(found, "EUR")
    moved = vi.browser.get(f"{at}/movements?first=chartmogul&second=stripe&limit=1&offset=1").json()
    assert moved["total"] == told["movements"] == 2
    (one,) = moved["items"]
    assert (one["customer"], one["day"], one["parts"]) == ("leaving", "2024-11-02", {"churn_dated": -3_000})


def test_committed_says_who_leaves_and_when(book: Any, vi: Any) -> None:
    page = vi.browser.get(f"{book.url()}/committed")
    assert page.context["sentence"].startswith("MRR is €130 on 15 November 2024; €100 of it is committed")
    (one,) = page.context["leaving"]
    assert (one["customer"], one["ends"]) == ("leaving", date(2024, 12, 20))
    assert vi.browser.get(page.context["chart"]["image"]).status_code == 200
    told = vi.browser.get(f"/api/revenue/books/{book.pk}/committed").json()
    assert (told["current"], told["committed"], told["customers"]) == (13_000, 10_000, 1)
    assert told["leaving"] == [
        {"customer": "leaving", "current": 3_000, "committed": 0, "ends": "2024-12-20"}
    ]


@pytest.fixture
def corrected(own: Any, ada: Any) -> Any:
    """A book whose terms were corrected, and came late, in October."""
    rows = [
        term("same", date(2024, 8, 1), None, 1_000),
        term("corrected", date(2024, 8, 1), None, 10_000),
        term("corrected", date(2024, 8, 1), None, 7_000),
        term("late", date(2024, 8, 1), None, 400),
    ]
    at = [datetime(2024, 8, 1), datetime(2024, 8, 1), datetime(2024, 10, 20), datetime(2024, 10, 21)]
    known = pa.array(at, pa.timestamp("us"))
    table = pa.Table.from_pylist(rows, schema=TERMS).append_column("known_at", known)
    lake().overwrite("billing.terms", table, load_id="one")
    return load(ada, described(ada))


DAYS = "then=2024-10-01&as_of=2024-09-30&now=2024-11-01"


def test_a_restatement_says_then_and_now_and_its_causes_add_up(corrected: Any, vi: Any) -> None:
    page = vi.browser.get(f"{corrected.url()}/restated?{DAYS}")
    assert page.context["sentence"].replace("\u2060", "") == (
        "On 1 October 2024 we said that MRR was €110 on 30 September 2024; on 1 November 2024 we know of €84: "
        "−€30 corrected and +€4 came later."
    )
    assert vi.browser.get(page.context["chart"]["image"]).status_code == 200
    file = vi.browser.get(f"{corrected.url()}/restated.csv?{DAYS}")
    assert b"came later" in b"".join(file.streaming_content)
    at = f"/api/revenue/books/{corrected.pk}/restatement"
    told = vi.browser.get(f"{at}?{DAYS}").json()
    assert (told["said_then"], told["known_now"], told["difference"]) == (11_000, 8_400, -2_600)
    assert sum(one["cents"] for one in told["causes"]) == told["difference"]
    assert {one["cause"]: one["customers"] for one in told["causes"]} == {"corrected": 1, "came later": 1}
    moved = vi.browser.get(f"{at}/movements?{DAYS}").json()
    assert sum(one["second"] - one["first"] for one in moved["items"]) == told["difference"]


def test_days_of_which_nothing_could_be_said_are_refused(corrected: Any, vi: Any) -> None:
    before = vi.browser.get(f"{corrected.url()}/restated?then=2024-07-01")
    assert "Nothing of billing.terms was known on 2024-07-01" in before.content.decode()
    later = vi.browser.get(f"{corrected.url()}/restated?then=2024-10-01&as_of=2024-10-02")
    assert "could not be said on 2024-10-01 yet" in later.content.decode()


def test_without_days_the_end_of_a_month_is_looked_at_a_month_later(corrected: Any, vi: Any) -> None:
    with clock.held(datetime(2024, 11, 15, 12, tzinfo=UTC)):
        told = vi.browser.get(f"/api/revenue/books/{corrected.pk}/restatement").json()
    assert (told["then"], told["as_of"], told["now"]) == ("2024-10-16", "2024-09-30", "2024-11-15")


def test_a_books_page_leads_to_all_three(book: Any, vi: Any) -> None:
    text = vi.browser.get(book.url()).content.decode()
    for name in ("why", "restated", "committed"):
        assert f"{book.url()}/{name}?" in text
