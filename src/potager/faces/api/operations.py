"""The committed OpenAPI document, read as a list of operations: what the command line and assistants derive from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import quote

from potager.kit.errors import FieldProblem, Invalid, NotFound

_SAID = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One input of an operation. ``schema`` is JSON Schema with references resolved."""

    name: str
    place: Literal["path", "query", "body"]
    required: bool
    schema: Mapping[str, Any]
    help: str

    @property
    def type(self) -> str:
        """Return the JSON type, ``string`` where several are possible."""
        kinds = [self.schema, *self.schema.get("anyOf", [])]
        found = [kind["type"] for kind in kinds if kind.get("type") not in (None, "null")]
        return str(found[0]) if found else "string"

    @property
    def choices(self) -> list[str]:
        """Return the values it takes, where they are few enough to be listed."""
        kinds = [self.schema, *self.schema.get("anyOf", [])]
        return [str(choice) for kind in kinds for choice in kind.get("enum", ())]

    def read(self, text: str) -> Any:
        """Return what was typed as the type it has; lists may be written with commas, structures as JSON."""
        if self.type in {"object", "array"}:
            try:
                return json.loads(text)
            except ValueError:
                if self.type == "array":
                    return [part.strip() for part in text.split(",") if part.strip()]
                raise self._not('JSON, such as {"metric": "revenue"}') from None
        if self.type == "boolean":
            if text.lower() not in _SAID:
                raise self._not("yes or no")
            return _SAID[text.lower()]
        try:
            return int(text) if self.type == "integer" else float(text) if self.type == "number" else text
        except ValueError:
            raise self._not("a number") from None

    def _not(self, wanted: str) -> Invalid:
        problem = FieldProblem(self.name, f"{self.name} takes {wanted}.")
        return Invalid(problem.problem, errors=[problem])


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the API. Its id is ``context_noun_verb``."""

    id: str
    method: str
    path: str
    summary: str
    parameters: tuple[Parameter, ...]
    takes_file: bool = False

    @property
    def words(self) -> tuple[str, str, str]:
        """Return context, noun and verb, as commands spell them."""
        context, _, rest = self.id.partition("_")
        noun, _, verb = rest.rpartition("_")
        return context, noun.replace("_", "-"), verb

    @property
    def writes(self) -> bool:
        """Return whether it can change anything."""
        return self.method != "get"

    def request(self, given: Mapping[str, Any]) -> tuple[str, dict[str, Any], Any]:
        """Return path, query and body for the values ``given``; say what is missing or unknown."""
        known = {parameter.name: parameter for parameter in self.parameters}
        problems = [FieldProblem(name, f"{self.id} takes no {name}.") for name in given if name not in known]
        problems += [
            FieldProblem(parameter.name, f"{parameter.name} is missing: {parameter.help or 'it is required'}")
            for parameter in self.parameters
            if parameter.required and parameter.name not in given
        ]
        if problems:
            raise Invalid(
                "; ".join(problem.problem for problem in problems),
                mend=f"It takes {', '.join(known) or 'nothing'}.",
                errors=problems,
            )
        path, query, body = self.path, {}, {}
        for name, value in given.items():
            place = known[name].place
            if place == "path":
                path = path.replace("{" + name + "}", quote(str(value), safe=""))
            elif place == "query":
                query[name] = value
            else:
                body[name] = value
        return path, query, body if any(parameter.place == "body" for parameter in self.parameters) else None


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """Return ``schema`` with its references written out, as deep as inputs go."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _resolved(document["components"]["schemas"][name], document, depth + 1) if depth < 6 else {}
    found = dict(schema)
    for key in ("properties",):
        if key in found:
            found[key] = {name: _resolved(part, document, depth + 1) for name, part in found[key].items()}
    if isinstance(found.get("items"), Mapping):
        found["items"] = _resolved(found["items"], document, depth + 1)
    for key in ("anyOf", "allOf"):
        if key in found:
            found[key] = [_resolved(part, document, depth + 1) for part in found[key]]
    return found


def read_operations(document: Mapping[str, Any]) -> dict[str, Operation]:
    """Return the operations of an OpenAPI document, by id."""
    operations = {}
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            parameters = [
                Parameter(
                    part["name"],
                    part["in"],
                    part.get("required", False),
                    _resolved(part["schema"], document),
                    part.get("description", part["schema"].get("description", "")),
                )
                for part in described.get("parameters", [])
                if part["in"] in {"path", "query"}
            ]
            content = described.get("requestBody", {}).get("content", {})
            body = content.get("application/json") or content.get("multipart/form-data")
            if body:
                schema = _resolved(body["schema"], document)
                needed = schema.get("required", [])
                parameters += [
                    Parameter(name, "body", name in needed, part, part.get("description", ""))
                    for name, part in schema.get("properties", {}).items()
                ]
            operations[described["operationId"]] = Operation(
                described["operationId"],
                method,
                path,
                described.get("summary", ""),
                tuple(parameters),
                takes_file="multipart/form-data" in content,
            )
    return operations


@lru_cache(maxsize=1)
def operations() -> dict[str, Operation]:
    """Return every operation of this version of Potager."""
    text = files("potager.faces.api").joinpath("openapi.json").read_text("utf-8")
    return read_operations(json.loads(text))


def operation(name: str) -> Operation:
    """Return the operation called ``name``, or say which are near it."""
    found = operations().get(name)
    if found is None:
        from difflib import get_close_matches

        near = get_close_matches(name, operations(), n=3, cutoff=0.4)
        raise NotFound(
            f"There is no operation {name}.", mend=f"Did you mean {' or '.join(near)}?" if near else ""
        )
    return found
