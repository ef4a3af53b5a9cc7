"""The pages and operations of the ledger: for everybody who may, empty and full."""

from __future__ import annotations

import json

import pytest

from potager.insight.impact import actions
from potager.insight.impact.models import Bet, State
from tests.insight.impact.test_ledger import observed

PAGES = (
    "/impact/",
    "/impact/sheet",
    "/impact/calibration",
    "/impact/portfolio",
    "/impact/investment/",
    "/impact/change/",
)


@pytest.mark.parametrize("path", PAGES)
def test_pages_stand_before_there_is_a_bet(app, ada, path):
    assert ada.browser.get(path).status_code == 200


def test_pages_say_what_can_be_told_and_what_cannot(app, ada, vi):
    observed(app)
    observed(app, key="hopeless", name="Hopeless", design={"panel": {"by": "country", "treated": ["DE"],
                                                                    "controls": ["FR"]}})  # fmt: skip
    app.register(key="waiting", name="Waiting")
    for path in PAGES:
        assert vi.browser.get(path).status_code == 200, path
    page = vi.browser.get("/impact/").content.decode()
    assert "1 of 2\N{NO-BREAK SPACE}bets can be told" in page
    assert "Waiting" in page
    for key in ("guided", "hopeless", "waiting"):
        assert vi.browser.get(f"/impact/bets/{key}").status_code == 200
    assert "Hash" in vi.browser.get("/impact/sheet").content.decode()


def test_the_sheet_gives_the_same_hash_for_the_same_figures(app, ada):
    observed(app)

    def digest():
        page = ada.browser.get("/impact/sheet")
        return next(pair["value"] for pair in page.context["receipt"] if pair["key"] == "Hash")

    assert digest() == digest()


def test_pictures_are_served_in_every_form(app, ada):
    bet = observed(app)
    seen = bet.observations.get()
    for form in ("svg", "png", "json"):
        for path in ("effect", "prediction"):
            assert (
                ada.browser.get(f"/impact/bets/guided/{path}.{form}?observation={seen.pk}").status_code == 200
            )
        assert ada.browser.get(f"/impact/picture/returns.{form}").status_code == 200
        assert ada.browser.get(f"/impact/picture/movement-1.{form}").status_code == 200
    assert ada.browser.get("/impact/picture/nothing.svg").status_code == 404


def test_a_bet_goes_its_way_on_pages(app, ada):
    browser = ada.browser
    form = {"name": "By hand", "key": "by-hand", "metric": "revenue", "unit": "account", "low": "0.5", "high": "3",
            "level": "0.8", "horizon": "grow", "risk": "safe", "guardrails": "orders, return_share"}  # fmt: skip
    assert browser.post("/impact/bets/new", form).status_code == 302
    design = "assignment: {table: app.assignments, unit: account, where: {experiment: guided}}"
    assert browser.post("/impact/bets/by-hand/design", {"design": design}).status_code == 302
    assert browser.post("/impact/bets/by-hand/launch", {"on": "2024-07-01"}).status_code == 302
    assert browser.post("/impact/bets/by-hand/observe", {"age": "90"}).status_code == 302
    page = browser.get("/impact/bets/by-hand").content.decode()
    assert "By hand raised revenue" in page
    assert "What it must not hurt" in page
    edited = browser.post(
        "/impact/bets/by-hand/edit", {"name": "By hand, again", "horizon": "run", "risk": "bold"}
    )
    assert edited.status_code == 302
    closed = browser.post("/impact/bets/by-hand/close", {"ending": "keep", "because": "It works."})
    assert closed.status_code == 302
    bet = Bet.objects.get(key="by-hand")
    assert (bet.state, bet.name, bet.predicted) == (State.CLOSED, "By hand, again", (0.5, 3.0))


def test_a_form_says_what_is_wrong(app, ada):
    wrong = ada.browser.post("/impact/bets/new", {"name": "X", "key": "x", "metric": "revenue", "low": "3", "high": "1",
                                                  "horizon": "grow", "risk": "safe"})  # fmt: skip
    assert wrong.status_code == 422
    assert "lower end" in wrong.content.decode()


def test_home_answers_the_question_of_the_cfo(app, ada):
    observed(app)
    assert "Product investments of €5,000 returned" in ada.browser.get("/").content.decode()


def call(person, method, path, body=None):
    answer = person.call(method, path, body)
    return answer.status_code, json.loads(answer.content) if answer.content else None


def test_a_bet_goes_its_way_over_http(app, bo):
    body = {"key": "over-http", "name": "Over HTTP", "metric": "revenue", "unit": "account",
            "predicted": {"low": 0.5, "high": 3, "on": "2024-03-01"}}  # fmt: skip
    status, made = call(bo, "post", "/impact/bets", body)
    assert (status, made["metric_name"], made["money_metric_name"]) == (201, "revenue", "revenue")
    design = {"design": {"assignment": {"table": "app.assignments", "unit": "account"}}}
    assert call(bo, "put", "/impact/bets/over-http/design", design)[0] == 200
    assert call(bo, "post", "/impact/bets/over-http/launch", {"on": "2024-07-01"})[1]["state"] == "launched"
    status, seen = call(bo, "post", "/impact/bets/over-http/observations", {"age": 90})
    assert (status, seen["evidence"]) == (201, "experiment")
    assert call(bo, "get", f"/impact/observations/{seen['id']}")[1]["estimate"] == seen["estimate"]
    assert call(bo, "patch", "/impact/bets/over-http", {"predicted": {"low": 1, "high": 2}})[0] == 409
    status, line = call(bo, "get", "/impact/bets/over-http/returns")
    assert line["chain"]["hops"][0]["evidence"] == "experiment"
    assert call(bo, "get", "/impact/bets/over-http/waiting")[1]["month"]["estimate"] > 0
    assert call(bo, "get", "/impact/bets/over-http/testing?reach=600")[1]["evpi"] is not None
    assert (
        call(bo, "post", "/impact/bets/over-http/close", {"ending": "keep", "because": "x"})[1]["ending"]
        == "keep"
    )
    assert call(bo, "post", "/impact/bets/over-http/observations", {"age": 0})[0] == 422


@pytest.mark.parametrize(
    "path",
    [
        "/impact/ledger", "/impact/ledger/by/team", "/impact/claims", "/impact/calibration", "/impact/portfolio",
        "/impact/scenario?source=Onboarding&target=Growth", "/impact/bets", "/impact/investments",
        "/impact/bets/guided/observations",
    ],
)  # fmt: skip
def test_reading_operations_answer(app, vi, path):
    observed(app)
    assert call(vi, "get", path)[0] == 200


def test_a_key_that_is_nearly_right_is_named(app, ada):
    app.launched()
    status, problem = call(ada, "get", "/impact/bets/guidet")
    assert status == 404
    assert "guided" in problem["mend"]


def test_changes_of_a_repository_come_over_http(app, bo):
    body = {"repository": "shop", "changes": [{"name": "v1", "reference": "v1", "shipped_at": "2024-07-01"}]}
    assert call(bo, "post", "/impact/changes/import", body)[1] == {
        "repository": "shop",
        "added": 1,
        "known": 0,
    }
    assert call(bo, "get", "/impact/changes")[1]["total"] == 1


def test_an_observation_of_a_bet_that_is_not_launched_is_refused(app, ada):
    app.register()
    status, problem = call(ada, "post", "/impact/bets/guided/observations", {})
    assert status == 409
    assert "not launched" in problem["detail"]
    assert actions.BESIDE
