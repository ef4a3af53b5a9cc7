"""Reading SQL before it is run: one statement that reads, and only from the lake.

Whoever may write a metric's SQL may read every table of the lake, and nothing else of this machine. This is the
first wall; the engine's own settings are the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp

from potager.kit.errors import FieldProblem, Invalid

TABLE_FUNCTIONS = {"generate_series", "range", "unnest"}
REFUSED_FUNCTIONS = (
    "read_",
    "parquet_",
    "glob",
    "getenv",
    "sniff_",
    "duckdb_",
    "pragma_",
    "query",
    "sqlite_",
    "iceberg_",
)
LONGEST = 400_000


@dataclass(frozen=True)
class Read:
    """A query that may run: its tree, and the tables it reads."""

    tree: exp.Query
    tables: tuple[str, ...]

    def over(self, names: Mapping[str, str], dialect: str) -> str:
        """Return the SQL with each table called by what ``names`` says, in the dialect of an engine."""
        tree = self.tree.copy()
        for table in list(tree.find_all(exp.Table)):
            if table.db:
                name = f"{table.db}.{table.name}"
                alias = table.alias or table.name
                table.replace(exp.to_table(f'"{names[name]}"', dialect="duckdb").as_(alias, quoted=True))
        return tree.sql(dialect=dialect)


def _refuse(problem: str) -> Invalid:
    mend = "Write one SELECT over tables of the lake, named as namespace.table."
    return Invalid(problem, mend=mend, errors=[FieldProblem("sql", problem, mend)])


@lru_cache(maxsize=512)
def read(sql: str) -> Read:
    """Return what a query reads, or refuse it with a sentence."""
    if len(sql) > LONGEST:
        raise _refuse(f"The query is longer than {LONGEST:,} characters.")
    try:
        statements = [found for found in sqlglot.parse(sql, dialect="duckdb") if found is not None]
    except sqlglot.errors.SqlglotError as error:
        reason = str(error).partition("\n")[0]
        raise _refuse(f"The query cannot be read: {reason}") from error
    except RecursionError:
        raise _refuse("The query is nested too deeply.") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise _refuse("Only one statement that reads can be run.")
    tree = statements[0]
    for node in tree.walk():
        if isinstance(node, (exp.DDL, exp.DML, exp.Command, exp.Into, exp.Parameter, exp.Placeholder)):
            if isinstance(node, exp.Query):
                continue
            raise _refuse(f"The query holds {node.key.upper()}, which does not read.")
        if isinstance(node, exp.Func):
            name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
            if name.startswith(REFUSED_FUNCTIONS):
                raise _refuse(f"The function {name} reaches outside the lake.")
    return Read(tree, tuple(sorted(_tables(tree))))


def _tables(tree: exp.Query) -> set[str]:
    named = {cte.alias for cte in tree.find_all(exp.CTE)}
    found = set()
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Func):
            name = (
                table.this.name if isinstance(table.this, exp.Anonymous) else table.this.sql_name()
            ).lower()
            if name not in TABLE_FUNCTIONS:
                raise _refuse(f"The table function {name} reaches outside the lake.")
        elif table.catalog:
            raise _refuse(f"The table {table.sql(dialect='duckdb')} is outside the lake.")
        elif table.db:
            found.add(f"{table.db}.{table.name}")
        elif table.name not in named:
            raise _refuse(f"There is no table {table.name}: a table is named with its namespace.")
    return found
