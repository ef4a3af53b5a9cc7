"""The API of a plain noun, from its description."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from ninja.orm import create_schema
from pydantic import Field, create_model

from potager.ground.acting.action import expecting
from potager.ground.records.queries import found_in
from potager.ground.resources.resource import Resource
from potager.ground.serving.requests import actor, expected_version, tagged
from potager.ground.serving.schemas import PageOut, PagingIn, RecordOut, page


def resource_router(resource: Resource[Any]) -> Router:
    """Return list, read, create, change, archive and restore for one resource."""
    model, noun = resource.model, resource.noun
    context, title = resource.context, model.__name__
    router = Router(tags=[context])
    path = f"/{context}/{resource.nouns}"
    kept = create_schema(model, name=f"{title}Fields", fields=list(resource.fields))
    shown: Any = type(f"{title}Out", (kept, RecordOut), {"__doc__": resource.purpose})
    written: Any = create_schema(model, name=f"{title}In", fields=list(resource.fields), base_class=_Strict)
    changed: Any = create_schema(
        model,
        name=f"{title}Change",
        fields=list(resource.fields),
        optional_fields=list(resource.fields),
        base_class=_Strict,
    )
    search_fields: dict[str, Any] = {
        name: (str, Field("", max_length=200, description=f"Only with this {name}."))
        for name in resource.filters
    }
    sought: Any = create_model(
        f"{title}Search",
        __base__=Schema,
        search=(str, Field("", max_length=200, description="Words that must occur.")),
        archived=(bool, Field(False, description="Show what was archived instead.")),
        **search_fields,
    )
    several: Any = PageOut[shown]

    def operation(verb: str, help_text: str, **more: Any) -> dict[str, Any]:
        return {"operation_id": f"{context}_{noun}_{verb}", "summary": help_text, **more}

    def found(request: HttpRequest, key: UUID) -> Any:
        return found_in(model.objects.visible_to(actor(request)), pk=key)

    @router.get(path, response=several, **operation("list", f"List {resource.nouns}. {resource.purpose}"))
    def listing(request: HttpRequest, paging: PagingIn, sought: Query[sought]) -> Any:
        rows = resource.rows(actor(request), **sought.dict())
        return page(rows, paging, order=resource.order)

    @router.get(path + "/{uuid:key}", response=shown, **operation("get", f"Read one {noun}."))
    def reading(request: HttpRequest, response: HttpResponse, key: UUID) -> Any:
        return tagged(response, found(request, key))

    @router.post(path, response={201: shown}, **operation("create", f"Add a {noun}."))
    def adding(request: HttpRequest, response: HttpResponse, payload: written) -> Any:
        record = resource.create(actor=actor(request), values=payload.dict(exclude_unset=True))
        return Status(201, tagged(response, record))

    @router.patch(path + "/{uuid:key}", response=shown, **operation("change", f"Change a {noun}."))
    def changing(request: HttpRequest, response: HttpResponse, key: UUID, payload: changed) -> Any:
        with expecting(expected_version(request)):
            values = payload.dict(exclude_unset=True)
            return tagged(
                response, resource.change(actor=actor(request), record=found(request, key), values=values)
            )

    @router.delete(
        path + "/{uuid:key}", response=shown, **operation("archive", f"Archive a {noun}; it can be restored.")
    )
    def archiving(request: HttpRequest, response: HttpResponse, key: UUID) -> Any:
        with expecting(expected_version(request)):
            return tagged(response, resource.archive(actor=actor(request), record=found(request, key)))

    @router.post(
        path + "/{uuid:key}/restore", response=shown, **operation("restore", f"Restore an archived {noun}.")
    )
    def restoring(request: HttpRequest, response: HttpResponse, key: UUID) -> Any:
        with expecting(expected_version(request)):
            return tagged(response, resource.restore(actor=actor(request), record=found(request, key)))

    return router


class _Strict(Schema):
    """Unknown fields are an error, not ignored: a typo must not lose what was meant."""

    model_config = {"extra": "forbid"}
