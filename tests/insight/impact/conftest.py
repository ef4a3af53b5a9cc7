"""The small app with a planted effect."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from potager.kit.clock import held
from tests.insight.impact.worlds import App, build_app


@pytest.fixture
def _present() -> Iterator[None]:
    """It is the first week of 2025."""
    with held(datetime(2025, 1, 3, 12, tzinfo=UTC)):
        yield


@pytest.fixture
def app(lake_folder: Any, ada: Any, _present: None) -> App:
    """The app, its metrics and its tree; the treated accounts spend 1.50 more a week."""
    return build_app(ada.actor)
