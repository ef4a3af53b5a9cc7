"""The readings: each an operation with parameters of its own, and one that lists who is behind a cell."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from potager.ground.serving.requests import actor
from potager.insight.usage import actions, groups, queries
from potager.insight.usage.api.shapes import ReadingOut, outcome_out
from potager.insight.usage.readings.base import Reading, parsed, reading_named, readings

router = Router(tags=["usage"])


class BehindOut(Schema):
    """Somebody behind a cell: the key, and the name and page of a known customer."""

    key: str
    name: str
    url: str


class BehindPageOut(Schema):
    """One page of those behind a cell, by key."""

    words: str
    unit: str
    total: int
    page: int
    items: list[BehindOut]


class BehindIn(Schema):
    """Whose cell it is, and how the segment is to be called."""

    model_config = {"extra": "forbid"}
    reading: str = Field(max_length=20)
    parameters: dict[str, Any] = {}
    cell: str = Field(max_length=500)
    name: str = Field(max_length=120)


class BehindSegmentOut(Schema):
    """The segment that was kept."""

    id: UUID
    name: str
    url: str
    keys: int


def _offer(reading: Reading[Any]) -> None:
    """Make the two operations of one reading."""
    kind = reading.parameters

    @router.get(
        f"/usage/streams/{{uuid:key}}/{reading.name}",
        response=ReadingOut,
        operation_id=f"usage_{reading.name}_read",
        summary=f"Read {reading.title.lower()} of a stream.",
        description=reading.about,
    )
    def read(request: HttpRequest, key: UUID, parameters: Annotated[kind, Query()]) -> Any:  # type: ignore[valid-type]
        return outcome_out(reading.answer(queries.stream(actor(request), key), parameters))

    if reading.group is None:
        return
    with_cell = type(
        f"{kind.__name__}OfCell",
        (kind,),
        {
            "__doc__": f"{kind.__doc__}",
            "__annotations__": {"cell": str, "page": int},
            "cell": Field(max_length=500, description="As a cell of the reading names it in who."),
            "page": Field(1, ge=1, le=100_000, description="Fifty to a page."),
        },
    )

    @router.get(
        f"/usage/streams/{{uuid:key}}/{reading.name}/who",
        response=BehindPageOut,
        operation_id=f"usage_{reading.name}_who",
        summary=f"List who is behind a cell of {reading.title.lower()}.",
        description="List the people or accounts behind a cell of the reading, by key.",
    )
    def behind(request: HttpRequest, key: UUID, parameters: Annotated[with_cell, Query()]) -> Any:  # type: ignore[valid-type]
        given: dict[str, Any] = dict(parameters)
        cell, number = given.pop("cell"), given.pop("page")
        group = groups.group_of(
            queries.stream(actor(request), key), reading, kind.model_validate(given), cell
        )
        found = groups.members(actor(request), group, page=number)
        return {
            "words": group.words,
            "unit": group.unit,
            "total": found.total,
            "page": found.page,
            "items": found.items,
        }


for _reading in readings():
    _offer(_reading)


@router.post(
    "/usage/streams/{uuid:key}/segments",
    response=BehindSegmentOut,
    operation_id="usage_group_keep",
    summary="Keep those behind a cell as a segment.",
)
def keep_group(request: HttpRequest, key: UUID, payload: BehindIn) -> Any:
    """Keep the people or accounts behind a cell as a segment of customers: a fixed list of their keys."""
    stream = queries.stream(actor(request), key)
    parameters = parsed(reading_named(payload.reading), payload.parameters).said()
    made = actions.keep_group(
        actor=actor(request),
        stream=stream,
        reading=payload.reading,
        parameters=parameters,
        cell=payload.cell,
        name=payload.name,
    )
    return {"id": made.pk, "name": made.name, "url": made.url(), "keys": made.members.count()}
