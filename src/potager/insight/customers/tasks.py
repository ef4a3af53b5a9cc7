"""The syncs themselves, done by the worker. Killed at any instant, one can be done again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from potager.ground.jobs.work import Canceled, Work, job_kind
from potager.ground.lake.service import warehouse
from potager.insight.customers.actions import end_sync
from potager.insight.customers.actions.syncing import JOB, UNDO
from potager.insight.customers.actions.taking import take_in, take_out
from potager.insight.customers.mapping import Row, Trouble, query, read
from potager.insight.customers.models import Sync, SyncState
from potager.kit.errors import Problem
from potager.kit.files import csv_lines

AT_ONCE = 5_000


@job_kind(JOB)
def run_sync(work: Work, *, sync_id: str) -> dict[str, Any]:
    """Read the table in batches and take each in, one transaction a batch."""
    sync = Sync.objects.get(pk=UUID(sync_id))
    try:
        outcome = _take(work, sync)
    except Canceled:
        counts = {**_counts(sync), "note": "Canceled; what had come in is here, and can be undone."}
        end_sync(actor=work.actor, sync=sync, state=SyncState.FAILED, outcome=counts)
        raise
    except Exception as error:
        said = (
            f"{error.detail} {error.mend}"
            if isinstance(error, Problem)
            else f"It stopped unexpectedly: {error}"
        )
        end_sync(
            actor=work.actor,
            sync=sync,
            state=SyncState.FAILED,
            outcome={**_counts(sync), "note": said.strip()[:500]},
        )
        raise
    end_sync(actor=work.actor, sync=sync, state=SyncState.DONE, outcome=outcome)
    return outcome


def _counts(sync: Sync) -> dict[str, int]:
    return {
        "added": sync.changes.filter(before__isnull=True).count(),
        "changed": sync.changes.filter(before__isnull=False).count(),
    }


def _take(work: Work, sync: Sync) -> dict[str, Any]:
    total = warehouse().tables()[sync.table].rows
    reasons: Counter[str] = Counter()
    seen = 0
    sync.rejects_path.parent.mkdir(parents=True, exist_ok=True)
    with sync.rejects_path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_lines(["key", "problem", "taken"], []))
        given = _given(sync)
        while found := list(islice(given, AT_ONCE)):
            rows = [one for one in found if isinstance(one, Row)]
            troubles = [one for one in found if isinstance(one, Trouble)]
            troubles += take_in(actor=work.actor, sync=sync, rows=rows)
            reasons.update(("taken without: " if one.taken else "") + one.kind for one in troubles)
            lines = list(
                csv_lines(
                    ["", "", ""], [[one.key, one.says, "yes" if one.taken else "no"] for one in troubles]
                )
            )
            file.writelines(lines[1:])
            seen += len(found)
            work.progress(seen, total, f"{seen:,} rows read", "rows")
    aside = sum(count for reason, count in reasons.items() if not reason.startswith("taken without"))
    if not reasons:
        sync.rejects_path.unlink()
    return {**_counts(sync), "rows": seen, "set_aside": aside, "reasons": dict(reasons), "note": ""}


def _given(sync: Sync) -> Iterator[Row | Trouble]:
    with warehouse().stream(query(sync.table, sync.mapping), at={sync.table: sync.snapshot}) as batches:
        for batch in batches:
            yield from read(batch, sync.mapping)


@job_kind(UNDO)
def run_undo(work: Work, *, sync_id: str) -> dict[str, Any]:
    """Take back what a sync did, people before the companies that came with them."""
    sync = Sync.objects.get(pk=UUID(sync_id))
    total, done, stayed = sync.changes.count(), 0, 0
    while changes := list(sync.changes.order_by("-pk")[:AT_ONCE]):
        stayed += take_out(actor=work.actor, sync=sync, changes=changes)
        done += len(changes)
        work.progress(done, total, f"{done:,} taken back", "records")
    note = (
        f"{stayed:,} stayed as they are: they were changed since, or others belong to them." if stayed else ""
    )
    end_sync(actor=work.actor, sync=sync, state=SyncState.UNDONE, outcome={"note": note})
    return {"taken_back": done - stayed, "stayed": stayed}
