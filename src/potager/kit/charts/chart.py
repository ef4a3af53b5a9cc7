"""A picture with everything that belongs to it: sentence, specification, the table behind it, words instead of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from potager.kit.errors import Invalid

Spec = dict[str, Any]
Cell = str | float | int | bool | date | None

PAGE_WIDTH = 640
NARROWEST, WIDEST = 240, 4000
# What stays free around a file's picture.
MARGIN = 16
# Below this width names stand above their bars and fewer things are said.
NARROW = 480

VEGA_LITE_MEDIA_TYPE = "application/vnd.vegalite.v6+json"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table behind a picture; ``unit`` as in :mod:`potager.kit.words`."""

    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows behind a picture, in full and in the order in which the picture reads. Missing is ``None``."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def records(self) -> list[dict[str, Cell]]:
        """Return the rows as dictionaries by column name."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def arrow(self) -> Any:
        """Return the rows as a ``pyarrow.Table``; units are in the fields' metadata."""
        import pyarrow as pa

        fields, arrays = [], []
        for index, column in enumerate(self.columns):
            cells: list[Any] = [row[index] for row in self.rows]
            array = pa.array(cells)
            arrays.append(array)
            fields.append(pa.field(column.name, array.type, metadata={"unit": column.unit}))
        return pa.table(arrays, schema=pa.schema(fields))


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture. ``spec`` is the specification for a page's column, ``at`` the one for a width in pixels.

    ``layout`` draws the picture for a total width: plot, ``width``, ``height`` and the ``padding`` around it that its
    axes and labels need, so that a file is exactly as wide as was asked for and nothing is cut off.
    """

    kind: str
    title: str
    subtitle: str
    table: Table
    alt: str
    layout: Callable[[int], Spec] = field(repr=False, compare=False)
    width: int = PAGE_WIDTH

    @property
    def spec(self) -> Spec:
        """Return the Vega-Lite specification for a page: as wide as its container, no colors, no title."""
        spec = {
            **self.at(self.width),
            "width": "container",
            "autosize": {"type": "fit-x", "contains": "padding"},
        }
        del spec["padding"]
        return spec

    def at(self, width: int) -> Spec:
        """Return the specification laid out for a total width in pixels, without title and colors."""
        if not NARROWEST <= width <= WIDEST:
            raise Invalid(
                f"A picture of {width} pixels cannot be drawn.",
                mend=f"Ask for a width between {NARROWEST} and {WIDEST} pixels.",
            )
        return {
            "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
            "description": self.alt,
            "autosize": {"type": "none"},
            **self.layout(width),
        }

    def altair(self) -> Any:
        """Return the picture as an ``altair`` chart, in the light theme, to go on with in a notebook."""
        import altair

        from potager.kit.charts.render import themed

        return altair.Chart.from_dict(themed(self))

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, Any]:
        """Show the picture in a notebook: interactive where the notebook can, as an image where it cannot."""
        from potager.kit.charts.render import themed, to_svg

        wanted: dict[str, Callable[[], Any]] = {
            VEGA_LITE_MEDIA_TYPE: lambda: themed(self),
            "image/svg+xml": lambda: to_svg(self),
            "text/plain": lambda: self.alt,
        }
        chosen = set(include) if include is not None else set(wanted)
        chosen -= set(exclude or ())
        return {media: made() for media, made in wanted.items() if media in chosen}
