"""What somebody meets who runs the demonstration: answered questions, no barrier, no complaint."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.journeys.house import House, stream_of

pytestmark = pytest.mark.journey

PAGES = [
    "/",
    "/questions/",
    "/questions/digest",
    "/questions/new",
    "/ask",
    "/metrics/",
    "/metrics/revenue",
    "/metrics/tree/",
    "/metrics/definitions/",
    "/metrics/new/",
    "/data/",
    "/data/upload?reader=stripe",
    "/customers/",
    "/customers/people/",
    "/customers/segments/",
    "/customers/segments/new",
    "/customers/syncs/",
    "/revenue/",
    "/revenue/new",
    "/revenue/buyers",
    "/revenue/buyers?table=harbor.fees&customer=account_id&at=occurred_on&amount=amount",
    "/revenue/policy/",
    "/revenue/policy/new",
    "/usage/",
    "/usage/new",
    "/impact/",
    "/impact/sheet",
    "/impact/calibration",
    "/impact/portfolio",
    "/impact/bets/new",
    "/impact/bets/new-receipts",
    "/impact/bets/friendlier-statements",
    "/goals/",
    "/glossary/",
    "/jobs/",
    "/audit/",
    "/webhooks/",
    "/people/",
    "/settings/",
    "/search?q=revenue",
    "/operations/",
    "/operations/metrics_series_get",
]
LOOKS = [(1280, False), (1280, True), (390, False), (390, True)]


def _barriers(page: Any) -> str:
    report = Axe().run(page)
    return "" if not report.violations_count else str(report.generate_report())


def _look_it_over(look: Any, path: str, *, stranger: bool = False) -> None:
    for width, dark in LOOKS:
        looked = look(path, width=width, dark=dark, stranger=stranger)
        page = looked.page
        page.wait_for_function("document.fonts.status === 'loaded'")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (path, width)
        assert _barriers(page) == "", (path, width, dark)
        assert looked.complaints == [], (path, width, dark)
        page.context.close()


@pytest.mark.parametrize("path", PAGES)
def test_every_main_page_has_no_barrier_no_complaint_and_fits(look: Any, path: str) -> None:
    _look_it_over(look, path)


READINGS = [
    "trends", "retention", "lifecycle", "stickiness", "paths", "adoption", "activation", "worth", "risk",
    "funnel?step=signed+in&step=exported",
]  # fmt: skip


@pytest.mark.parametrize("reading", READINGS)
def test_every_look_at_usage_has_no_barrier_no_complaint_and_fits(look: Any, reading: str) -> None:
    page = look("/usage/").page
    _look_it_over(look, f"{stream_of(page)}/{reading}")


BOOK = [
    "",
    "/why?second=chartmogul",
    "/restated",
    "/committed",
    "/outlook",
    "/outlook?churn=-20&gross_margin=80",
]


@pytest.mark.parametrize("page", BOOK)
def test_a_book_of_revenue_has_no_barrier_no_complaint_and_fits(look: Any, page: str) -> None:
    address = look("/revenue/").page.locator("main a[href^='/revenue/0']").first.get_attribute("href")
    _look_it_over(look, f"{address}{page}")


def test_the_sign_in_page_has_no_barrier(look: Any) -> None:
    _look_it_over(look, "/account/login/", stranger=True)


def test_an_answer_a_table_and_an_import_have_no_barrier(look: Any) -> None:
    page = look("/questions/").page
    address = page.locator(".answer-card a").last.get_attribute("href")
    _look_it_over(look, address)
    _look_it_over(look, "/data/tables/harbor.fees")


def test_the_first_page_shows_fifteen_answered_questions_and_the_planted_cause(look: Any) -> None:
    page = look("/questions/").page
    assert page.locator(".answer-card").count() == 15
    assert page.locator(".answer-card .verdict").count() == 15
    card = page.locator(".answer-card").filter(has_text="Are we activating as many accounts")
    assert "platform android" in card.inner_text()
    check = page.locator(".answer-card").filter(has_text="Does the identity check work")
    assert "platform android, app version 7.4" in check.inner_text()
    assert page.get_by_text("Harbor is a simulated bank").is_visible()
    page.get_by_role("link", name="No", exact=True).click()
    assert page.locator(".answer-card").count() == page.locator(".answer-card .verdict-no").count() > 0


def test_home_shows_what_is_alive(look: Any) -> None:
    page = look("/").page
    assert "Harbor" in page.locator("body").inner_text()
    assert page.locator("main a[href^='/questions/']").count() > 0


def test_a_stranger_is_led_to_sign_in_and_may_come_in_with_the_password_said(
    look: Any, harbor: House
) -> None:
    words = harbor.said.split("with the password ")[1].split()[0]
    page = look("/questions/", stranger=True).page
    assert "/account/login/" in page.url
    page.locator("input[name=login]").fill("demo@potager.example")
    page.locator("input[name=password]").fill(words)
    page.locator("form button[type=submit], form button.button-main").first.click()
    page.wait_for_url("**/questions/")


def test_the_demonstration_starts_again_without_losing_or_building_anything(harbor: House) -> None:
    assert harbor.run("demo", "--build-only").stdout == ""


def test_pages_send_a_policy_and_nothing_that_a_browser_may_guess_at(served: House) -> None:
    response = httpx.get(f"{served.address}/account/login/")
    policy = response.headers["content-security-policy"]
    assert "unsafe" not in policy and "default-src 'self'" in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "server" not in response.headers
