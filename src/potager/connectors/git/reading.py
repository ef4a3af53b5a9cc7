"""Reading a repository with the ``git`` program, which knows every form that repositories take on disk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from potager.connectors.git.running import run
from potager.kit.errors import NotFound

ShippedAs = Literal["release", "tag", "commit"]

MOST_COMMITS = 5_000
LONGEST_NAME, LONGEST_NOTE = 200, 20_000
# A version, with or without a letter or the name of a package before it: v1.2, 2024.05.1, web@3.0.0, api/v2.1.0-rc.1.
_VERSION = re.compile(r"^(?:[\w.+-]+[@/-])?[vV]?\d+(?:\.\d+)+(?:[-+.]?[0-9A-Za-z][0-9A-Za-z.+-]*)?$")
_FIELD, _RECORD = "\x1f", "\x1e"
_TAGS = _FIELD.join(
    ("%(refname:strip=2)", "%(creatordate:unix)", "%(taggername)", "%(authorname)", "%(contents)")
)
_COMMITS = _FIELD.join(("%H", "%ct", "", "%an", "%B"))


@dataclass(frozen=True, slots=True)
class Shipped:
    """Something that was shipped: a release, a tag or a commit. ``shipped_at`` is its day in UTC."""

    name: str
    shipped_at: date
    shipped_as: ShippedAs
    reference: str
    author: str
    note: str


@dataclass(frozen=True, slots=True)
class History:
    """What a repository shipped, oldest first. ``name``: its origin without credentials, or its folder's name."""

    name: str
    shipped: tuple[Shipped, ...]
    by_tags: bool


def read_history(path: Path) -> History:
    """Return what the repository at ``path`` shipped: its tags, or its main line where it has none.

    Raises :class:`NotFound` where there is no repository, :class:`Invalid` where git will not read it, and
    :class:`Unavailable` where git is not installed or takes too long.
    """
    if not path.is_dir():
        raise NotFound(f"There is no folder {path}.", mend="Give the folder of a clone.")
    run(path, "rev-parse", "--git-dir")
    tags = tuple(_tags(path))
    if tags:
        return History(repository_name(path), tags, by_tags=True)
    return History(repository_name(path), tuple(_commits(path)), by_tags=False)


def _tags(path: Path) -> Iterator[Shipped]:
    said = run(path, "for-each-ref", "refs/tags", "--sort=creatordate", f"--format={_TAGS}{_RECORD}")
    for name, moment, tagger, author, note in _records(said):
        if not moment:  # a tag of a tree or a blob has no day
            continue
        kind: ShippedAs = "release" if _VERSION.match(name) else "tag"
        yield _shipped(name, moment, kind, name, tagger or author, note)


def _commits(path: Path) -> Iterator[Shipped]:
    """Yield what was merged or committed to the main line, oldest first; nothing where there is no commit yet."""
    if not run(path, "rev-list", "-n", "1", "--all").strip():
        return
    said = run(
        path, "log", "--first-parent", f"--max-count={MOST_COMMITS}", f"--format={_COMMITS}{_RECORD}", "HEAD"
    )
    for commit, moment, _, author, note in reversed(list(_records(said))):
        yield _shipped(note.strip().partition("\n")[0] or commit[:12], moment, "commit", commit, author, note)


def _records(said: str) -> Iterator[list[str]]:
    for record in said.split(_RECORD):
        fields = record.lstrip("\n").split(_FIELD, 4)
        if len(fields) == 5:
            yield fields


def _shipped(name: str, moment: str, kind: ShippedAs, reference: str, author: str, note: str) -> Shipped:
    day = datetime.fromtimestamp(int(moment), UTC).date()
    return Shipped(
        _printable(name)[:LONGEST_NAME],
        day,
        kind,
        reference[:LONGEST_NAME],
        _printable(author)[:160],
        note.replace("\0", "").strip()[:LONGEST_NOTE],
    )


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def repository_name(path: Path) -> str:
    """Return the address of the origin without user, password or query, or the name of the folder."""
    origin = run(path, "config", "--get", "remote.origin.url", missing_is_empty=True).strip()
    if not origin:
        return path.resolve().name
    parts = urlsplit(origin)
    if parts.scheme and parts.hostname:
        port = f":{parts.port}" if parts.port else ""
        origin = urlunsplit((parts.scheme, f"{parts.hostname}{port}", parts.path, "", ""))
    return origin.rstrip("/").removesuffix(".git")[:300]
