"""Reading imports and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from potager.ground.access.actors import Actor, require
from potager.ground.connecting.connectors import connector
from potager.ground.connecting.models import Import
from potager.ground.lake.service import warehouse
from potager.ground.lake.warehouse import TableInfo
from potager.ground.records.models import RecordQuerySet
from potager.kit.errors import NotFound


def imports(actor: Actor) -> RecordQuerySet[Import]:
    """Return the imports the actor may see, newest first."""
    rows: RecordQuerySet[Import] = Import.objects.visible_to(actor)
    return rows.alive().select_related("job", "owner")


def preview(actor: Actor, imported: Import, *, plan: Mapping[str, Any] | None = None, rows: int = 20) -> Any:
    """Return the first rows as they would be imported, and those that would be set aside."""
    require(actor, "connecting.read", imported)
    found = connector(imported.connector)
    if not imported.path.exists():
        raise NotFound(f"The file {imported.file_name} is not kept any more.", mend="Upload it again.")
    return found.preview(imported.path, found.ReadPlan.from_dict(plan or imported.plan), rows=rows)


def tables(actor: Actor) -> Mapping[str, TableInfo]:
    """Return the tables of the lake, by name."""
    require(actor, "connecting.read")
    return warehouse().tables()


def table(actor: Actor, name: str) -> TableInfo:
    """Return one table of the lake."""
    found = tables(actor).get(name)
    if found is None:
        raise NotFound(f"There is no table {name}.", mend="Import a file into it first.")
    return found
