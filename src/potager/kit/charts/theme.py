"""How pictures look, on light and on dark paper: the tokens of the design and the Vega-Lite configuration made of them.

A specification names *styles* (``actual``, ``ghost``, ``target`` …) and carries no color of its own, so one
specification serves both themes, the page, a file and a notebook: only the configuration differs. The tokens are those
of ``css/tokens.css``; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, Literal

from potager.kit.errors import Invalid, NotFound

if TYPE_CHECKING:
    from pathlib import Path

ThemeName = Literal["light", "dark"]

# Names that end in a digit must be quoted: unquoted they are no CSS, and nothing at all would be written.
SANS: Final = '"Source Sans 3", "Segoe UI", "Noto Sans", "Liberation Sans", Arial, sans-serif'
SERIF: Final = '"Source Serif 4", Charter, Georgia, "Liberation Serif", "DejaVu Serif", serif'
# A file begins with the font that the drawing library brings along: it measures words by the first name it is given,
# and a file must look the same on every machine.
FILE_SANS: Final = '"Liberation Sans", Arial, Helvetica, sans-serif'
FILE_SERIF: Final = '"Liberation Serif", "Times New Roman", Georgia, "Liberation Sans", serif'

TEXT_SIZE: Final = 12
TITLE_SIZE: Final = 16
SUBTITLE_SIZE: Final = 13
TITLE_LINE: Final = 21
SUBTITLE_LINE: Final = 18
TITLE_OFFSET: Final = 16


@dataclass(frozen=True, slots=True)
class Theme:
    """The tokens of one theme: every color a picture may use, as ``#rrggbb``, and its color scales."""

    name: ThemeName
    paper: str
    raised: str
    sunken: str
    ink: str
    muted: str
    faint: str
    line: str
    line_strong: str
    edge: str
    leaf: str
    ochre: str
    brick: str
    slate: str
    leaf_wash: str
    brick_wash: str
    slate_wash: str
    categories: tuple[str, ...]
    ramp: tuple[str, ...]
    diverging: tuple[str, ...]

    def token(self, name: str) -> str:
        """Return the color of a CSS custom property by its name without dashes in front: ``line-strong``."""
        found = getattr(self, name.replace("-", "_"), None)
        if not isinstance(found, str):
            raise NotFound(f"The theme has no color “{name}”.", mend="Use a token of tokens.css.")
        return found


# Ramps end where ink can still be read on them (4.5 to 1), so that numbers stand in their cells in one color.
# The categories are six colors that stay apart (OKLab distance of at least 0.11) under full protanopia, deuteranopia
# and tritanopia as simulated by Machado et al. (2009).
LIGHT: Final = Theme(
    name="light", paper="#faf7f0", raised="#fffdf9", sunken="#f1ece0",
    ink="#211c15", muted="#5b5245", faint="#6f6554", line="#e3dccd", line_strong="#cdc3b0", edge="#8f846f",
    leaf="#2c6a3c", ochre="#83570a", brick="#9c3826", slate="#515e6b",
    leaf_wash="#e6eedd", brick_wash="#f8e4dc", slate_wash="#e6e9ec",
    categories=("#389c6a", "#123c73", "#8a5619", "#a27ebd", "#6e2922", "#356e6e"),
    ramp=("#f1f2e7", "#dbe6d2", "#bcd3b1", "#9bc095", "#7bab79"),
    diverging=("#cb806e", "#e3b7a8", "#f1ece0", "#b7cfb2", "#74a278"),
)  # fmt: skip
DARK: Final = Theme(
    name="dark", paper="#1b1814", raised="#24201b", sunken="#14110e",
    ink="#ece6da", muted="#b8ae9d", faint="#9d9281", line="#37312a", line_strong="#4b4339", edge="#857a68",
    leaf="#93c58a", ochre="#e0b055", brick="#ee9680", slate="#a9b7c4",
    leaf_wash="#24301f", brick_wash="#3a221b", slate_wash="#262b30",
    categories=("#ccebcf", "#99bcf5", "#b86d45", "#855ea1", "#cfb887", "#46a5af"),
    ramp=("#23291e", "#2b3a27", "#355034", "#3f6040", "#496d47"),
    diverging=("#915340", "#633f33", "#37312a", "#42543b", "#4f6e4b"),
)  # fmt: skip
THEMES: Final = {theme.name: theme for theme in (LIGHT, DARK)}


def theme_named(name: str) -> Theme:
    """Return the theme ``light`` or ``dark``; :class:`NotFound` otherwise."""
    for theme in THEMES.values():
        if theme.name == name:
            return theme
    raise NotFound(f"There is no theme “{name}”.", mend="Use light or dark.")


def config(theme: Theme, *, page: bool = False) -> dict[str, Any]:
    """Return the Vega-Lite configuration of a theme.

    ``page`` leaves the background to the page; a file gets paper to stand on.
    """
    small = {"labelFontSize": TEXT_SIZE, "titleFontSize": TEXT_SIZE, "titleFontWeight": 400}
    words = {"labelColor": theme.muted, "titleColor": theme.muted}
    sans, serif = (SANS, SERIF) if page else (FILE_SANS, FILE_SERIF)
    return {
        "background": None if page else theme.paper,
        "padding": 4,
        "font": sans,
        "view": {"stroke": None, "continuousWidth": 640, "continuousHeight": 260},
        "mark": {"color": theme.leaf, "tooltip": None},
        "line": {"strokeWidth": 2, "strokeCap": "round", "strokeJoin": "round"},
        "area": {"fillOpacity": 0.16, "line": False},
        "bar": {"color": theme.leaf},
        "point": {"filled": True, "size": 36, "opacity": 1},
        "rule": {"color": theme.edge},
        "text": {"color": theme.ink, "fontSize": TEXT_SIZE},
        "axis": {
            **words, **small, "domainColor": theme.line_strong, "tickColor": theme.line_strong,
            "gridColor": theme.line, "tickSize": 4, "labelPadding": 6,
        },
        "axisX": {"grid": False},
        "axisY": {"domain": False, "ticks": False},
        "legend": {**words, **small, "symbolType": "square", "orient": "top", "title": None},
        "title": {
            "color": theme.ink, "anchor": "start", "frame": "group", "font": serif, "fontSize": TITLE_SIZE,
            "fontWeight": 600, "lineHeight": TITLE_LINE, "offset": TITLE_OFFSET - 4,
            "subtitleColor": theme.muted, "subtitleFont": sans, "subtitleFontSize": SUBTITLE_SIZE,
            "subtitleLineHeight": SUBTITLE_LINE, "subtitlePadding": 4,
        },
        "header": {**words, "labelFontSize": TEXT_SIZE},
        "range": {
            "category": list(theme.categories), "ramp": list(theme.ramp), "heatmap": list(theme.ramp),
            "diverging": list(theme.diverging),
        },
        "style": _styles(theme),
    }  # fmt: skip


def page_configs() -> dict[str, dict[str, Any]]:
    """Return both configurations as the page's script wants them: what ``chart-theme.json`` holds."""
    return {name: config(theme, page=True) for name, theme in THEMES.items()}


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colors, 1 to 21 (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    """Return the relative luminance of an sRGB color (WCAG 2.2)."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _styles(theme: Theme) -> dict[str, dict[str, Any]]:
    """Return the named styles that specifications use: color by meaning, with a second sign beside the color."""
    return {
        # lines and what belongs to them
        "actual": {"color": theme.leaf, "strokeWidth": 2.25},
        "actual-partial": {"color": theme.leaf, "strokeWidth": 2, "strokeDash": [3, 4]},
        "actual-end": {"color": theme.leaf, "stroke": theme.paper, "strokeWidth": 1.5, "size": 60},
        "partial-end": {"color": theme.paper, "stroke": theme.leaf, "strokeWidth": 1.75, "size": 60},
        "band": {"color": theme.leaf, "fillOpacity": 0.16},
        "ghost": {"color": theme.edge, "strokeWidth": 1.5},
        "forecast": {"color": theme.leaf, "strokeWidth": 2, "strokeDash": [6, 4]},
        "forecast-band": {"color": theme.leaf, "fillOpacity": 0.1},
        "target": {"color": theme.ink, "strokeWidth": 1.25, "strokeDash": [1, 3], "strokeCap": "round"},
        "target-range": {"color": theme.ink, "fillOpacity": 0.07},
        "happened": {"color": theme.edge, "strokeWidth": 1},
        "happened-sign": {"color": theme.ink, "stroke": theme.paper, "strokeWidth": 1, "size": 64},
        "partial-zone": {"color": theme.line_strong, "strokeWidth": 1},
        "hit": {"color": theme.ink, "opacity": 0},
        # bars: filled is good, a ring is bad, a dashed ring is not known; as the verdicts are drawn
        "bar": {"color": theme.leaf},
        "bar-quiet": {"color": theme.edge, "fillOpacity": 0.55},
        "bar-total": {"color": theme.muted},
        "bar-partial": {
            "color": theme.leaf, "fillOpacity": 0.08, "stroke": theme.leaf, "strokeWidth": 1.25, "strokeDash": [3, 3],
        },
        "bar-hatch": {"color": theme.leaf, "strokeWidth": 1, "opacity": 0.75},
        "bar-good": {"color": theme.leaf},
        "bar-bad": {"color": theme.brick_wash, "stroke": theme.brick, "strokeWidth": 1.5},
        "bar-neutral": {"color": theme.slate_wash, "stroke": theme.slate, "strokeWidth": 1.5},
        "bar-unexplained": {
            "color": theme.slate_wash, "stroke": theme.slate, "strokeWidth": 1.5, "strokeDash": [3, 3],
        },
        "link": {"color": theme.edge, "strokeWidth": 1},
        "zero": {"color": theme.edge, "strokeWidth": 1},
        "whisker": {"color": theme.leaf, "strokeWidth": 2},
        "dot": {"color": theme.leaf, "stroke": theme.paper, "strokeWidth": 1, "size": 80},
        "reference": {"color": theme.edge, "strokeWidth": 1, "strokeDash": [4, 3]},
        "hairline": {"color": theme.line, "strokeWidth": 1},
        # words
        "label": {"color": theme.ink},
        "label-strong": {"color": theme.ink, "fontWeight": 600},
        "label-muted": {"color": theme.muted},
        "label-good": {"color": theme.leaf, "fontWeight": 600},
        "label-bad": {"color": theme.brick, "fontWeight": 600},
        "label-unexplained": {"color": theme.slate, "fontWeight": 600},
        "label-actual": {"color": theme.leaf, "fontWeight": 600},
        # words on a category's color: paper or ink, whichever is read better
        **{
            f"on-category-{index}": {"color": max((theme.paper, theme.ink), key=partial(contrast, color))}
            for index, color in enumerate(theme.categories)
        },
        "key": {"stroke": None},
        # cells
        "cell": {"stroke": theme.paper, "strokeWidth": 2},
        "cell-partial": {"filled": False, "color": theme.ink, "strokeWidth": 1, "strokeDash": [2, 2]},
        "cell-total": {"color": theme.sunken, "stroke": theme.paper, "strokeWidth": 2},
    }  # fmt: skip


@cache
def register_fonts(directory: Path) -> tuple[str, ...]:
    """Register the TrueType and OpenType fonts of a directory for PNG and SVG; return the files that count.

    Web fonts (``.woff2``) cannot be read by the drawing library and are not counted: with none registered, text
    is set in the sans the library brings along. A missing directory is :class:`Invalid`.
    """
    if not directory.is_dir():
        raise Invalid(f"There is no folder of fonts at {directory}.", mend="Name a folder that exists.")
    found = tuple(
        sorted(path.name for path in directory.rglob("*") if path.suffix.lower() in {".ttf", ".otf"})
    )
    if found:
        import vl_convert

        vl_convert.register_font_directory(str(directory))
    return found
