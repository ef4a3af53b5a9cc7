"""What tables, loads and named snapshots may be called."""

from __future__ import annotations

import re
from typing import NamedTuple

from potager.kit.errors import Invalid, NotFound

LOAD_COLUMN = "_load"
LONGEST = 200
_WORD = re.compile(r"[a-z][a-z0-9_]*")
_SNAPSHOT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")


class TableName(NamedTuple):
    """The two words that name a table."""

    namespace: str
    table: str

    def __str__(self) -> str:
        return f"{self.namespace}.{self.table}"


def table_name(name: str) -> TableName:
    """Return ``name`` as its two words; Invalid when it is not ``namespace.table`` in lower-case snake."""
    words = name.split(".")
    if len(words) != 2 or len(name) > LONGEST or not all(_WORD.fullmatch(word) for word in words):
        raise Invalid(
            f"'{name}' cannot name a table.",
            mend="Write namespace.table, each in lower-case letters, digits and underscores, starting with a letter.",
        )
    return TableName(*words)


def load_name(load_id: str) -> str:
    """Return the id of a load as it is; Invalid when it is empty or too long."""
    if not load_id or len(load_id) > LONGEST or not load_id.isprintable():
        raise Invalid(
            "A load needs an id that tells it from every other load.",
            mend=f"Give one to {LONGEST} printable characters, the same again when the same load is tried again.",
        )
    return load_id


def snapshot_name(name: str) -> str:
    """Return the name for a snapshot as it is; Invalid when it is not one word that a snapshot can be called by."""
    if not _SNAPSHOT_NAME.fullmatch(name) or len(name) > LONGEST or name == "main":
        raise Invalid(
            f"'{name}' cannot name a snapshot.",
            mend="Start with a letter, go on with letters, digits, '.', '_' or '-', and do not call it 'main'.",
        )
    return name


def no_table(name: TableName | str) -> NotFound:
    """Return the problem that there is no such table."""
    return NotFound(f"There is no table {name} in the lake.", mend="Import a file into it first.")
