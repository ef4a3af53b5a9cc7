"""Webhooks in the browser, and deliveries that need not be made."""

from __future__ import annotations

from datetime import timedelta

import pytest

from potager.ground.webhooks import actions, deliver
from potager.ground.webhooks.models import Delivery, Endpoint
from potager.kit import clock
from potager.kit.http import Answer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """What is sent to the world outside, which accepts everything."""
    found = []

    def post(url, *, body, headers, allowed):
        found.append(body)
        return Answer(204, "", {})

    monkeypatch.setattr(deliver, "post", post)
    known = actions.public_address

    def public_address(address, allowed):
        return known(address, allowed=allowed) if "127." in address else ("example.org", "93.184.216.34")

    monkeypatch.setattr(actions, "public_address", public_address)
    return found


@pytest.fixture
def endpoint(ada) -> Endpoint:
    form = {"name": "CRM", "address": "https://example.org/in", "events": "goals\n\n garden.glossary "}
    answer = ada.browser.post("/webhooks/", form)
    return Endpoint.objects.get(pk=answer["Location"].rsplit("/", 1)[-1])


def test_a_webhook_is_registered_with_its_events_one_per_line(ada, endpoint):
    assert endpoint.events == ["goals", "garden.glossary"]
    assert "CRM" in ada.browser.get("/webhooks/").content.decode()


def test_an_address_inside_the_house_is_refused_at_its_field(ada):
    answer = ada.browser.post("/webhooks/", {"name": "In", "address": "http://127.0.0.1/x", "events": ""})
    assert answer.status_code == 422 and not Endpoint.objects.exists()
    wrong = ada.browser.post("/webhooks/", {"name": "In", "address": "nowhere at all", "events": ""})
    assert wrong.status_code == 422


def test_a_webhook_is_tested_renewed_turned_on_and_taken_away_on_its_page(ada, endpoint, sent):
    page, secret = f"/webhooks/{endpoint.pk}", endpoint.secret
    browser = ada.browser
    browser.post(page, {"test": "1"})
    delivery = Delivery.objects.get(event="webhooks.test")
    deliver.deliver.call(str(delivery.pk))
    assert len(sent) == 1 and "webhooks.test" in browser.get(page).content.decode()
    assert "webhooks.test" in str(delivery)
    browser.post(page, {"secret": "1"})
    assert Endpoint.objects.get().secret != secret
    Endpoint.objects.update(turned_off_at=clock.now(), turned_off_because="It answered 410: gone.")
    browser.post(page, {"on": "1"})
    assert Endpoint.objects.get().turned_off_at is None
    assert browser.post(page, {"nothing": "1"}).status_code == 200
    assert browser.post(page, {"remove": "1"})["Location"] == "/webhooks/"
    assert browser.get(page).status_code == 404


def test_a_delivery_that_was_made_or_whose_endpoint_is_off_is_not_made_again(ada, endpoint, sent):
    delivery = actions.test(actor=ada.actor, endpoint=endpoint)
    Endpoint.objects.update(turned_off_at=clock.now())
    deliver.deliver.call(str(delivery.pk))
    assert sent == []
    Endpoint.objects.update(turned_off_at=None)
    deliver.deliver.call(str(delivery.pk))
    deliver.deliver.call(str(delivery.pk))
    assert len(sent) == 1


def test_two_workers_with_one_delivery_send_it_once(ada, endpoint, sent, monkeypatch):
    delivery = actions.test(actor=ada.actor, endpoint=endpoint)
    rows = type(Delivery.objects.all())
    first = rows.first

    def slower(found):  # another worker claims it between this one's look and its claim
        seen = first(found)
        Delivery.objects.filter(pk=delivery.pk).update(attempts=1)
        return seen

    monkeypatch.setattr(rows, "first", slower)
    deliver.deliver.call(str(delivery.pk))
    assert sent == []


def test_what_is_due_is_handed_to_the_workers(ada, endpoint, monkeypatch):
    actions.test(actor=ada.actor, endpoint=endpoint)
    assert deliver.retry_what_is_due() == 0, "a delivery just made is on its way already"
    with clock.held(clock.now() + timedelta(minutes=1)):
        assert deliver.retry_what_is_due() == 1
    Endpoint.objects.update(turned_off_at=clock.now())
    with clock.held(clock.now() + timedelta(minutes=1)):
        assert deliver.retry_what_is_due() == 0
