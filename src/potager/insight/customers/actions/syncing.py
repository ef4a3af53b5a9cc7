"""Many at once: asking for a sync, what comes of it, and undoing it as a unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from potager.ground.access.actors import Actor
from potager.ground.acting.action import action
from potager.ground.events.bus import announce
from potager.ground.jobs.work import enqueue
from potager.ground.lake.service import warehouse
from potager.ground.records.checks import keep
from potager.insight.customers.events import Synced
from potager.insight.customers.mapping import checked, propose
from potager.insight.customers.models import Noun, Sync, SyncState
from potager.kit.clock import now
from potager.kit.errors import Conflict, NotFound

JOB = "customers.sync"
UNDO = "customers.undo_sync"


@action("customers.sync")
def sync_accounts(
    *, actor: Actor, table: str, mapping: Mapping[str, Any] | None = None, origin: str = ""
) -> Sync:
    """Bring accounts from a table, in the background; without a mapping, the columns' names suggest one."""
    return _start(actor, Noun.ACCOUNTS, table, mapping, origin)


@action("customers.sync")
def sync_people(
    *,
    actor: Actor,
    table: str,
    mapping: Mapping[str, Any] | None = None,
    origin: str = "",
    make_accounts: bool = False,
) -> Sync:
    """Bring people from a table, in the background; ``make_accounts`` makes a company of each new mail domain."""
    return _start(actor, Noun.PEOPLE, table, mapping, origin, make_accounts=make_accounts)


def _start(
    actor: Actor, noun: str, table: str, mapping: Mapping[str, Any] | None, origin: str, **more: bool
) -> Sync:
    found = warehouse().tables().get(table)
    if found is None:
        raise NotFound(f"There is no table {table}.", mend="Import a file into it first.")
    columns = found.schema.names
    plan = checked(propose(columns, noun) if mapping is None else mapping, columns, noun)
    running = Sync.objects.filter(noun_kind=noun, state__in=[SyncState.RUNNING, SyncState.UNDOING]).first()
    if running is not None:
        raise Conflict(f"{running} is running.", mend="Wait for it to end, or cancel its job.")
    sync = Sync(
        noun_kind=noun, table=table, mapping=plan, origin=origin or table, owner_id=actor.user_id, **more
    )
    sync.snapshot = found.snapshot_id
    sync.job = enqueue(actor, JOB, f"Bring {sync}", sync_id=str(sync.pk))
    return keep(sync)


@action("customers.sync", on="sync")
def end_sync(*, actor: Actor, sync: Sync, state: str, outcome: Mapping[str, Any]) -> Sync:
    """Keep what came of a sync."""
    sync.state = SyncState(state)
    for name, value in outcome.items():
        setattr(sync, name, value)
    announce(Synced(actor.name, str(sync.pk), sync.noun_kind))
    return keep(sync)


@action("customers.sync", on="sync")
def undo_sync(*, actor: Actor, sync: Sync) -> Sync:
    """Take back exactly what a sync made and changed; what was changed since stays, and is counted."""
    if sync.state not in {SyncState.DONE, SyncState.FAILED}:
        raise Conflict(
            f"{sync} is {sync.get_state_display().lower()}.", mend="Only what is done can be undone."
        )
    sync.state = SyncState.UNDOING
    sync.job = enqueue(actor, UNDO, f"Undo {sync}", sync_id=str(sync.pk))
    return keep(sync)


@action("customers.sync", on="sync")
def discard_sync(*, actor: Actor, sync: Sync) -> Sync:
    """Forget a sync: what it brought stays, and it cannot be undone any more."""
    if sync.state in {SyncState.RUNNING, SyncState.UNDOING}:
        raise Conflict(f"{sync} is {sync.get_state_display().lower()}.", mend="Wait for it to end.")
    sync.archived_at = now()
    sync.changes.all().delete()
    sync.rejects_path.unlink(missing_ok=True)
    return keep(sync)
