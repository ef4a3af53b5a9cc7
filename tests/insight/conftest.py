"""An empty lake of its own for each test, and the small shop in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from potager.insight.metrics import actions
from tests.insight.lakes import own_lake, place_in
from tests.insight.shop import FIRST, LAST, SHOP, Shop


@pytest.fixture
def lake_folder(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """An empty lake."""
    with own_lake(settings, place_in(tmp_path)):
        yield tmp_path


@pytest.fixture
def shop(lake_folder: Path, ada: Any) -> Shop:
    """Revenue is lines times what a line is worth; published, governed, in a tree."""
    made = Shop(ada.actor)
    made.append(FIRST, LAST)
    actions.publish(actor=made.actor, name="shop.yml", namespace="shop", text=SHOP)
    made.govern("revenue", unit="GBP", level="strategic", direction="up", freshness_days=3)
    actions.set_formula(actor=made.actor, metric=made.metric("revenue"), formula="lines * line_value")
    return made
