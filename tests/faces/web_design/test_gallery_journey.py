"""The gallery in a real browser: no barrier, no complaint in the console, and everything scripts add works."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.faces.web_design.content import CHART
from tests.faces.web_design.entrance import ENTRANCE

pytestmark = pytest.mark.journey

PAGES = ["/", "/home", "/first", "/answer", "/problem", "/form"]


def _violations(page: Any) -> str:
    report = Axe().run(page)
    return "" if not report.violations_count else str(report.generate_report())


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_and_the_console_is_silent(look: Any, path: str, theme: str) -> None:
    looked = look(path, theme=theme)
    looked.page.wait_for_timeout(600)
    assert _violations(looked.page) == ""
    assert looked.complaints == []


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_on_a_phone(look: Any, path: str) -> None:
    looked = look(path, theme="dark", width=390)
    looked.page.locator(".dock summary").click()
    assert _violations(looked.page) == ""


@pytest.mark.parametrize("template", sorted(ENTRANCE))
def test_pages_of_the_entrance_have_no_barrier(look: Any, template: str) -> None:
    looked = look(f"/auth/{template}")
    assert looked.page.locator("h1").count() == 1
    assert _violations(looked.page) == ""


@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways(look: Any, path: str) -> None:
    page = look(path, width=320).page
    for width in (320, 390, 768, 1024, 1280, 2560):
        page.set_viewport_size({"width": width, "height": 860})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width


def test_the_largest_thing_on_an_answer_is_its_sentence(look: Any) -> None:
    page = look("/answer").page
    sizes = page.evaluate(
        """[...document.querySelectorAll('main :is(h1, h2, h3, p, dd, li, td, th, summary, span)')]
        .filter(e => e.textContent.trim()).map(e => [parseFloat(getComputedStyle(e).fontSize), e.className])"""
    )
    assert max(sizes)[1] == "answer-sentence"


def test_a_page_has_four_sizes_at_most(look: Any) -> None:
    page = look("/answer").page
    sizes = page.evaluate(
        """[...new Set([...document.querySelectorAll('main *')]
        .filter(e => !e.closest('svg, canvas, pre') && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
        .map(e => Math.round(parseFloat(getComputedStyle(e).fontSize))))]"""
    )
    assert len(sizes) <= 5, sizes  # four, and the serif that is set one pixel larger to look the same


def test_the_palette_finds_chooses_and_closes_by_keyboard(look: Any) -> None:
    page = look("/home").page
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").wait_for()
    page.get_by_role("option", name="Net revenue metric").wait_for()
    page.keyboard.press("ArrowDown")
    chosen = page.get_by_role("combobox").get_attribute("aria-activedescendant")
    assert page.locator(f"#{chosen}").get_attribute("aria-selected") == "true"
    assert "reach" in page.locator(f"#{chosen}").inner_text()
    page.keyboard.type("import")
    page.get_by_role("option").first.filter(has_text="Import a file").wait_for()
    assert page.get_by_role("option").count() == 1
    assert _violations(page) == ""
    page.keyboard.press("Escape")
    assert not page.evaluate("document.querySelector('[data-palette]').open")
    page.keyboard.press("/")
    assert page.evaluate("document.querySelector('[data-palette]').open")
    page.keyboard.type("import")
    page.get_by_role("option").first.filter(has_text="Import a file").wait_for()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith("/import")


def test_without_a_script_the_search_form_leads_to_the_search_page(look: Any) -> None:
    page = look("/home", java_script_enabled=False).page
    page.get_by_role("searchbox").fill("revenue")
    page.get_by_role("searchbox").press("Enter")
    assert page.url.endswith("/search?q=revenue")


def test_lists_move_pick_and_open_by_keyboard(look: Any) -> None:
    page = look("/").page
    page.locator("[data-list]").scroll_into_view_if_needed()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("k")
    assert page.locator("[data-bulk-count]").inner_text() == "2"
    assert page.evaluate("document.activeElement.dataset.href") == "#18102"
    page.keyboard.press("e")
    assert page.url.endswith("#edit-18102")
    page.keyboard.press("Enter")
    assert page.url.endswith("#18102")


def test_the_chart_becomes_interactive_under_the_policy(look: Any) -> None:
    looked = look("/answer")
    looked.page.locator(".chart canvas").wait_for()
    assert not looked.page.locator(".chart img").is_visible()
    assert looked.page.locator(".chart-stage").get_attribute("aria-label") == CHART.alt
    box = looked.page.locator(".chart canvas").bounding_box()
    looked.page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5)
    assert looked.complaints == []


def test_the_picture_stays_where_the_chart_cannot_be_had(look: Any, site: str) -> None:
    looked = look("/home")
    looked.page.route("**/chart.json*", lambda route: route.fulfill(status=500))
    looked.page.goto(f"{site}/answer")
    looked.page.wait_for_timeout(1200)
    assert looked.page.locator(".chart img").is_visible()
    assert looked.page.locator(".chart img").evaluate("image => image.naturalWidth") > 0


def test_the_tree_zooms_pans_and_folds(look: Any) -> None:
    page = look("/").page
    tree = page.locator("[data-panzoom]")
    svg = tree.locator("> svg")
    before = svg.get_attribute("viewBox")
    tree.get_by_role("button", name="Zoom in").click()
    assert svg.get_attribute("viewBox") != before
    svg.focus()
    page.keyboard.press("0")
    assert [float(number) for number in svg.get_attribute("viewBox").split()] == [
        float(n) for n in before.split()
    ]
    page.locator("[data-node=orders] [data-toggle]").focus()
    page.keyboard.press("Enter")
    assert not page.locator("[data-node=active]").is_visible()
    assert not page.locator("[data-edge=active]").is_visible()
    assert page.locator("[data-node=value]").is_visible()
    page.locator("[data-node=revenue] [data-toggle]").focus()
    page.keyboard.press("Enter")
    assert not page.locator("[data-node=catalogue]").is_visible()
    page.keyboard.press("Enter")
    assert page.locator("[data-node=catalogue]").is_visible()
    assert not page.locator("[data-node=active]").is_visible()
    box = svg.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 50, steps=5)
    page.mouse.up()
    assert svg.get_attribute("viewBox") != before


def test_a_form_keeps_what_was_typed_until_somebody_starts_over(look: Any) -> None:
    page = look("/form").page
    page.get_by_label("What it is").fill("What customers paid.")
    page.get_by_label("Stock").check()
    page.locator("[data-kept]").filter(has_text="Kept in this browser").wait_for()
    page.reload()
    page.get_by_text("Filled in with what you typed before.").wait_for()
    assert page.get_by_label("What it is").input_value() == "What customers paid."
    assert page.get_by_label("Stock").is_checked()
    page.get_by_role("button", name="Start over").click()
    assert page.get_by_label("What it is").input_value() == ""
    page.reload()
    assert page.get_by_label("What it is").input_value() == ""


def test_what_the_server_shows_with_errors_is_not_overwritten(look: Any) -> None:
    page = look("/").page
    page.get_by_label("What it is").fill("What customers paid.")
    page.locator("[data-kept]").filter(has_text="Kept in this browser").wait_for()
    page.reload()
    page.wait_for_timeout(200)
    assert page.get_by_label("What it is").input_value() == ""


def test_long_work_is_followed_until_it_is_over(look: Any) -> None:
    looked = look("/form")
    looked.page.evaluate(
        """() => {
        const place = document.querySelector('main');
        place.insertAdjacentHTML('beforeend', '<p id="job" data-poll-url="/poll" data-poll-every="0.1">62 %</p>');
        place.dispatchEvent(new CustomEvent('potager:replaced', {bubbles: true}));
        }"""
    )
    looked.page.get_by_text("All 541,909 rows are in.").wait_for()
    assert looked.page.locator("#job").count() == 0
    assert looked.complaints == []


def test_htmx_swaps_parts_sends_the_token_and_starts_what_arrives(look: Any) -> None:
    looked = look("/form")
    looked.page.evaluate(
        """() => {
        const place = document.querySelector('main');
        place.insertAdjacentHTML('beforeend', '<a id="open" href="/part" hx-get="/part" hx-target="#pane">Open</a>'
          + '<button id="keep" hx-post="/kept" hx-swap="none">Keep</button><div id="pane"></div>');
        htmx.process(place);
        }"""
    )
    looked.page.locator("#open").click()
    looked.page.locator("#pane #part").wait_for()
    looked.page.get_by_role("status").filter(has_text="Opened").wait_for()
    with looked.page.expect_request("**/kept") as sent:
        looked.page.locator("#keep").click()
    assert sent.value.headers["x-csrftoken"] == "token"
    assert looked.complaints == []


def test_colors_change_at_once_and_are_posted(look: Any) -> None:
    page = look("/home").page
    page.locator("details.menu summary").click()
    with page.expect_request("**/theme") as posted:
        page.get_by_role("button", name="Dark").click()
    assert posted.value.method == "POST"
    assert "theme=dark" in posted.value.post_data
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(27, 24, 20)"
    page.keyboard.press("Escape")
    assert page.locator("details.menu[open]").count() == 0


def test_a_toast_offers_undo_and_is_announced(look: Any) -> None:
    page = look("/").page
    page.get_by_role("button", name="Show a toast").click()
    toast = page.get_by_role("status").filter(has_text="Merged")
    toast.wait_for()
    assert toast.get_by_role("button", name="Undo").is_visible()
    assert _violations(page) == ""
    toast.get_by_role("button", name="Close").click()
    assert page.locator(".toast").count() == 0


def test_nothing_moves_for_those_who_ask_for_that(look: Any) -> None:
    page = look("/", reduced_motion="reduce").page
    assert page.locator(".button").first.evaluate(
        "element => getComputedStyle(element).transitionDuration"
    ) in ("0s", "")


def test_on_paper_the_answer_stands_without_the_house(look: Any) -> None:
    page = look("/answer", theme="dark").page
    page.emulate_media(media="print")
    for away in (".rail", ".top", ".dock"):
        assert not page.locator(away).is_visible()
    assert page.locator(".answer-sentence").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_everything_can_be_read_without_scripts(look: Any) -> None:
    page = look("/answer", java_script_enabled=False).page
    assert page.locator(".answer-sentence").is_visible()
    assert page.locator(".chart img").is_visible()
    page.get_by_text("SQL that ran").click()
    assert page.get_by_text("sum(quantity * unit_price)").is_visible()
    page.locator("details.menu summary").click()
    assert page.get_by_role("button", name="Dark").is_visible()
