"""The pictures in README and guides: their pages still look like that, and ``POTAGER_PICTURES=1`` takes them anew."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.house import stream_of

pytestmark = pytest.mark.journey
FOLDER = Path(__file__).parents[2] / "docs/pictures"
FUNNEL = "funnel?step=signed+in&step=sent+a+transfer&step=made+an+invoice"
PLANTED = "Are we activating as many accounts"
SEGMENT = "".join(
    f'{{"type": "track", "event": "{event}", "userId": "user-{at % 4}", "messageId": "m-{at}", '
    f'"timestamp": "2026-11-0{at % 9 + 1}T08:15:00Z", "context": {{"groupId": "acme-{at % 3}"}}, '
    f'"properties": {{"plan": "team"}}}}\n'
    for at, event in enumerate(["Signed up", "Project created", "Report shared"] * 8)
)


@dataclass(frozen=True)
class Picture:
    """A page, how it is looked at, and the words that must be on it."""

    path: str
    words: str
    width: int = 1280
    height: int = 900
    dark: bool = False
    card: str = ""
    shown: str = ""
    reading: str = ""
    follow: tuple[str, ...] = ()
    brings: tuple[str, ...] = ()  # a file's name and what it holds, to be uploaded


PICTURES = {
    "questions": Picture("/questions/", PLANTED, height=1000),
    "answer": Picture("/questions/", "What moved activated accounts", height=1000, card=PLANTED),
    "metric": Picture("/metrics/revenue", "What it is made of", height=1000),
    "metrics": Picture("/metrics/", "Strategic"),
    "tree": Picture("/metrics/tree/", "The same numbers as a table", width=1680, shown=".tree"),
    "home-dark": Picture("/", "Needs you", dark=True, height=1000),
    "ask": Picture("/ask?q=Why+did+revenue+change+last+month%3F", "Understood as", height=700),
    "answer-phone": Picture("/questions/", "What moved activated accounts", width=390, card=PLANTED),
    "upload": Picture("/data/upload", "Upload", height=600),
    "definition": Picture("/metrics/definitions/", "harbor.yml", height=500),
    "ledger": Picture("/impact/", "Who may claim it", height=1250),
    "bet": Picture("/impact/bets/new-receipts", "The predicted range held what came", height=1250),
    "funnel": Picture("/usage/", "How many people reached each step", reading=FUNNEL),
    "retention": Picture("/usage/", "Share of people who came back", reading="retention"),
    "account": Picture("/customers/", "Traits", height=700, follow=("main table a.title",)),
    "revenue": Picture("/revenue/", "How MRR moved in", height=1250, follow=("main h2 a",)),
    "why": Picture("/revenue/", "Rule by rule", height=1250, follow=("main h2 a", "text=by other rules?")),
    "outlook": Picture(
        "/revenue/", "What if rates change", height=1100, follow=("main h2 a", "text=Outlook")
    ),
    "events": Picture("/usage/files/new", "First events", brings=("segment-export.jsonl", SEGMENT)),
    "operations": Picture("/operations/metrics_value_get", "The same elsewhere", height=900),
}


def test_every_picture_is_there_and_no_other() -> None:
    if os.environ.get("POTAGER_PICTURES") != "1":
        assert {path.stem for path in FOLDER.glob("*.png")} == set(PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_the_page_of_a_picture_still_says_what_is_shown(look: Any, name: str) -> None:
    wanted = PICTURES[name]
    scale = 1.25 if wanted.width > 400 else 2
    page = look(wanted.path, width=wanted.width, dark=wanted.dark, device_scale_factor=scale).page
    page.set_viewport_size({"width": wanted.width, "height": wanted.height})
    if wanted.card:
        page.locator(".answer-card").filter(has_text=wanted.card).locator("a").first.click()
    if wanted.reading:
        page.goto(f"{stream_of(page)}/{wanted.reading}")
    if wanted.brings:
        name_of_file, content = wanted.brings
        file = {"name": name_of_file, "mimeType": "application/json", "buffer": content.encode()}
        page.locator("input[type=file]").set_input_files(file)
        page.get_by_role("button", name="Upload").click()
    for step in wanted.follow:
        page.locator(step).first.click()
    page.get_by_text(wanted.words).filter(visible=True).first.wait_for()
    if os.environ.get("POTAGER_PICTURES") == "1":
        page.wait_for_load_state("networkidle")
        page.wait_for_function("document.fonts.status === 'loaded'")
        page.wait_for_timeout(700)
        FOLDER.mkdir(exist_ok=True)
        shown = page.locator(wanted.shown) if wanted.shown else page
        shown.screenshot(path=FOLDER / f"{name}.png")
