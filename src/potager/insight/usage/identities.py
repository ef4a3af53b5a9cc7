"""Who is who, file by file: what each file says of merged persons, followed to the end over all files of a table."""

from __future__ import annotations

from typing import Any

from potager.ground.connecting.connectors import connector
from potager.ground.lake.service import lake, warehouse
from potager.kit.errors import Invalid


def links_of(table: str) -> str:
    """Return the table of what files of events into ``table`` said of who is who: alias, person; a load a file."""
    return f"{table}_links"


def identities_of(table: str) -> str:
    """Return the table of alias and person that streams over ``table`` read: each alias with its person in the end."""
    return f"{table}_identities"


def bring(reading: Any, table: str, load_id: str) -> str:
    """Keep what a file says of who is who as one load; return why it says nothing, where its merges go in a circle."""
    if not hasattr(reading, "identities"):
        return ""  # a plain reader knows of no persons
    try:
        links = reading.identities()
    except Invalid as problem:
        return f"{problem.detail} {problem.mend}"
    if links.num_rows:
        lake().append(links_of(table), links, load_id=load_id)
    return ""


def take_out(table: str, load_id: str) -> None:
    """Take what a file said of who is who out again."""
    name = links_of(table)
    if lake().exists(name) and load_id in lake().loads(name):
        lake().undo(name, load_id)


def merge(table: str, reader: str) -> str:
    """Follow the links of all files to their end, anew; return why not, where two files lead in a circle.

    In that case the identities stay as they were: nobody stands at the end of a circle.
    """
    current = lake().current(links_of(table))
    if current is None:
        return ""
    links = warehouse().query(f"SELECT alias, person FROM {links_of(table)}").table  # noqa: S608 - a table of ours
    try:
        merged = connector(reader).merge_identities(links)  # type: ignore[attr-defined]
    except Invalid as problem:
        return f"{problem.detail} {problem.mend}"
    lake().overwrite(identities_of(table), merged.table, load_id=f"merged-{current.id}")
    return ""
