"""The abstract record, and the one place that decides which rows an actor sees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from django.db import models

from potager.ground.access.actors import Actor
from potager.ground.access.models import Grant, Team, User
from potager.ground.access.roles import Role
from potager.kit.clock import now
from potager.kit.errors import Changed
from potager.kit.ids import uuid7

if TYPE_CHECKING:
    from django.db.models.base import ModelBase


class Visibility(models.TextChoices):
    """Who sees a record, apart from its owner and those it was granted to."""

    ORGANIZATION = "organization", "Everybody in the organization"
    TEAM = "team", "Its team"
    PRIVATE = "private", "Its owner"


@dataclass(frozen=True, slots=True)
class Card:
    """What a record shows of itself where another record, a search or the palette mentions it."""

    kind: str
    id: UUID
    noun: str
    title: str
    summary: str = ""
    url: str = ""
    state: str = ""
    verdict: str = ""
    as_of: datetime | None = None
    expires_at: datetime | None = None


R = TypeVar("R", bound="Record")


class RecordQuerySet(models.QuerySet[R]):
    """Rows that know who may see them."""

    def visible_to(self, actor: Actor) -> Self:
        """Return the rows the actor may see. Nobody sees nothing; owners of the installation see all."""
        permission = f"{self.model._meta.app_label}.read"
        if actor.role is None or not actor.holds(permission):
            return self.none()
        if actor.role >= Role.OWNER:
            return self
        seen = models.Q(visibility=Visibility.ORGANIZATION) | models.Q(
            visibility=Visibility.TEAM, team_id__in=actor.teams
        )
        if actor.user_id is not None:
            granted = Grant.objects.filter(
                models.Q(user_id=actor.user_id) | models.Q(team_id__in=actor.teams),
                record_kind=self.model.kind(),
            )
            seen |= models.Q(owner_id=actor.user_id) | models.Q(pk__in=granted.values("record_id"))
        return self.filter(seen)

    def alive(self) -> Self:
        """Return the rows that were not archived."""
        return self.filter(archived_at__isnull=True)


class Record(models.Model):
    """Base of every record. ``version`` counts writes, so that nobody overwrites what they have not seen."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    visibility = models.CharField(
        max_length=12, choices=Visibility.choices, default=Visibility.ORGANIZATION, db_default="organization"
    )

    objects = RecordQuerySet.as_manager()

    class Meta:
        abstract = True

    @classmethod
    def kind(cls) -> str:
        """Return the name of this kind of record, ``context.noun``."""
        return cls._meta.label_lower

    @classmethod
    def noun(cls) -> str:
        """Return what people call one of these."""
        return str(cls._meta.verbose_name)

    @property
    def title(self) -> str:
        """Return the record's name, for cards, searches and the audit."""
        return str(self)

    def summary(self) -> str:
        """Return one line about the record, for its card and the search."""
        return ""

    def findable(self) -> str:
        """Return everything worth finding the record by, besides title and summary."""
        return ""

    def url(self) -> str:
        """Return the record's page, or nothing where it has none."""
        return ""

    def card(self) -> Card:
        """Return what the record shows of itself elsewhere."""
        return Card(self.kind(), self.pk, self.noun(), self.title, self.summary(), self.url())

    def facts(self) -> dict[str, Any]:
        """Return the stored values, for the audit's before and after."""
        skip = {"created_at", "updated_at", "version"}
        return {
            field.attname: getattr(self, field.attname)
            for field in self._meta.concrete_fields
            if field.name not in skip
        }

    def save(
        self,
        *,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Any = None,
    ) -> None:
        """Keep the record, counting its version and refusing to overwrite one that changed since it was read."""
        if self._state.adding:
            super().save(force_insert=force_insert, using=using)
            return
        read = self.version
        moment = now()
        if (
            not type(self)
            ._base_manager.filter(pk=self.pk, version=read)
            .update(version=read + 1, updated_at=moment)
        ):
            raise Changed(
                f"{self.title} was changed or deleted meanwhile.", mend="Look at it again, then repeat."
            )
        self.version, self.updated_at = read + 1, moment
        super().save(force_update=True, using=using, update_fields=update_fields)


def model_of(kind: str) -> type[Record]:
    """Return the model of a kind of record."""
    from django.apps import apps

    model = apps.get_model(kind)
    if not issubclass(model, Record):
        raise LookupError(f"{kind} is not a kind of record.")
    return model


def record_kinds() -> list[type[Record]]:
    """Return every kind of record there is, by name."""
    from django.apps import apps

    found = [model for model in apps.get_models() if issubclass(model, Record)]
    return sorted(found, key=lambda model: model.kind())
