"""The rules of the tree's picture: with custom properties for the page, with colors for a file."""

from __future__ import annotations

import re
from typing import Final, Literal

from potager.kit.charts.theme import DARK, FILE_SANS, FILE_SERIF, LIGHT, Theme

FileTheme = Literal["light", "dark", "auto"]

TITLE, VALUE, SMALL, HEAD = 13, 19, 12, 22

RULES: Final = f"""
.tree-picture text {{ font-family: var(--sans); font-size: {TITLE}px; fill: var(--ink); }}
.tree-picture .name {{ font-weight: 600; }}
.tree-picture .small {{ font-size: {SMALL}px; fill: var(--muted); }}
.tree-picture .value {{ font-size: {VALUE}px; font-weight: 600; font-variant-numeric: tabular-nums; }}
.tree-picture .head {{ font-family: var(--serif); font-size: {HEAD}px; font-weight: 600; }}
.tree-picture .node .card {{ fill: var(--card); stroke: var(--line-strong); stroke-width: 1; }}
.tree-picture .node.level-strategic .card {{ stroke: var(--ink); stroke-width: 1.5; }}
.tree-picture .node a:hover .card, .tree-picture .node a:focus-visible .card {{ stroke: var(--leaf); stroke-width: 2; }}
.tree-picture .node a:focus {{ outline: none; }}
.tree-picture .edge {{ fill: none; stroke: var(--edge); stroke-width: 1.25; }}
.tree-picture .edge.influence {{ stroke: var(--slate); stroke-dasharray: 5 4; }}
.tree-picture .arrow {{ fill: var(--slate); }}
.tree-picture .operator circle {{ fill: var(--ground); stroke: var(--edge); stroke-width: 1.25; }}
.tree-picture .operator text {{ font-weight: 600; text-anchor: middle; }}
.tree-picture .lag {{ font-size: {SMALL}px; fill: var(--slate); text-anchor: middle; }}
.tree-picture .lag-ground {{ fill: var(--ground); }}
.tree-picture .change {{ color: var(--muted); }}
.tree-picture .change.welcome {{ color: var(--leaf); }}
.tree-picture .change.unwelcome {{ color: var(--brick); }}
.tree-picture .change text {{ font-size: {SMALL}px; fill: currentColor; }}
.tree-picture .verdict-yes {{ color: var(--leaf); }}
.tree-picture .verdict-at-risk {{ color: var(--ochre); }}
.tree-picture .verdict-no {{ color: var(--brick); }}
.tree-picture .verdict-cannot-tell {{ color: var(--slate); }}
.tree-picture .verdict text {{ font-size: {SMALL}px; font-weight: 600; fill: currentColor; }}
.tree-picture .spark {{ color: var(--muted); }}
.tree-picture .spark .end {{ fill: var(--ink); }}
.tree-picture .spark .end.partial {{ fill: var(--card); stroke: var(--muted); }}
.tree-picture .fold circle, .tree-picture .fold-toggle circle {{ fill: var(--card); stroke: var(--edge); }}
.tree-picture .fold text {{ font-size: {SMALL}px; font-weight: 600; text-anchor: middle; }}
.tree-picture [hidden] {{ display: none; }}
""".strip()


def page_rules() -> str:
    """Return the stylesheet's rules for trees on a page; colors come from the page's custom properties."""
    # On a page trees lie on raised ground and their cards are of paper; on a sheet of paper it is the other way round.
    return f".tree-picture {{ --ground: var(--raised); --card: var(--paper); }}\n{RULES}\n"


def file_style(theme: FileTheme) -> str:
    """Return the rules for a file that stands on its own; ``auto`` follows what the reader's system prefers."""
    if theme == "auto":
        return f"{_filled(LIGHT)}\n@media (prefers-color-scheme: dark) {{\n{_filled(DARK)}\n}}"
    return _filled({"light": LIGHT, "dark": DARK}[theme])


def _filled(theme: Theme) -> str:
    """Return the rules with a theme's colors in place of custom properties, which not every program reads."""
    given = {"sans": FILE_SANS, "serif": FILE_SERIF, "ground": theme.paper, "card": theme.raised}
    paper = f".tree-picture .paper {{ fill: {theme.paper}; }}\n"

    def value(found: re.Match[str]) -> str:
        return given.get(found[1]) or theme.token(found[1])

    return paper + re.sub(r"var\(--([a-z-]+)\)", value, RULES)
