"""Usage over HTTP: every reading, who is behind its cells, what is kept, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from potager.insight.customers.models import Segment
from potager.insight.usage.models import Stream
from potager.insight.usage.readings.base import readings
from tests.insight.usage.test_usage_pages import LOOKS


@pytest.mark.parametrize("name", list(LOOKS))
def test_every_reading_says_over_http_what_its_page_says(product: Stream, vi: Any, name: str) -> None:
    page = vi.browser.get(f"/usage/{product.pk}/{name}{LOOKS[name]}")
    answer = vi.call("get", f"/usage/streams/{product.pk}/{name}{LOOKS[name]}")
    assert answer.status_code == 200, answer.content[:600]
    said = answer.json()
    assert said["sentence"] == page.context["outcome"].sentence
    assert said["queries"][0]["sql"].lstrip().upper().startswith(("SELECT", "WITH"))
    assert set(said["queries"][0]["snapshots"]) <= {"app.events", "revenue.months", "app.accounts"}


@pytest.mark.parametrize("name", list(LOOKS))
def test_as_many_are_listed_behind_a_number_as_it_says(product: Stream, vi: Any, name: str) -> None:
    said = vi.call("get", f"/usage/streams/{product.pk}/{name}{LOOKS[name]}").json()
    counted = [
        (cell["value"], cell["who"])
        for table in said["tables"]
        for row in table["rows"]
        for cell, column in zip(row, table["columns"], strict=True)
        if cell["who"]
        and column["unit"] in {"count", "people", "accounts"}
        and not cell["who"].startswith("one:")
    ]
    if name not in {"paths", "activation", "stickiness"}:  # theirs count sessions, or periods, or are shares
        assert counted, name
    joint = "&" if LOOKS[name] else "?"
    for value, who in [*counted[:4], *counted[-2:]] if name not in {"paths", "stickiness"} else []:
        listed = vi.call("get", f"/usage/streams/{product.pk}/{name}/who{LOOKS[name]}{joint}cell={who}")
        assert listed.status_code == 200, listed.content[:500]
        assert listed.json()["total"] == value, (name, who)
        assert len(listed.json()["items"]) == min(50, value)


def test_every_reading_has_an_operation_of_its_own() -> None:
    from potager.faces.api.root import api

    paths = api.get_openapi_schema()["paths"].values()
    known = {operation["operationId"] for path in paths for operation in path.values()}
    for reading in readings():
        assert f"usage_{reading.name}_read" in known
        assert f"usage_{reading.name}_who" in known


def test_an_outsider_reads_nothing(product: Stream, cy: Any) -> None:
    assert cy.call("get", f"/usage/streams/{product.pk}/funnel?step=open&step=edit").status_code == 401


def test_a_viewer_cannot_describe_or_keep(product: Stream, vi: Any) -> None:
    body = {"name": "x", "table": "app.events", "person": "user_id", "time": "occurred_at"}
    assert vi.call("post", "/usage/streams", body).status_code == 403
    kept = {"stream_id": str(product.pk), "name": "x", "reading": "trends"}
    assert vi.call("post", "/usage/analyses", kept).status_code == 403


def test_an_analysis_is_kept_and_runs_again_with_the_same_parameters(product: Stream, bo: Any) -> None:
    body = {
        "stream_id": str(product.pk), "name": "To export", "reading": "funnel",
        "parameters": {"step": ["open", "export"], "window": 3},
    }  # fmt: skip
    kept = bo.call("post", "/usage/analyses", body)
    assert kept.status_code == 201, kept.content
    assert kept.json()["parameters"] == {"step": ["open", "export"], "window": 3}
    ran = bo.call("get", f"/usage/analyses/{kept.json()['id']}/run").json()
    asked = bo.call("get", f"/usage/streams/{product.pk}/funnel?step=open&step=export&window=3").json()
    assert ran["sentence"] == asked["sentence"]
    page = bo.browser.get(f"/usage/analyses/{kept.json()['id']}")
    assert ran["sentence"].split("“")[0].encode() in page.content
    assert bo.browser.get("/usage/").status_code == 200


def test_an_analysis_with_a_parameter_that_does_not_exist_is_refused_by_name(
    product: Stream, bo: Any
) -> None:
    body = {"stream_id": str(product.pk), "name": "x", "reading": "funnel", "parameters": {"stepp": ["open"]}}
    refused = bo.call("post", "/usage/analyses", body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["where"] == "stepp"


def test_those_behind_a_cell_become_a_segment_of_their_keys(product: Stream, ada: Any) -> None:
    body = {"reading": "worth", "parameters": {"event": "export"}, "cell": "did-not", "name": "Do not export"}
    kept = ada.call("post", f"/usage/streams/{product.pk}/segments", body)
    assert kept.status_code == 200, kept.content
    segment = Segment.objects.get(pk=kept.json()["id"])
    listed = ada.call("get", f"/usage/streams/{product.pk}/worth/who?event=export&cell=did-not").json()
    assert segment.members.count() == listed["total"] == kept.json()["keys"]
    assert segment.noun_kind == "accounts"
    assert "Adoption and money" in segment.source


def test_a_viewer_cannot_keep_a_segment(product: Stream, vi: Any) -> None:
    body = {"reading": "worth", "parameters": {"event": "export"}, "cell": "did-not", "name": "Mine"}
    assert vi.call("post", f"/usage/streams/{product.pk}/segments", body).status_code == 403


def test_the_tables_that_look_like_events_are_proposed_with_their_columns(product: Stream, bo: Any) -> None:
    found = bo.call("get", "/usage/guesses").json()
    assert found[0] == {
        "table": "app.events", "rows": 149_780, "person": "user_id", "time": "occurred_at", "event": "event",
        "account": "account_id", "event_id": "event_id", "json_column": "", "properties": ["plan"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "where", "says"),
    [
        ({"person": "nobody"}, "person", "app.events has no column nobody."),
        ({"table": "app.nothing"}, "table", "There is no table app.nothing in the lake."),
        ({"time": "plan"}, "time", "plan holds string, which is no time."),
        ({"zone": "Mars/Olympus"}, "zone", "There is no time zone Mars/Olympus"),
        ({"accounts_table": "app.accounts"}, "accounts_key", "Nobody said which column of app.accounts"),
        ({"revenue_table": "app.accounts"}, "revenue_table", "app.accounts has no column customer."),
    ],
)
def test_a_stream_that_names_what_is_not_there_is_refused_in_a_sentence(
    product: Stream, bo: Any, wrong: dict[str, str], where: str, says: str
) -> None:
    body = {"name": "x", "table": "app.events", "person": "user_id", "time": "occurred_at", **wrong}
    refused = bo.call("post", "/usage/streams", body)
    assert refused.status_code == 422
    assert any(one["where"] == where and says in one["problem"] for one in refused.json()["errors"]), (
        refused.json()
    )


def test_a_changed_stream_is_not_overwritten_by_who_has_not_seen_it(
    product: Stream, bo: Any, ada: Any
) -> None:
    at = f"/usage/streams/{product.pk}"
    assert ada.call("patch", at, {"name": "The app"}, if_match='"1"').status_code == 200
    assert ada.call("patch", at, {"name": "Mine"}, if_match='"1"').status_code == 412
