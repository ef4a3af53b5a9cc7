"""Rules that hold for every operation of the API."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from django.test import Client

from potager.faces.api.operations import operations
from potager.faces.api.root import api

pytestmark = pytest.mark.django_db
SNAPSHOT = Path(__file__).parents[2] / "src/potager/faces/api/openapi.json"
OPEN = {"open to everybody": set()}
PROBLEM = {"type", "title", "status", "detail", "instance", "mend", "errors"}


def test_the_committed_document_is_the_api():
    current = json.loads(json.dumps(api.get_openapi_schema(), default=str, sort_keys=True))
    assert json.loads(SNAPSHOT.read_text("utf-8")) == current, (
        "Run 'make reference' and look at what changed."
    )


@pytest.mark.parametrize("name", sorted(operations()))
def test_an_operation_is_named_context_noun_verb(name):
    operation = operations()[name]
    assert all(operation.words) and operation.summary.endswith(".")


def request(name: str, **headers: str):
    operation = operations()[name]
    path = operation.path
    for parameter in operation.parameters:
        if parameter.place == "path":
            value = str(uuid.uuid4()) if parameter.schema.get("format") == "uuid" else "nothing"
            path = path.replace("{" + parameter.name + "}", value)
    send = getattr(Client(), operation.method)
    if operation.writes:
        return send(path, data="{}", content_type="application/json", **headers)
    return send(path, **headers)


@pytest.mark.parametrize("name", sorted(operations()))
def test_every_operation_refuses_an_outsider(name, cy):
    for headers in (
        {},
        {"HTTP_AUTHORIZATION": f"Bearer {cy.secret}"},
        {"HTTP_AUTHORIZATION": "Bearer pot_guess"},
    ):
        answer = request(name, **headers)
        assert answer.status_code == 401, answer.content
        assert answer["Content-Type"] == "application/problem+json" and set(answer.json()) == PROBLEM


@pytest.mark.parametrize("name", sorted(name for name, op in operations().items() if op.writes))
def test_every_write_refuses_a_token_that_may_only_read(name):
    from potager.ground.access.roles import Role
    from tests.people import person

    reader = person("Rea", Role.OWNER, scopes=("read",))
    answer = request(name, HTTP_AUTHORIZATION=f"Bearer {reader.secret}")
    assert answer.status_code in {403, 404, 422}, (answer.status_code, answer.content)
    assert set(answer.json()) == PROBLEM
