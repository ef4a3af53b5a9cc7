"""An empty lake of its own for each test, and the small shop in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from potager.insight.metrics import actions, compiling, reading
from potager.insight.questions import understanding
from tests.insight.shop import FIRST, LAST, SHOP, Shop


@pytest.fixture
def lake_folder(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """An empty lake, and nothing remembered of any other."""
    from potager.ground.lake import service

    settings.POTAGER_LAKE = {
        **settings.POTAGER_LAKE,
        "catalog_uri": f"sqlite:///{tmp_path / 'catalog.sqlite3'}",
        "files": str(tmp_path / "lake"),
    }
    remembered = (compiling._layer, reading._ask, reading._freshness, understanding._values)
    for cache in remembered:
        cache.cache_clear()
    yield tmp_path
    for cache in remembered:
        cache.cache_clear()
    service.close()


@pytest.fixture
def shop(lake_folder: Path, ada: Any) -> Shop:
    """Revenue is lines times what a line is worth; published, governed, in a tree."""
    made = Shop(ada.actor)
    made.append(FIRST, LAST)
    actions.publish(actor=made.actor, name="shop.yml", namespace="shop", text=SHOP)
    made.govern("revenue", unit="GBP", level="strategic", direction="up", freshness_days=3)
    actions.set_formula(actor=made.actor, metric=made.metric("revenue"), formula="lines * line_value")
    return made
