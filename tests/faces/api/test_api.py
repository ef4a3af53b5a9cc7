"""The API's manners."""

import pytest

pytestmark = pytest.mark.django_db
TERM = {"name": "Activation", "definition": "A first deposit."}


def test_a_record_is_made_read_changed_archived_and_restored(bo):
    made = bo.call("post", "/glossary/terms", TERM)
    assert made.status_code == 201 and made["ETag"] == '"1"'
    path = f"/glossary/terms/{made.json()['id']}"
    assert bo.call("get", path).json()["name"] == "Activation"
    changed = bo.call("patch", path, {"source": "us"}, if_match='"1"')
    assert changed.json()["source"] == "us" and changed.json()["version"] == 2
    assert bo.call("patch", path, {"source": "them"}, if_match='"1"').status_code == 412
    assert bo.call("delete", path).json()["archived_at"]
    assert bo.call("get", "/glossary/terms").json()["total"] == 0
    assert bo.call("post", path + "/restore").json()["archived_at"] is None


def test_every_error_has_one_shape(bo, vi, cy):
    answers = [
        bo.call("post", "/glossary/terms", {"name": ""}),
        bo.call("post", "/glossary/terms", {**TERM, "colour": "green"}),
        vi.call("post", "/glossary/terms", TERM),
        cy.call("get", "/glossary/terms"),
        bo.call("get", "/glossary/terms/018f0000-0000-7000-8000-000000000000"),
        bo.call("get", "/glossary/terms?cursor=nonsense"),
        bo.call("get", "/nothing"),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 403, 401, 404, 422, 404]
    for answer in answers:
        assert answer["Content-Type"] == "application/problem+json"
        assert set(answer.json()) == {"type", "title", "status", "detail", "instance", "mend", "errors"}


def test_pages_follow_each_other_without_gaps_or_repeats(bo):
    for number in range(7):
        bo.call("post", "/glossary/terms", {"name": f"Term {number}", "definition": "x"})
    seen, cursor = [], ""
    while True:
        page = bo.call("get", f"/glossary/terms?limit=3&cursor={cursor}").json()
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == sorted(seen) and len(set(seen)) == 7 and page["total"] == 7


def test_the_same_key_is_answered_again_and_done_once(bo):
    first = bo.call("post", "/glossary/terms", TERM, idempotency_key="k1")
    again = bo.call("post", "/glossary/terms", TERM, idempotency_key="k1")
    assert first.json() == again.json() and again["Idempotency-Replayed"] == "true"
    assert bo.call("get", "/glossary/terms").json()["total"] == 1
    other = bo.call("post", "/glossary/terms", {**TERM, "name": "Other"}, idempotency_key="k1")
    assert other.status_code == 422 and "another request" in other.json()["detail"]


def test_a_read_token_cannot_write(db):
    from potager.ground.access.roles import Role
    from tests.people import person

    reader = person("Rea", Role.OWNER, scopes=("read",))
    assert reader.call("get", "/glossary/terms").status_code == 200
    refused = reader.call("post", "/glossary/terms", TERM)
    assert refused.status_code == 403 and "scopes" in refused.json()["detail"]


def test_a_browser_session_needs_the_csrf_token_to_write(bo):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(bo.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/api/glossary/terms").status_code == 200
    assert client.post("/api/glossary/terms", TERM, content_type="application/json").status_code == 403


@pytest.fixture
def one_minute(monkeypatch):
    monkeypatch.setattr("potager.faces.api.limits.time.time", lambda: 1_800_000_000.0)


def test_a_person_may_not_send_more_than_the_rate(bo, ada, settings, one_minute):
    settings.POTAGER_API_RATE = 3
    answers = [bo.call("get", "/glossary/terms") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    refused = answers[-1]
    assert refused.json()["type"].endswith("too-many") and 1 <= int(refused["Retry-After"]) <= 60
    assert "3 requests" in refused.json()["detail"]
    assert ada.call("get", "/glossary/terms").status_code == 200


def test_a_write_refused_for_its_rate_is_done_when_sent_again(bo, settings, one_minute):
    term = {"name": "Order", "definition": "An invoice."}
    settings.POTAGER_API_RATE = 1
    assert bo.call("get", "/glossary/terms").status_code == 200
    sent = lambda: bo.call("post", "/glossary/terms", term, idempotency_key="k1")  # noqa: E731
    assert sent().status_code == 429
    settings.POTAGER_API_RATE = 100
    assert sent().status_code == 201
