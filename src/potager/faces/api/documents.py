"""The OpenAPI document: every operation says which problems it can answer with, in one shape."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from potager.ground.serving.schemas import ProblemOut

READS = (400, 401, 403, 404, 422, 429, 503)
WRITES = (*READS, 409, 412, 413)


def with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with the problem responses written under every operation."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    shape = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(shape.pop("$defs", {}))
    schemas["ProblemOut"] = shape
    for path in document["paths"].values():
        for method, operation in path.items():
            for status in sorted(READS if method == "get" else WRITES):
                operation["responses"].setdefault(
                    status,
                    {
                        "description": HTTPStatus(status).phrase,
                        "content": {
                            "application/problem+json": {
                                "schema": {"$ref": "#/components/schemas/ProblemOut"}
                            }
                        },
                    },
                )
    return document
