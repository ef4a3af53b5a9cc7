"""The guard: SQL that people write may read the lake's tables and nothing else.

Two parsers must agree. sqlglot reads the query as the rest of Potager does, DuckDB's own parser reads it as it will be
run; a trick that hides something from one does not hide it from the other. The engine itself is locked besides.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from potager.ground.lake.names import TableName, table_name
from potager.kit.errors import Invalid

TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series", "json_each", "json_tree"})
"""Functions that may stand where a table does: they make rows from their arguments alone."""

REFUSED_FUNCTIONS = frozenset(
    {
        # They change something, wait, or show how the process is set up.
        *("nextval", "currval", "setval", "setseed", "write_log", "sleep_ms", "pg_sleep", "txid_current"),
        *(
            "current_setting",
            "getvariable",
            "getenv",
            "current_query",
            "current_query_id",
            "current_connection_id",
        ),
        *("current_transaction_id", "json_execute_serialized_sql", "query", "query_table"),
    }
)
_ROWS = frozenset({"BASE_TABLE", "TABLE_FUNCTION", "SHOW_REF"})
_LONGEST = 500_000


@dataclass(frozen=True, slots=True)
class Checked:
    """A query that may run: one SELECT, and the lake tables that it reads."""

    sql: str
    tables: frozenset[TableName]


@functools.lru_cache(maxsize=1024)
def check(sql: str) -> Checked:
    """Return the query with the tables it reads; Invalid says why it may not run."""
    if len(sql) > _LONGEST:
        raise Invalid(f"A query may have {_LONGEST:,} characters.", mend="Make it shorter.")
    text = sql.strip().rstrip(";").rstrip()
    runs = {*_tables_that_run(text)}
    if runs != {*_tables(parsed(text))}:
        raise _refused("its tables cannot be told for certain", "Write it more plainly.")
    return Checked(text, frozenset(runs))


@functools.lru_cache(maxsize=256)
def parsed(sql: str) -> exp.Query:
    """Return sqlglot's tree of one SELECT (do not change it: it is kept); Invalid when it is anything else."""
    try:
        statements = [found for found in sqlglot.parse(sql, dialect="duckdb") if found is not None]
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        raise Invalid(f"The SQL cannot be read: {_first_line(error)}", mend="Correct it there.") from error
    if len(statements) != 1:
        raise _refused(f"it is {len(statements)} statements", "Ask one question at a time.")
    query = statements[0]
    if not isinstance(query, exp.Query):
        raise _not_a_select()
    return query


def _tables(query: exp.Query) -> Iterator[TableName]:
    """Yield the lake tables in sqlglot's tree; Invalid for whatever else stands where a table does."""
    if query.find(exp.Into):
        raise _refused("it writes INTO a table", "Only SELECT may run: the lake is read here.")
    for node in query.find_all(exp.Table):
        if not isinstance(node.this, exp.Identifier):
            continue  # a function: DuckDB's tree has its name as it will be called
        if node.args.get("catalog"):
            raise _not_ours(node.sql(dialect="duckdb"))
        if node.args.get("db"):
            yield _name(node.args["db"].name, node.name)
        elif not _defined(node):
            raise _not_ours(node.name)


def _defined(node: exp.Table) -> bool:
    """Return whether a WITH around ``node`` defines its name."""
    above = node.parent
    while above is not None:
        ctes = above.args.get("with_") if isinstance(above, exp.Query) else None
        if ctes and any(cte.alias.lower() == node.name.lower() for cte in ctes.expressions):
            return True
        above = above.parent
    return False


def _tables_that_run(sql: str) -> Iterator[TableName]:
    """Yield the lake tables in DuckDB's own tree; Invalid for whatever else it would read or call."""
    tree = _duckdb_tree(sql)
    nodes = [*_walk(tree)]
    defined = {
        entry["key"].lower()
        for node in nodes
        if isinstance(node.get("cte_map"), dict)
        for entry in node["cte_map"]["map"]
    }
    for node in nodes:
        if node.get("class") == "FUNCTION" and node["function_name"].lower() in REFUSED_FUNCTIONS:
            raise _refused(f"it calls {node['function_name']}", "Leave that function out.")
        kind = node.get("type")
        if not isinstance(kind, str) or kind not in _ROWS or "query_location" not in node:
            continue
        if kind == "SHOW_REF":
            raise _refused(
                "it is a DESCRIBE, SHOW or SUMMARIZE", "Look at the tables' page, or SELECT from them."
            )
        if kind == "TABLE_FUNCTION":
            called = node["function"]["function_name"]
            if called.lower() not in TABLE_FUNCTIONS:
                raise _refused(
                    f"it reads from the function {called}", "Read tables of the lake: namespace.table."
                )
        elif node["catalog_name"]:
            raise _not_ours(f"{node['catalog_name']}.{node['schema_name']}.{node['table_name']}")
        elif node["schema_name"]:
            yield _name(node["schema_name"], node["table_name"])
        elif node["table_name"].lower() not in defined:
            raise _not_ours(node["table_name"])


def _duckdb_tree(sql: str) -> Any:
    with _parser(os.getpid()).cursor() as parser:
        row = parser.execute("SELECT json_serialize_sql($1::VARCHAR)", [sql]).fetchone()
    tree = json.loads(row[0]) if row else {"statements": []}
    if tree.get("error") and tree["error_type"] == "not implemented":
        raise _not_a_select()
    if tree.get("error"):
        raise Invalid(f"The SQL cannot be read: {tree['error_message']}", mend="Correct it there.")
    if len(tree["statements"]) != 1:
        raise _refused(f"it is {len(tree['statements'])} statements", "Ask one question at a time.")
    return tree["statements"][0]


@functools.cache
def _parser(process: int) -> duckdb.DuckDBPyConnection:
    """Return DuckDB as a parser, one for each process: a connection does not survive a fork."""
    return duckdb.connect(":memory:", config={"python_enable_replacements": "false"})


def _walk(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _name(namespace: str, table: str) -> TableName:
    try:
        return table_name(f"{namespace.lower()}.{table.lower()}")
    except Invalid as error:
        raise _not_ours(f"{namespace}.{table}") from error


def _not_a_select() -> Invalid:
    return _refused("it is not a SELECT", "Only SELECT, or WITH … SELECT, may run: the lake is read here.")


def _not_ours(said: str) -> Invalid:
    return _refused(
        f"'{said}' is not a table of the lake",
        "Name tables as namespace.table; files and the engine's own are closed.",
    )


def _refused(because: str, mend: str) -> Invalid:
    return Invalid(f"This query may not run: {because}.", mend=mend)


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
