"""What can go wrong outside: the disk, the catalogue. Each becomes one sentence."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError

from potager.kit.errors import Problem, Unavailable

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Turn faults of disk and catalogue inside the block into Unavailable, which says what was being done."""
    try:
        yield
    except Problem:
        raise
    except DBAPIError as error:
        raise _catalogue(doing, error) from error
    except OSError as error:
        raise _disk(doing, error) from error


def locked(error: DBAPIError) -> bool:
    """Return whether the catalogue refused because another process holds its lock."""
    says = str(error.orig).lower()
    return isinstance(error, OperationalError) and ("locked" in says or "lock timeout" in says)


def _catalogue(doing: str, error: DBAPIError) -> Unavailable:
    if locked(error):
        return Unavailable(
            f"{doing} waited for the catalogue, which another process keeps locked.",
            mend="Try again; if it goes on, look for a process that keeps a transaction open. Nothing was changed.",
        )
    if "full" in str(error.orig).lower():
        return _full(doing)
    return Unavailable(
        f"{doing} needs the catalogue, which does not answer: {error.orig}.",
        mend="Run 'potager doctor': is the database running, and is its address right?",
    )


def _disk(doing: str, error: OSError) -> Unavailable:
    if error.errno in _FULL:
        return _full(doing)
    if error.errno in _FORBIDDEN:
        return Unavailable(
            f"{doing} may not write to the lake's files: {error}.",
            mend="Let the user that runs Potager write to the lake's folder. Nothing was changed.",
        )
    return Unavailable(
        f"{doing} could not reach the lake's files: {error}.",
        mend="Run 'potager doctor': is the disk or the object store there?",
    )


def _full(doing: str) -> Unavailable:
    return Unavailable(
        f"{doing} stopped because the disk is full; nothing was added.",
        mend="Free some space, then try again: the same load is taken up from its beginning.",
    )
