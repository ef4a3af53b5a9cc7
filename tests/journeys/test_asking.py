"""From plain words to an answer with a receipt that comes out the same."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_plain_words_lead_to_an_answer_whose_receipt_comes_out_the_same(look: Any, scripts: bool) -> None:
    looked = look("/ask", java_script_enabled=scripts)
    page = looked.page
    page.locator("main input[name=q]").fill("Why did revenue change last month?")
    page.locator("main").get_by_role("button", name="Ask").click()
    page.get_by_role("heading", name="Understood as").wait_for()
    understood = page.locator("main dl.pairs").first.inner_text()
    assert "Revenue" in understood and "change" in understood
    page.get_by_role("button", name="Answer this").click()
    page.locator(".answer-sentence").wait_for()
    assert "/answers/" in page.url
    sentence = page.locator(".answer-sentence").inner_text()
    assert sentence.startswith("Revenue ")
    page.get_by_text("Run it again, embed it").click()
    page.get_by_role("button", name="Run again on the same snapshots").click()
    page.get_by_text("every figure came out the same").first.wait_for()
    assert page.locator(".answer-sentence").inner_text() == sentence
    assert looked.complaints == []


def test_what_is_not_understood_is_said(look: Any) -> None:
    page = look("/ask?q=how+is+the+weather").page
    assert page.get_by_text("No governed metric is named in the question.").is_visible()
    assert page.get_by_role("button", name="Answer this").count() == 0


def test_an_answer_can_be_kept_as_a_question(look: Any) -> None:
    page = look("/ask?q=Why+did+revenue+change+last+month%3F").page
    page.get_by_role("button", name="Answer this").click()
    page.get_by_role("link", name="Keep as a question").click()
    assert page.locator("[name=words]").input_value() == "Why did revenue change last month?"


def test_the_palette_opens_with_the_keyboard_and_finds_a_record(look: Any) -> None:
    looked = look("/questions/")
    page = looked.page
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").wait_for()
    page.keyboard.type("identity check")
    option = page.get_by_role("option").filter(has_text="Does the identity check work").first
    option.wait_for()
    with page.expect_navigation():
        option.click()
    assert "/questions/" in page.url
    assert "Does the identity check" in page.locator("h1").inner_text()
    assert looked.complaints == []
