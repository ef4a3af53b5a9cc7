"""Who is who: links from one name of a person to another are followed to their end; circles are refused."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from potager.connectors.events.shapes import IDENTITIES
from potager.kit.errors import FieldProblem, Invalid

_SHOWN = 6


@dataclass(frozen=True)
class Merged:
    """Aliases and the person each stands for in the end; ``contested`` aliases were claimed by several persons."""

    table: pa.Table
    contested: int


def merge_identities(links: pa.Table) -> Merged:
    """Follow links (``alias``, ``person``, optional ``since``) to their end: after a → b and b → c, a and b are c.

    An alias that several persons claim, such as a device that two people share, belongs to the first of them (by
    ``since``, then by name). Raises :class:`Invalid` that names the circle where links lead back to where they began.
    """
    with duckdb.connect(":memory:") as database:
        database.register("given", links)
        moment = "since" if "since" in links.column_names else "NULL::TIMESTAMPTZ"
        database.execute(f"CREATE TEMP TABLE links AS SELECT alias, person, {moment} AS since FROM given")  # noqa: S608 - names and paths of ours, quoted
        return follow(database, "links")


def follow(database: duckdb.DuckDBPyConnection, links: str) -> Merged:
    """Do the work of :func:`merge_identities` over a table of a database that may spill to disk."""
    database.execute(
        "CREATE OR REPLACE TEMP TABLE first_links AS SELECT alias, "  # noqa: S608 - names and paths of ours, quoted
        "arg_min(person, (coalesce(since, 'infinity'), person)) AS person, count(DISTINCT person) > 1 AS contested "
        f"FROM {links} WHERE alias IS NOT NULL AND person IS NOT NULL AND alias <> person GROUP BY alias"
    )
    database.execute("CREATE OR REPLACE TEMP TABLE ends AS SELECT alias, person FROM first_links")
    (count, contested) = database.execute(
        "SELECT count(*), count(*) FILTER (contested) FROM first_links"
    ).fetchall()[0]
    # Each round doubles the length of what was followed, so a chain without a circle ends within log2(links) rounds.
    for _ in range(int(count).bit_length() + 1):
        if not _unfinished(database):
            break
        database.execute(
            "CREATE OR REPLACE TEMP TABLE ends AS SELECT e.alias, coalesce(further.person, e.person) AS person "
            "FROM ends AS e LEFT JOIN ends AS further ON further.alias = e.person"
        )
    if _unfinished(database):
        raise _circle(database)
    found = database.sql("SELECT alias, person FROM ends ORDER BY alias").to_arrow_table()
    return Merged(found.cast(IDENTITIES), int(contested))


def _unfinished(database: duckdb.DuckDBPyConnection) -> bool:
    return bool(
        database.execute(
            "SELECT 1 FROM ends SEMI JOIN first_links AS f ON f.alias = ends.person LIMIT 1"
        ).fetchall()
    )


def _circle(database: duckdb.DuckDBPyConnection) -> Invalid:
    """Say which names make the circle: the end of an unfinished alias stands in one."""
    (start,) = database.execute(
        "SELECT min(e.person) FROM ends AS e SEMI JOIN first_links AS f ON f.alias = e.person"
    ).fetchall()[0]
    names = [str(start)]
    while True:
        (further,) = database.execute(
            "SELECT person FROM first_links WHERE alias = ?", [names[-1]]
        ).fetchall()[0]
        if further == names[0]:
            break
        names.append(str(further))
    shown = names if len(names) <= _SHOWN else [*names[: _SHOWN - 1], "…"]
    way = " is merged into ".join(name if name == "…" else f"“{name}”" for name in [*shown, names[0]])
    problem = f"The identities go in a circle: {way}. Nobody stands at its end."
    mend = "Take one of these merges out of the file, then import it again."
    return Invalid(problem, mend=mend, errors=[FieldProblem("identities", problem, mend)])
