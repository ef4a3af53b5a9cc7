"""The guard: SQL that people write reads the lake's tables and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from potager.ground.lake import guard
from potager.ground.lake.duck import DuckDBWarehouse
from potager.ground.lake.lake import Lake
from potager.kit.errors import Invalid, NotFound, Problem

ESCAPES = [
    # not one SELECT
    "",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW shop.orders",
    "DROP VIEW shop.orders",
    "CREATE TABLE x AS SELECT 1",
    "INSERT INTO shop.orders SELECT 1",
    "UPDATE shop.orders SET price = 0",
    "DELETE FROM shop.orders",
    "COPY (SELECT 1) TO '/tmp/potager-escape.csv'",
    "COPY shop.orders FROM '/etc/passwd'",
    "EXPORT DATABASE '/tmp/potager-escape'",
    "ATTACH '/etc/passwd' AS x",
    "DETACH lake_1",
    "USE memory",
    "PRAGMA database_list",
    "CALL pragma_version()",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "INSTALL httpfs",
    "LOAD httpfs",
    "CHECKPOINT",
    "VACUUM",
    "BEGIN",
    "EXPLAIN ANALYZE SELECT 1",
    "DESCRIBE shop.orders",
    "SHOW ALL TABLES",
    "SUMMARIZE shop.orders",
    "SELECT * FROM (DESCRIBE shop.orders)",
    "SELECT * FROM (SHOW ALL TABLES)",
    "PIVOT shop.orders ON invoice USING sum(price)",
    "SELECT * INTO x FROM shop.orders",
    "CREATE SECRET (TYPE s3)",
    "PREPARE q AS SELECT 1",
    # files
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    "SELECT * FROM 'lake/shop/orders/data/*.parquet'",
    "FROM '/etc/passwd'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM READ_CSV_AUTO('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_parquet('/etc/passwd')",
    "SELECT * FROM parquet_scan('/etc/passwd')",
    "SELECT * FROM parquet_metadata('/etc/passwd')",
    "SELECT * FROM parquet_schema('/etc/passwd')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM main.read_text('/etc/passwd')",
    "SELECT * FROM system.main.read_text('/etc/passwd')",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "WITH x AS (FROM read_text('/etc/passwd')) SELECT * FROM x",
    "SELECT * FROM shop.orders, LATERAL (SELECT * FROM read_text(invoice))",
    "SELECT * FROM shop.orders WHERE price IN (SELECT size FROM read_blob('/etc/passwd'))",
    "SELECT * FROM shop.orders ORDER BY (SELECT count(*) FROM glob('/etc/*'))",
    "SELECT * FROM shop.orders JOIN read_text('/etc/passwd') t ON true",
    "SELECT * FROM shop.orders UNION ALL SELECT content, 1, 1 FROM read_text('/etc/passwd')",
    "SELECT [x FOR x IN (SELECT list(file) FROM glob('/etc/*'))]",
    "SELECT * FROM shop.orders QUALIFY row_number() OVER (ORDER BY (SELECT 1 FROM read_text('/etc/passwd'))) = 1",
    # SQL inside SQL
    "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
    "SELECT * FROM query_table('/etc/passwd')",
    "SELECT * FROM json_execute_serialized_sql('{}')",
    # the engine's own
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_views()",
    "SELECT * FROM pragma_database_size()",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM pg_class",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM duckdb_logs",
    "SELECT * FROM lake_1.shop.orders",
    "SELECT * FROM memory.main.x",
    "SELECT * FROM temp.x",
    "SELECT current_setting('temp_directory')",
    "SELECT getenv('HOME')",
    "SELECT getvariable('x')",
    "SELECT nextval('s')",
    "SELECT write_log('x')",
    "SELECT sleep_ms(10000)",
    "SELECT pg_sleep(10)",
    "SELECT main.pg_sleep(10)",
    "SELECT Current_Setting('temp_directory')",
    # Python's variables
    "SELECT * FROM arrow_table",
    "SELECT * FROM python_arrow_scan(1, 2, 3)",
    "SELECT * FROM pandas_scan(1)",
    # a name that WITH defines somewhere else
    "SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) y, x",
    'SELECT * FROM (WITH "/etc/passwd" AS (SELECT 1) SELECT 1) y, "/etc/passwd"',
    # comments and quotes that parsers may read differently
    "SELECT 1 /* /* */ */ FROM read_text('/etc/passwd') -- */",
    "SELECT $$x$$, * FROM read_text($$/etc/passwd$$)",
    "SELECT E'\\'' , * FROM read_text('/etc/passwd') --'",
    "SELECT 1 FROM shop.orders;--\nDROP VIEW shop.orders",
    "SELECT (((",
    "SELECT 'never ended",
    "\x00SELECT 1",
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Iterator[DuckDBWarehouse]:
    """A warehouse over one table, shared: nothing here can change it."""
    folder = tmp_path_factory.mktemp("guard")
    lake = Lake(f"sqlite:///{folder / 'c.sqlite3'}", str(folder / "lake"))
    orders = {"invoice": ["A1", "A1", "B7"], "quantity": [2, 1, 10], "price": [2.5, 10.0, 0.25]}
    lake.append("shop.orders", pa.table(orders), load_id="monday")
    found = DuckDBWarehouse(lake, threads=1)
    yield found
    found.close()
    lake.close()


@pytest.mark.parametrize("sql", ESCAPES)
def test_nothing_but_the_lake_can_be_read(shop, sql):
    arrow_table = pa.table({"secret": [1]})
    with pytest.raises((Invalid, NotFound)) as refused:
        shop.query(sql)
    assert refused.value.detail and refused.value.mend
    assert arrow_table.num_rows == 1


@pytest.mark.parametrize("sql", [sql for sql in ESCAPES if "/etc/" in sql and not sql.startswith("COPY")])
def test_the_engine_itself_reads_no_other_file(shop, sql):
    """The second wall: even without the guard, DuckDB opens nothing outside the lake."""
    with shop._session({}) as session:
        try:
            rows = session.connection.execute(sql).fetchall()
        except duckdb.Error:
            return
    assert "root:" not in str(rows)


@pytest.mark.parametrize(
    "sql",
    [
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SET lock_configuration = false",
        "RESET allowed_directories",
        "COPY (SELECT 1) TO '/tmp/potager-escape.csv'",
        "ATTACH '/tmp/potager-escape.duckdb' AS x",
        "INSTALL httpfs",
        "LOAD '/tmp/potager-escape.duckdb_extension'",
        "EXPORT DATABASE '/tmp/potager-escape'",
    ],
)
def test_the_engine_is_locked(shop, sql):
    with shop._session({}) as session, pytest.raises(duckdb.Error):
        session.connection.execute(sql)


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT 1 AS one;", [{"one": 1}]),
        ("FROM shop.orders SELECT count(*) AS n", [{"n": 3}]),
        ("SELECT count(*) AS n FROM Shop.ORDERS", [{"n": 3}]),
        ('SELECT count(*) AS n FROM "shop"."orders" AS o', [{"n": 3}]),
        ("WITH o AS (SELECT * FROM shop.orders) SELECT count(*) AS n FROM o, o AS p", [{"n": 9}]),
        ("WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS x FROM a) SELECT * FROM b", [{"x": 2}]),
        (
            "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 4) SELECT max(i) m FROM r",
            [{"m": 4}],
        ),
        ("SELECT sum(i)::INT AS s FROM range(4) t(i)", [{"s": 6}]),
        (
            "SELECT count(*) AS n FROM generate_series(DATE '2011-12-01', DATE '2011-12-09', INTERVAL 1 DAY)",
            [{"n": 9}],
        ),
        ("SELECT 1 AS n /* /* */ FROM read_text('/etc/passwd') -- */", [{"n": 1}]),
        ("SELECT unnest([1, 2]) AS u", [{"u": 1}, {"u": 2}]),
        ("SELECT u FROM shop.orders, unnest([quantity]) AS t(u) WHERE invoice = 'B7'", [{"u": 10}]),
        ("SELECT max(orders.price) AS m FROM shop.orders WHERE shop.orders.quantity > 1", [{"m": 2.5}]),
        ("SELECT 'DROP TABLE x; read_csv(''y'')' AS text", [{"text": "DROP TABLE x; read_csv('y')"}]),
        (
            "SELECT count(*) AS n FROM shop.orders WHERE invoice IN (SELECT invoice FROM shop.orders)",
            [{"n": 3}],
        ),
        ("SELECT invoice FROM shop.orders UNION SELECT 'C' ORDER BY 1 DESC LIMIT 1", [{"invoice": "C"}]),
        ("SELECT count(*) AS n FROM (SELECT * FROM shop.orders TABLESAMPLE 100%)", [{"n": 3}]),
        ("SELECT count(*) AS n FROM (VALUES (1), (2)) t(i)", [{"n": 2}]),
    ],
)
def test_ordinary_questions_are_answered(shop, sql, rows):
    assert shop.query(sql).table.to_pylist() == rows


def test_what_the_query_reads_is_told():
    checked = guard.check(
        "WITH a AS (SELECT * FROM shop.orders) SELECT * FROM a JOIN crm.people p USING (id);"
    )
    assert {str(name) for name in checked.tables} == {"shop.orders", "crm.people"}
    assert not checked.sql.endswith(";")


def test_parsers_that_disagree_are_not_trusted(monkeypatch):
    tree = json.loads(json.dumps(guard._duckdb_tree("SELECT * FROM shop.orders")))
    monkeypatch.setattr(guard, "_duckdb_tree", lambda sql: tree)
    with pytest.raises(Invalid, match="cannot be told for certain"):
        guard.check("SELECT * FROM shop.customers WHERE 'parsers' = 'differ'")


@pytest.mark.parametrize("sql", ["SELECT '" + "x" * 500_001 + "'", "SELECT " + "(" * 3000 + "1" + ")" * 3000])
def test_monsters_are_refused(sql):
    with pytest.raises(Problem):
        guard.check(sql)
