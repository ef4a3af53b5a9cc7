"""Every operation, given what its own document allows: never a 5xx, never a status or a shape that is not written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from potager.project.wsgi import application

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
DOCUMENT = Path(__file__).parents[2] / "src/potager/faces/api/openapi.json"
schema = schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text("utf-8")))
schema.app = application
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


@schema.parametrize()
@settings(
    max_examples=5,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_an_operation_keeps_to_its_document(case: schemathesis.Case, ada) -> None:
    response = case.call(headers={"Authorization": f"Bearer {ada.secret}"})
    case.validate_response(response, checks=CHECKS)
