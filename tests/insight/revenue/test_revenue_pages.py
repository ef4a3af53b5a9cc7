"""The pages of revenue: they answer first, say what to do when empty, and need no script."""

from __future__ import annotations

from typing import Any

from potager.insight.revenue.models import Book
from tests.insight.revenue.conftest import put
from tests.insight.revenue.test_books import KEPT, SYNCALYTICS, described, load


def test_an_empty_list_says_what_to_do(own: Any, ada: Any, vi: Any) -> None:
    assert "Bring subscriptions" in ada.browser.get("/revenue/").content.decode()
    assert "Contributors can describe one" in vi.browser.get("/revenue/").content.decode()


def test_terms_that_no_book_counts_are_offered_and_prefill_the_form(own: Any, ada: Any, vi: Any) -> None:
    put("billing.terms", KEPT)
    page = ada.browser.get("/revenue/")
    assert page.context["unread"] == ["billing.terms"]
    assert "Describe a book over billing.terms" in page.content.decode()
    assert "Describe a book over" not in vi.browser.get("/revenue/").content.decode()
    form = ada.browser.get("/revenue/new?table=billing.terms").context["form"]
    assert form.initial["terms_table"] == "billing.terms"
    described(ada)
    assert ada.browser.get("/revenue/").context["unread"] == []


def test_a_book_is_described_by_its_form_and_its_mistakes_stand_in_it(own: Any, ada: Any) -> None:
    put("billing.terms", KEPT)
    given = {"name": "Main", "terms_table": "billing.terms", "currency": "euro", "policy": "stripe"}
    assert ada.browser.post("/revenue/new", given).status_code == 422
    made = ada.browser.post("/revenue/new", {**given, "currency": "EUR", "compared": ["chartmogul"]})
    assert made.status_code == 302
    assert made.url == Book.objects.get().url()
    assert "was not loaded yet" in ada.browser.get(made.url).content.decode()


def test_a_books_page_answers_first_and_draws(own: Any, ada: Any, vi: Any) -> None:
    put("billing.terms", KEPT)
    book = load(ada, described(ada))
    page = vi.browser.get(book.url())
    assert page.status_code == 200
    assert page.context["sentence"].startswith("MRR is €390, down 2.5")
    assert "in October 2024" in page.context["sentence"]
    assert "Nobody paid on" in page.content.decode()  # why there is no NRR
    assert [one["title"] for one in page.context["charts"]] == [
        "How MRR moved in October 2024",
        "MRR at the end of each month",
        "What cohorts still pay of their first month",
    ]
    for one in page.context["charts"]:
        for form in ("image", "spec", "png"):
            assert vi.browser.get(one[form]).status_code == 200
    assert page.context["total"] == len(page.context["rows"])


def test_movements_are_paged_and_narrowed_to_a_customer(own: Any, ada: Any, vi: Any) -> None:
    put("billing.terms", KEPT + SYNCALYTICS)
    book = load(ada, described(ada))
    page = vi.browser.get(f"{book.url()}?customer=syncalytics&kind=churn")
    assert [row["cents"] for row in page.context["rows"]] == [-16_667]
    beyond = vi.browser.get(f"{book.url()}?page=9")
    assert beyond.context["rows"] == []
    assert beyond.context["total"] == 13
    known = book.job_id
    vi.browser.post(f"{book.url()}/load")  # a viewer's is refused with a message
    book.refresh_from_db()
    assert book.job_id == known
