"""The pages of usage: each answers first, shows who is behind a number, and says what is wrong with what was asked."""

from __future__ import annotations

from typing import Any

import pytest

from potager.insight.usage.models import Analysis, Stream

LOOKS = {
    "trends": "?grain=month",
    "funnel": "?step=open&step=edit&step=export&window=7",
    "retention": "?grain=month&periods=4",
    "lifecycle": "?grain=month",
    "stickiness": "?grain=month",
    "paths": "?event=open",
    "adoption": "?event=export&unit=account&weight=revenue",
    "activation": "?begin=open&after=120&until=200",
    "worth": "?event=export",
    "risk": "",
}


@pytest.mark.parametrize("name", list(LOOKS))
def test_every_reading_answers_in_a_sentence_before_anything_else(
    product: Stream, vi: Any, name: str
) -> None:
    page = vi.browser.get(f"/usage/{product.pk}/{name}{LOOKS[name]}")
    assert page.status_code == 200
    text = page.content.decode()
    assert page.context["outcome"].refusal is None
    assert text.index("answer-sentence") < text.index("<figure") < text.index("<table")
    assert "What ran" in text


@pytest.mark.parametrize("name", list(LOOKS))
def test_every_picture_is_drawn_in_every_form(product: Stream, vi: Any, name: str) -> None:
    for form, begins in (("svg", b"<svg"), ("json", b"{"), ("png", b"\x89PNG")):
        drawn = vi.browser.get(f"/usage/{product.pk}/{name}/chart.{form}{LOOKS[name]}")
        assert drawn.status_code == 200
        assert drawn.content.startswith(begins)
    assert vi.browser.get(f"/usage/{product.pk}/{name}/chart.gif").status_code == 404


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("trends?grain=fortnight", "By: input should be"),
        ("trends?start=yesterday", "From: input should be a valid date"),
        ("trends?start=2024-05-01&end=2024-04-01", "comes after the last"),
        ("trends?by=color", "no property color"),
        ("trends?grain=day&start=2000-01-01&end=2024-08-31", "too many for one look"),
        ("funnel?step=open&step=edit&window=0", "Within: input should be greater than or equal to 1"),
        ("funnel?step=open&step=edit&order=strict&without=export", "Only an ordered funnel has exclusions"),
        ("activation?after=3", "has to lie before the days in which staying is told"),
        ("risk?most=0", "How many: input should be greater than or equal to 1"),
        ("trends?where=plan", "is not a condition"),
    ],
)
def test_what_cannot_be_asked_is_said_and_the_form_stays(
    product: Stream, vi: Any, address: str, says: str
) -> None:
    page = vi.browser.get(f"/usage/{product.pk}/{address}")
    assert page.status_code == 422
    assert says in page.content.decode().replace("&#x27;", "'")
    assert 'class="section controls"' in page.content.decode()


def test_a_range_of_days_without_events_is_a_refusal_and_no_zero(product: Stream, vi: Any) -> None:
    page = vi.browser.get(f"/usage/{product.pk}/trends?start=2030-01-01&end=2030-02-01")
    assert page.status_code == 200
    assert page.context["outcome"].refusal.reason == "incomplete"
    assert "There are no events between" in page.content.decode()


def test_a_funnel_without_steps_says_what_to_choose(product: Stream, vi: Any) -> None:
    page = vi.browser.get(f"/usage/{product.pk}/funnel")
    assert "Which steps? A funnel needs two or more." in page.content.decode()
    assert page.content.decode().count('name="step"') >= 3


def test_who_is_behind_a_number_is_listed_page_by_page(product: Stream, vi: Any) -> None:
    at = f"/usage/{product.pk}/funnel/who?step=open&step=export&cell=lost:1"
    first = vi.browser.get(at).context["found"]
    second = vi.browser.get(f"{at}&page=2").context["found"]
    assert first.total > 50
    keys = [one.key for one in (*first.items, *second.items)]
    assert keys == sorted(set(keys))
    assert (
        vi.browser.get(f"/usage/{product.pk}/funnel/who?step=open&step=export&cell=lost:9").status_code == 422
    )
    assert vi.browser.get(f"/usage/{product.pk}/trends/who?cell=abc").status_code == 422


def test_everybody_behind_a_number_is_downloaded(product: Stream, vi: Any) -> None:
    at = f"/usage/{product.pk}/funnel"
    query = "step=open&step=export&cell=lost:1"
    total = vi.browser.get(f"{at}/who?{query}").context["found"].total
    lines = b"".join(vi.browser.get(f"{at}/who.csv?{query}").streaming_content).decode().split()
    assert lines[0] == "person"
    assert len(lines) == total + 1


def test_a_download_holds_no_formula(product: Stream, ada: Any) -> None:
    from potager.insight.usage.pages.csvs import as_csv

    text = b"".join(as_csv(["who"], [["=1+1"], ["@x"], [None], [3]], "x.csv").streaming_content).decode()
    assert text.split("\r\n")[1:5] == ["'=1+1", "'@x", '""', "3"] or "'=1+1" in text
    table = ada.browser.get(f"/usage/{product.pk}/trends/table.csv?grain=month")
    assert b"August 2024" in b"".join(table.streaming_content)


def test_a_reading_is_kept_from_its_page_and_put_away_again(product: Stream, bo: Any) -> None:
    browser = bo.browser
    kept = browser.post(f"/usage/{product.pk}/funnel/keep?step=open&step=export", {"name": "To export"})
    analysis = Analysis.objects.get()
    assert kept.headers["Location"] == analysis.url()
    assert analysis.parameters == {"step": ["open", "export"]}
    page = browser.get(analysis.url())
    assert page.status_code == 200
    assert "To export" in page.content.decode()
    browser.post(f"{analysis.url()}/archive")
    assert "To export" not in browser.get("/usage/").content.decode().split("<main")[1].split("toast")[-1]


def test_a_stream_is_described_by_its_guessed_columns(product: Stream, bo: Any) -> None:
    browser = bo.browser
    assert "app.events" in browser.get("/usage/new").content.decode()
    form = browser.get("/usage/new?table=app.events").context["form"]
    assert form.initial["person"] == "user_id"
    assert form.initial["accounts_table"] == "app.accounts"
    values = {name: value for name, value in form.initial.items() if value} | {
        "name": "Again", "table": "app.events", "zone": "UTC", "week_starts": "7",
    }  # fmt: skip
    made = browser.post("/usage/new", values)
    assert made.status_code == 302, made.context["form"].errors
    assert Stream.objects.get(name="Again").week_starts == 7


def test_an_empty_house_says_what_to_do_next(empty_lake: Any, bo: Any, vi: Any) -> None:
    assert "Bring a file of events" in bo.browser.get("/usage/").content.decode()
    assert "Contributors can bring" in vi.browser.get("/usage/").content.decode()
    assert "No table looks like events" in bo.browser.get("/usage/new").content.decode()


def test_the_stream_page_and_home_say_how_many_are_active(product: Stream, vi: Any) -> None:
    page = vi.browser.get(f"/usage/{product.pk}")
    assert "people were active in the week from 19" in page.content.decode().replace("\xa0", " ")
    assert vi.browser.get("/").status_code == 200


def test_a_stream_whose_table_is_gone_says_so(product: Stream, vi: Any) -> None:
    Stream.objects.filter(pk=product.pk).update(table="app.gone")
    assert (
        "There is no table app.gone in the lake." in vi.browser.get(f"/usage/{product.pk}").content.decode()
    )
    assert "app.gone" in vi.browser.get("/usage/").content.decode()
