"""Every picture Potager shows, as Vega-Lite specifications made here: the same on a page, as a file, in a notebook.

Each function takes plain data and a title, which is a sentence, and returns a :class:`Chart`: the specification, the
table behind it and the words that stand in for it. Nothing heavy is imported before a picture is drawn. The function
``waterfall`` bears the name of its module and is imported from there.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from potager.kit.charts.bars import Bar, Estimate, compared, ranked_bars
    from potager.kit.charts.chart import Chart, Column, Table
    from potager.kit.charts.heat import Cohort, cohort_grid, component_by_segment
    from potager.kit.charts.render import svg_to_png, table_of, themed, to_json, to_png, to_svg
    from potager.kit.charts.series import Happening, Series, Target, time_series
    from potager.kit.charts.shares import Shares, WithinMix, share_bars, within_mix
    from potager.kit.charts.spark import sparkline
    from potager.kit.charts.theme import DARK, LIGHT, Theme, page_configs, register_fonts, theme_named
    from potager.kit.charts.tree import TreeEdge, TreeNode, TreePicture
    from potager.kit.charts.tree_style import page_rules
    from potager.kit.charts.tree_svg import file_tree, page_tree
    from potager.kit.charts.waterfall import End, Movement

__all__ = [
    "DARK",
    "LIGHT",
    "Bar",
    "Chart",
    "Cohort",
    "Column",
    "End",
    "Estimate",
    "Happening",
    "Movement",
    "Series",
    "Shares",
    "Table",
    "Target",
    "Theme",
    "TreeEdge",
    "TreeNode",
    "TreePicture",
    "WithinMix",
    "cohort_grid",
    "compared",
    "component_by_segment",
    "file_tree",
    "page_configs",
    "page_rules",
    "page_tree",
    "ranked_bars",
    "register_fonts",
    "share_bars",
    "sparkline",
    "svg_to_png",
    "table_of",
    "theme_named",
    "themed",
    "time_series",
    "to_json",
    "to_png",
    "to_svg",
    "within_mix",
]

_HOMES: Final = {
    "Bar": "bars",
    "Estimate": "bars",
    "compared": "bars",
    "ranked_bars": "bars",
    "Chart": "chart",
    "Column": "chart",
    "Table": "chart",
    "Cohort": "heat",
    "cohort_grid": "heat",
    "component_by_segment": "heat",
    "svg_to_png": "render",
    "table_of": "render",
    "themed": "render",
    "to_json": "render",
    "to_png": "render",
    "to_svg": "render",
    "Happening": "series",
    "Series": "series",
    "Target": "series",
    "time_series": "series",
    "Shares": "shares",
    "WithinMix": "shares",
    "share_bars": "shares",
    "within_mix": "shares",
    "sparkline": "spark",
    "DARK": "theme",
    "LIGHT": "theme",
    "Theme": "theme",
    "page_configs": "theme",
    "register_fonts": "theme",
    "theme_named": "theme",
    "TreeEdge": "tree",
    "TreeNode": "tree",
    "TreePicture": "tree",
    "page_rules": "tree_style",
    "file_tree": "tree_svg",
    "page_tree": "tree_svg",
    "End": "waterfall",
    "Movement": "waterfall",
}


def __getattr__(name: str) -> object:
    """Return a name of this package, importing its module when it is first asked for."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
