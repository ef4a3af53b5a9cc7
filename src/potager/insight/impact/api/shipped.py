"""What was shipped, taken over from a repository, over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Field, Router, Schema

from potager.ground.serving.requests import actor
from potager.insight.impact import actions

router = Router(tags=["impact"])


class ShippedIn(Schema):
    """One thing that was shipped."""

    model_config = {"extra": "forbid"}
    name: str = Field(min_length=1, max_length=200)
    shipped_at: date
    shipped_as: Literal["release", "tag", "commit", "flag", "hand"] = "tag"
    reference: str = Field(min_length=1, max_length=200, description="A tag, a commit, the name of a flag.")
    author: str = Field("", max_length=160)
    note: str = Field("", max_length=20_000)


class ImportIn(Schema):
    """What a repository says was shipped. The same again adds nothing."""

    model_config = {"extra": "forbid"}
    repository: str = Field(min_length=1, max_length=300)
    changes: list[ShippedIn] = Field(max_length=20_000)
    bet: str = Field("", max_length=60, description="The key of the bet they were shipped for.")


class ImportedOut(Schema):
    """How many were new, and how many were known."""

    repository: str
    added: int
    known: int


@router.post(
    "/impact/changes/import",
    response=ImportedOut,
    operation_id="impact_change_import",
    summary="Take over what a repository shipped.",
)
def import_changes(request: HttpRequest, payload: ImportIn) -> Any:
    """Take over tags and releases of a repository as changes shipped; those that are known are left alone."""
    added, known = actions.import_changes(
        actor=actor(request),
        repository=payload.repository,
        changes=[one.dict() for one in payload.changes],
        bet=payload.bet,
    )
    return {"repository": payload.repository, "added": added, "known": known}
