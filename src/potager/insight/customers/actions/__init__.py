"""Everything that writes customers: one by one, merged and unmerged, in bulk, and for good."""

from potager.insight.customers.actions.erasing import disclose, erase
from potager.insight.customers.actions.merging import merge_accounts, merge_people, unmerge
from potager.insight.customers.actions.segmenting import (
    archive_segment,
    change_segment,
    create_segment,
    restore_segment,
)
from potager.insight.customers.actions.syncing import (
    discard_sync,
    end_sync,
    sync_accounts,
    sync_people,
    undo_sync,
)
from potager.insight.customers.actions.writing import (
    change_account,
    change_person,
    create_account,
    create_person,
    meet,
)

__all__ = [
    "archive_segment",
    "change_account",
    "change_person",
    "change_segment",
    "create_account",
    "create_person",
    "create_segment",
    "discard_sync",
    "disclose",
    "end_sync",
    "erase",
    "meet",
    "merge_accounts",
    "merge_people",
    "restore_segment",
    "sync_accounts",
    "sync_people",
    "undo_sync",
    "unmerge",
]
