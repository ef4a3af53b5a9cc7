"""A lake of a test's own, with nothing remembered of any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from potager.ground.lake import service
from potager.insight.metrics import compiling, reading
from potager.insight.questions import understanding

_REMEMBERED = (compiling._layer, reading._ask, reading._freshness, understanding._values)


@contextmanager
def own_lake(settings: Any, place: dict[str, str]) -> Iterator[None]:
    """Let the installation's lake be the one at ``place`` (``catalog_uri`` and ``files``) inside the block."""
    settings.POTAGER_LAKE = {**settings.POTAGER_LAKE, **place}
    _forget()
    try:
        yield
    finally:
        _forget()
        service.close()


def _forget() -> None:
    for cache in _REMEMBERED:
        cache.cache_clear()


def place_in(folder: Any) -> dict[str, str]:
    """Return the place of a lake inside a folder."""
    return {"catalog_uri": f"sqlite:///{folder / 'catalog.sqlite3'}", "files": str(folder / "lake")}
