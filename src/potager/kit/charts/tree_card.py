"""A metric's card in the tree: name, value, recent line, change, verdict and target, each in its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from potager.kit.charts.measure import ellipsed, width_of, wrapped
from potager.kit.charts.spark import body
from potager.kit.charts.tree import VERDICT_WORDS, TreeNode, Verdict, said_of
from potager.kit.charts.tree_style import SMALL, TITLE, VALUE

WIDTH: Final = 220.0
_INSET: Final = 14.0
_SPARK: Final = (76.0, 28.0)
_NAME_LINE: Final = 17.0
_RING: Final = '<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2"{0}/>'
# As the design draws them everywhere: filled disc, half disc, ring, dashed ring.
_SHAPES: Final[dict[Verdict, str]] = {
    "yes": '<circle cx="8" cy="8" r="7" fill="currentColor"/>',
    "at_risk": _RING.format("") + '<path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor"/>',
    "no": _RING.format(""),
    "cannot_tell": _RING.format(' stroke-dasharray="3.2 1.512"'),
}


@dataclass(frozen=True, slots=True)
class CardRows:
    """Which rows the cards of a tree have: the same for all, so that they can be compared along a line."""

    level: bool
    name_lines: int
    value: bool
    change: bool
    standing: bool

    @property
    def height(self) -> float:
        """Return a card's height."""
        return (
            2 * 11.0
            + (15.0 if self.level else 0)
            + _NAME_LINE * self.name_lines
            + (32.0 if self.value else 0)
            + (18.0 if self.change else 0)
            + (20.0 if self.standing else 0)
        )


def rows_for(nodes: Sequence[TreeNode]) -> CardRows:
    """Return the rows that these nodes need."""
    return CardRows(
        level=any(node.level for node in nodes),
        name_lines=max(len(_name(node)) for node in nodes),
        value=any(node.value or node.spark for node in nodes),
        change=any(node.change for node in nodes),
        standing=any(node.verdict or node.target for node in nodes),
    )


def card(node: TreeNode, rows: CardRows) -> str:
    """Return a card's drawing with its upper left corner at 0, 0; a link where the node has an address."""
    said = escape(said_of(node))
    inside = (
        f'<title>{said}</title><rect class="card" width="{WIDTH:g}" height="{rows.height:g}" rx="4" fill="none" '
        f'stroke="currentColor"/>{"".join(_rows(node, rows))}'
    )
    if node.url:
        return f'<a href="{escape(node.url)}" aria-label="{said}">{inside}</a>'
    return f'<g role="img" aria-label="{said}">{inside}</g>'


def text(words: str, x: float, y: float, kind: str = "", *, size: float = TITLE) -> str:
    """Return a line of text; ``size`` is what it has where no stylesheet knows better."""
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" font-size="{size:g}">{escape(words)}</text>'


def _name(node: TreeNode) -> tuple[str, ...]:
    return wrapped(node.title, WIDTH - 2 * _INSET, TITLE, bold=True, lines=2)


def _rows(node: TreeNode, rows: CardRows) -> list[str]:
    """Return the rows from top to bottom."""
    at, parts = 11.0, []
    room = WIDTH - 2 * _INSET
    if rows.level:
        if node.level:
            parts.append(text(node.level, _INSET, at + 11, "small", size=SMALL))
        at += 15
    for line in _name(node):
        parts.append(text(line, _INSET, at + 13, "name"))
        at += _NAME_LINE
    at += _NAME_LINE * (rows.name_lines - len(_name(node)))
    if rows.value:
        beside = _SPARK[0] + 10 if node.spark else 0
        value = ellipsed(node.value or "unknown", room - beside, VALUE, bold=True)
        kind, size = ("value", VALUE) if node.value else ("small", SMALL)
        parts.append(text(value, _INSET, at + 24, kind, size=size))
        if node.spark:
            line = body(node.spark, partial=node.spark_partial, width=_SPARK[0], height=_SPARK[1])
            left = WIDTH - _INSET - _SPARK[0] + 4
            parts.append(f'<g class="spark" transform="translate({left:.1f} {at + 3:.1f})">{line}</g>')
        at += 32
    if rows.change:
        if node.change:
            parts.append(_change(node, at))
        at += 18
    if rows.standing:
        parts.append(_standing(node, at, room))
    return parts


def _change(node: TreeNode, at: float) -> str:
    """Return the change: a filled triangle where it is welcome, an open one where it is not, none where neither."""
    kind = {"good": "change welcome", "bad": "change unwelcome", "neutral": "change"}[node.direction]
    x, sign = _INSET, ""
    if node.direction != "neutral":
        down = node.change.lstrip().startswith(("−", "-", "down"))
        shape = "M.8 2.2h8.400L5 9z" if down else "M.8 8.800h8.400L5 2z"
        fill = "currentColor" if node.direction == "good" else "none"
        sign = (
            f'<path d="{shape}" transform="translate({x:g} {at + 2.5:.1f})" fill="{fill}" stroke="currentColor" '
            'stroke-width="1.5" stroke-linejoin="round"/>'
        )
        x += 15
    said = ellipsed(node.change, WIDTH - _INSET - x, SMALL)
    return f'<g class="{kind}">{sign}{text(said, x, at + 12, size=SMALL)}</g>'


def _standing(node: TreeNode, at: float, room: float) -> str:
    """Return the verdict as shape and word, and the target beside it."""
    x, parts = _INSET, ""
    if node.verdict:
        word = VERDICT_WORDS[node.verdict]
        shape = f'<g transform="translate({x:g} {at + 3:.1f}) scale(.75)">{_SHAPES[node.verdict]}</g>'
        kind = node.verdict.replace("_", "-")
        parts = f'<g class="verdict verdict-{kind}">{shape}{text(word, x + 17, at + 13, size=SMALL)}</g>'
        x += 17 + width_of(word, SMALL, bold=True) + 8
    if node.target:
        said = ellipsed(f"target {node.target}", room + _INSET - x, SMALL)
        parts += text(said, x, at + 13, "small", size=SMALL)
    return parts
