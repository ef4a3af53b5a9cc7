"""The description of a plain noun, and the actions and reads that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, Generic, TypeVar

from django.db.models import Q

from potager.ground.access.actors import Actor
from potager.ground.acting.action import action
from potager.ground.records.checks import keep
from potager.ground.records.models import Record, RecordQuerySet
from potager.kit.clock import now
from potager.kit.errors import FieldProblem, Invalid

M = TypeVar("M", bound=Record)


@dataclass(frozen=True)
class Resource(Generic[M]):
    """A plain noun. The first of ``columns`` is its name; ``fields`` are written in the order given.

    ``door``: whether it has a door in the rail and a line on home, or is reached from its context's pages.
    """

    model: type[M]
    purpose: str
    fields: tuple[str, ...]
    columns: tuple[str, ...]
    filters: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    order: str = "-created_at"
    door: bool = True
    create: Callable[..., M] = field(init=False)
    change: Callable[..., M] = field(init=False)
    archive: Callable[..., M] = field(init=False)
    restore: Callable[..., M] = field(init=False)

    def __post_init__(self) -> None:
        for verb, build in (
            ("create", _create),
            ("change", _change),
            ("archive", _archive),
            ("restore", _restore),
        ):
            function = build(self)
            function.__name__ = f"{verb}_{self.model._meta.model_name}"
            function.__doc__ = f"{verb.capitalize()} a {self.model.noun()}."
            function.__module__ = f"{self.model.__module__.rpartition('.')[0]}.actions"
            on = None if verb == "create" else "record"
            object.__setattr__(self, verb, action(f"{self.context}.edit", on=on)(function))
        RESOURCES[self.model.kind()] = self

    @property
    def context(self) -> str:
        """Return the label of the context that the noun belongs to."""
        return self.model._meta.app_label

    @property
    def noun(self) -> str:
        """Return the noun as identifiers spell it."""
        return str(self.model._meta.model_name)

    @property
    def title(self) -> str:
        """Return the plural as people read it: ``Goals``."""
        return str(self.model._meta.verbose_name_plural).capitalize()

    @property
    def nouns(self) -> str:
        """Return the plural as addresses spell it."""
        plural = str(self.model._meta.verbose_name_plural)
        return plural if plural.isidentifier() else f"{self.noun}s"

    def rows(
        self, actor: Actor, *, search: str = "", archived: bool = False, **filters: Any
    ) -> RecordQuerySet[M]:
        """Return the rows the actor may see, searched and filtered."""
        rows: RecordQuerySet[Any] = self.model.objects.visible_to(actor).filter(
            archived_at__isnull=not archived
        )
        rows = rows.filter(**{name: value for name, value in filters.items() if value not in (None, "")})
        for word in search.split():
            rows = rows.filter(reduce(or_, (Q(**{f"{name}__icontains": word}) for name in self.search), Q()))
        return rows


RESOURCES: dict[str, Resource[Any]] = {}


def _written(resource: Resource[M], record: M, values: Mapping[str, Any]) -> M:
    unknown = sorted(set(values) - set(resource.fields))
    if unknown:
        errors = [FieldProblem(name, f"A {record.noun()} has no field {name}.") for name in unknown]
        fields = ", ".join(resource.fields)
        raise Invalid(
            f"Unknown fields: {', '.join(unknown)}.", mend=f"The fields are {fields}.", errors=errors
        )
    for name, value in values.items():
        setattr(record, name, value)
    return keep(record)


def _create(resource: Resource[M]) -> Callable[..., M]:
    def create(*, actor: Actor, values: Mapping[str, Any]) -> M:
        record = resource.model(owner_id=actor.user_id)
        return _written(resource, record, values)

    return create


def _change(resource: Resource[M]) -> Callable[..., M]:
    def change(*, actor: Actor, record: M, values: Mapping[str, Any]) -> M:
        return _written(resource, record, values)

    return change


def _archive(resource: Resource[M]) -> Callable[..., M]:
    def archive(*, actor: Actor, record: M) -> M:
        record.archived_at = now()
        return keep(record)

    return archive


def _restore(resource: Resource[M]) -> Callable[..., M]:
    def restore(*, actor: Actor, record: M) -> M:
        record.archived_at = None
        return keep(record)

    return restore
