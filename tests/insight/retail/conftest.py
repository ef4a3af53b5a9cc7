"""The real file, read once into a lake of its own by the plan that the demonstration reads it by."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from potager.connectors.files import inspect, read
from potager.demo.loading import apply_tree
from potager.demo.retail.columns import TABLE, plan_for
from potager.ground.lake.duck import DuckDBWarehouse
from potager.ground.lake.lake import Lake
from potager.insight.metrics import actions
from potager.insight.metrics.semantics import SemanticLayer, parse
from tests import prepare
from tests.insight.lakes import own_lake, place_in
from tests.insight.retail.oracle import Oracle
from tests.insight.shop import Shop

SEMANTIC = files("potager.demo").joinpath("retail", "semantic.yml").read_text("utf-8")
TREE = yaml.safe_load(files("potager.demo").joinpath("retail", "tree.yml").read_text("utf-8"))


@pytest.fixture(scope="session")
def real_file() -> Path:
    """The real file, read once for the session."""
    path = prepare.retail_file()
    if path is None:
        pytest.skip("The real retail file is not here; set POTAGER_RETAIL_FILE to its path.")
    return path


@pytest.fixture(scope="session")
def oracle(real_file: Path) -> Oracle:
    """The naive second computation."""
    return Oracle(real_file)


@pytest.fixture(scope="session")
def place(real_file: Path, tmp_path_factory: Any) -> dict[str, str]:
    """Where the lake is that the file was read into."""
    where = place_in(tmp_path_factory.mktemp("retail"))
    lake = Lake(where["catalog_uri"], where["files"])
    with read(real_file, plan_for(inspect(real_file))) as reading:
        lake.overwrite(TABLE, reading.batches, load_id="all")
        assert (reading.rows, reading.rejects.count) == (541_909, 0)
    lake.close()
    return where


@pytest.fixture(scope="session")
def filled(place: dict[str, str]) -> Iterator[Lake]:
    """The lake, filled."""
    lake = Lake(place["catalog_uri"], place["files"])
    yield lake
    lake.close()


@pytest.fixture(scope="session")
def layer(filled: Lake) -> Iterator[SemanticLayer]:
    """The published definitions over DuckDB."""
    warehouse = DuckDBWarehouse(filled)
    yield SemanticLayer([parse(SEMANTIC, "retail.yml")], warehouse, namespace="retail")
    warehouse.close()


@pytest.fixture
def wholesaler(place: dict[str, str], settings: Any, ada: Any) -> Iterator[Shop]:
    """The wholesaler's definitions and tree, published by Ada over the lake that is there."""
    with own_lake(settings, place):
        actions.publish(actor=ada.actor, name="retail.yml", namespace="retail", text=SEMANTIC)
        apply_tree(ada.actor, TREE)
        yield Shop(ada.actor)
