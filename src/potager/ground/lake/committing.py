"""Committing: the one moment at which a change becomes true, tried again when another process was first."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from pyiceberg.exceptions import CommitFailedException, TableAlreadyExistsError
from pyiceberg.table import Transaction

from potager.ground.lake.catalogue import Catalogue
from potager.ground.lake.names import TableName
from potager.kit.errors import Unavailable

TRIES = 40
_FIRST_WAIT, _LONGEST_WAIT = 0.01, 1.0

Change = Callable[[Any | None], Any | None]


class Staged(Transaction):  # type: ignore[misc]
    """A transaction that works out the metadata it leads to once for each change staged.

    Iceberg's own copies the whole metadata at each look, some twenty times in a commit: half a second for a table with
    sixty snapshots, which is ten times what the rest takes.
    """

    _worked_out: tuple[Any, Any] | None = None

    @property
    def table_metadata(self) -> Any:
        """Return the metadata as it will be."""
        if self._worked_out is None or self._worked_out[0] is not self._updates:
            self._worked_out = (self._updates, super().table_metadata)
        return self._worked_out[1]


def commit(catalogue: Catalogue, name: TableName, change: Change) -> Any | None:
    """Carry out ``change`` and return the table after it, or None when there was nothing to change.

    ``change`` gets the table as it is (None when there is none) and returns a transaction, or None. It is called again
    on the newer table when another process committed meanwhile; Unavailable after forty such tries.
    """
    for wait in _waits():
        transaction = change(catalogue.table(name))
        if transaction is None:
            return None
        try:
            return transaction.commit_transaction()
        except (CommitFailedException, TableAlreadyExistsError):
            time.sleep(wait)
    raise Unavailable(
        f"{name} was changed by others each of the {TRIES} times that this change was tried.",
        mend="Try again when fewer loads into this table run at once. Nothing was changed.",
    )


def _waits() -> Iterator[float]:
    longest = _FIRST_WAIT
    for _ in range(TRIES):
        yield random.uniform(0, longest)  # noqa: S311 - spreads the tries, hides nothing
        longest = min(longest * 2, _LONGEST_WAIT)
