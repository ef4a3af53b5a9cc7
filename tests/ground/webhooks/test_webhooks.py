"""Telling the world outside."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from potager.garden.glossary.resources import terms
from potager.ground.webhooks import actions, deliver
from potager.ground.webhooks.models import Delivery
from potager.ground.webhooks.signing import headers
from potager.kit import clock
from potager.kit.errors import Invalid, NotAllowed, Unavailable
from potager.kit.http import Answer, public_address

pytestmark = pytest.mark.django_db
TERM = {"name": "Activation", "definition": "A first deposit."}


@pytest.fixture
def outside(monkeypatch):
    """The world outside: what is sent to it, and what it answers."""

    class Outside:
        sent: list[dict] = []
        answer: Answer | Exception = Answer(204, "", {})

        def post(self, url, *, body, headers, allowed):
            self.sent.append({"url": url, "body": body, "headers": headers})
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

    world = Outside()
    world.sent = []
    monkeypatch.setattr(deliver, "post", world.post)
    monkeypatch.setattr(actions, "public_address", lambda address, allowed: ("example.org", "93.184.216.34"))
    return world


@pytest.fixture
def endpoint(ada, outside):
    return actions.register(
        actor=ada.actor, name="CRM", address="https://example.org/in", events=["garden.glossary"]
    )


def due():
    for delivery in Delivery.objects.filter(delivered_at=None, next_at__lte=clock.now()):
        deliver.deliver.call(str(delivery.pk))


def test_the_published_vector_of_standard_webhooks():
    made = headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        '{"test": 2432232314}',
    )
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_event_is_delivered_once_signed_and_readable(bo, endpoint, outside):
    terms.create(actor=bo.actor, values=TERM)
    due()
    due()
    (sent,) = outside.sent
    Webhook(endpoint.secret).verify(sent["body"], sent["headers"])
    event = json.loads(sent["body"])
    assert event["type"] == "garden.glossary.create_term" and event["data"]["title"] == "Activation"
    assert Delivery.objects.get().delivered_at is not None


def test_events_that_were_not_asked_for_are_not_sent(bo, endpoint, outside):
    from potager.insight.goals.resources import goals

    goals.create(actor=bo.actor, values={"name": "G", "who": "w", "does_what": "d", "by_how_much": "x"})
    assert not Delivery.objects.exists()


def test_a_failed_delivery_is_tried_again_with_growing_pauses_and_given_up_in_the_end(bo, endpoint, outside):
    outside.answer = Answer(500, "broken", {})
    terms.create(actor=bo.actor, values=TERM)
    moment, pauses = clock.now(), []
    for _ in range(20):
        with clock.held(moment):
            due()
        delivery = Delivery.objects.get()
        if delivery.next_at is None:
            break
        pauses.append(delivery.next_at - moment)
        moment = delivery.next_at
    assert pauses == sorted(pauses) and pauses[-1] >= timedelta(hours=20)
    assert len(outside.sent) == len(pauses) + 1 and (delivery.status, delivery.said) == (500, "broken")


def test_an_endpoint_that_is_gone_is_turned_off(bo, ada, endpoint, outside):
    outside.answer = Answer(410, "", {})
    terms.create(actor=bo.actor, values=TERM)
    due()
    endpoint.refresh_from_db()
    assert endpoint.turned_off_at and "410" in endpoint.turned_off_because
    outside.answer = Answer(200, "", {})
    actions.turn_on(actor=ada.actor, endpoint=endpoint)
    actions.test(actor=ada.actor, endpoint=endpoint)
    due()
    assert Delivery.objects.filter(event="webhooks.test", delivered_at__isnull=False).exists()


def test_an_address_that_does_not_answer_is_noted(bo, endpoint, outside):
    outside.answer = Unavailable("example.org did not answer.")
    terms.create(actor=bo.actor, values=TERM)
    due()
    assert Delivery.objects.get().said == "example.org did not answer."


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/x",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.8/",
        "http://[::ffff:192.168.1.1]/",
        "ftp://example.org/",
        "https://user:secret@example.org/",
        "file:///etc/passwd",
        "http://0.0.0.0/",
        "https://",
        "http://1.1.1.1:99999/",
    ],
)
def test_private_and_odd_addresses_are_refused(ada, address):
    with pytest.raises(Invalid) as refused:
        actions.register(actor=ada.actor, name="x", address=address)
    assert refused.value.errors[0].where == "url"


def test_a_network_the_operator_opened_is_allowed():
    assert public_address("http://127.0.0.1:9/x", allowed=("127.0.0.0/8",)) == ("127.0.0.1", "127.0.0.1")


def test_a_contributor_may_not_register_webhooks_nor_see_their_secrets(bo, endpoint):
    with pytest.raises(NotAllowed):
        actions.register(actor=bo.actor, name="x", address="https://example.org")
    assert bo.call("get", "/webhooks").status_code == 403


def test_the_secret_is_not_in_the_audit(endpoint):
    from potager.ground.audit.models import AuditEntry

    assert endpoint.secret not in str(list(AuditEntry.objects.values_list("before", "after")))


def test_the_whole_life_of_a_webhook_over_http(ada, outside):
    made = ada.call(
        "post", "/webhooks", {"name": "CRM", "address": "https://example.org/in", "events": ["a"]}
    ).json()
    path = f"/webhooks/{made['id']}"
    renamed = ada.call("put", path, {"name": "CRM 2", "address": "https://example.org/in", "events": ["a"]})
    assert renamed.json()["name"] == "CRM 2"
    assert ada.call("post", path + "/secret").json()["secret"] != made["secret"]
    assert ada.call("post", path + "/test").json()["event"] == "webhooks.test"
    assert ada.call("post", path + "/on").status_code == 200
    assert ada.call("get", path + "/deliveries").json()["total"] == 1
    assert ada.call("delete", path).status_code == 200
    assert ada.call("get", "/webhooks").json()["total"] == 0
