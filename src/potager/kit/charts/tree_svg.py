"""The tree as SVG: inside a page by classes alone, or as a file that brings its own rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from html import escape
from itertools import count
from math import ceil, floor
from typing import Final

from potager.kit.charts.measure import width_of, wrapped_title
from potager.kit.charts.tree import Direction, TreeEdge, TreeNode, TreePicture, alt_of
from potager.kit.charts.tree_card import WIDTH, CardRows, card, rows_for, text
from potager.kit.charts.tree_layout import Box, Layout, lay_out
from potager.kit.charts.tree_style import HEAD, SMALL, FileTheme, file_style

_MARGIN: Final = 24.0
_GAP: Final = 76.0
_ROUND: Final = 8.0
_LINE: Final = 15.0
Point = tuple[float, float]


def page_tree(
    picture: TreePicture,
    *,
    direction: Direction = "right",
    collapsed: Set[str] = frozenset(),
    foldable: bool = True,
    unfold_url: str = "",
) -> str:
    """Return the tree for a page: ``<svg class="tree-picture">`` with classes and data attributes, no style in it.

    Nodes are ``g.node[data-node][data-parent]`` with a link; edges carry ``data-edge`` (the child they belong to) and
    ``data-from``. ``foldable`` adds toggles (``data-toggle``, ``aria-expanded``) for the page's script. Nodes under
    ``collapsed`` are left out and counted at their parent, which links to ``unfold_url`` with ``{id}`` filled in.
    """
    drawing = _Drawing(picture, direction, collapsed, foldable=foldable, unfold_url=unfold_url)
    return drawing.svg(f'class="tree-picture {direction}" role="group"', "")


def file_tree(
    picture: TreePicture,
    *,
    theme: FileTheme = "light",
    direction: Direction = "right",
    collapsed: Set[str] = frozenset(),
) -> str:
    """Return the tree as an SVG document on its own paper, with title, rules and size: to print or hang up."""
    drawing = _Drawing(picture, direction, collapsed, foldable=False, unfold_url="")
    return drawing.svg('class="tree-picture" role="img"', f"<style>{file_style(theme)}</style>")


class _Drawing:
    """One picture, laid out."""

    def __init__(
        self,
        picture: TreePicture,
        direction: Direction,
        collapsed: Set[str],
        *,
        foldable: bool,
        unfold_url: str,
    ) -> None:
        self.picture = picture
        self.down = direction == "down"
        self.foldable = foldable
        self.unfold_url = unfold_url
        self.rows: CardRows = rows_for(picture.nodes)
        labels = [line for edge in picture.edges if edge.kind == "influence" for line in edge.said]
        widest = max((width_of(line, SMALL) for line in labels), default=0.0)
        # The words of an influence need the room between two levels.
        gap = _GAP if not labels else max(_GAP, 96.0 if self.down else min(widest, 170.0) + 72)
        self.layout: Layout = lay_out(
            picture, card=(WIDTH, self.rows.height), level_gap=gap, direction=direction, collapsed=collapsed,
            sibling_gap=22.0 if self.down else 18.0,
        )  # fmt: skip
        self.gap = gap
        self.taken: list[Box] = list(self.layout.boxes.values())

    def svg(self, attributes: str, style: str) -> str:
        """Return the document; ``style`` makes it one that stands on its own."""
        parts = [*self._edges(), *self._nodes(), *self._operators(), *self._labels()]
        left, top, right, bottom = self._bounds()
        head = ""
        if style:
            head, room = self._head(left, top, right - left)
            top -= room
        width, height = right - left, bottom - top
        size = f' width="{width:.0f}" height="{height:.0f}"' if style else ""
        paper = (
            f'<rect class="paper" x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}"/>'
            if style
            else ""
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {attributes} viewBox="{left:.0f} {top:.0f} {width:.0f} '
            f'{height:.0f}"{size} aria-label="{escape(alt_of(self.picture))}">'
            f"{style}{paper}{head}{''.join(parts)}</svg>"
        )

    def _head(self, left: float, top: float, width: float) -> tuple[str, float]:
        """Return title and subtitle above the tree, and the room they take."""
        lines = wrapped_title(self.picture.title, width - 2 * _MARGIN, HEAD) if self.picture.title else ()
        room = len(lines) * 28.0 + (22.0 if self.picture.subtitle else 0.0) + (6.0 if lines else 0.0)
        at, said = top - room + _MARGIN, []
        for line in lines:
            said.append(text(line, left + _MARGIN, at + 20, "head", size=HEAD))
            at += 28
        if self.picture.subtitle:
            said.append(text(self.picture.subtitle, left + _MARGIN, at + 12, "small", size=SMALL))
        return "".join(said), room

    def _bounds(self) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of everything drawn, with a margin."""
        right = max(box.right for box in self.taken)
        bottom = max(box.bottom for box in self.taken)
        folds = 20.0 if self.layout.folded or self.foldable else 0.0
        return (
            floor(min(0.0, *(box.x for box in self.taken)) - _MARGIN),
            floor(min(0.0, *(box.y for box in self.taken)) - _MARGIN),
            ceil(right + _MARGIN + (0 if self.down else folds)),
            ceil(bottom + _MARGIN + (folds if self.down else 0)),
        )

    # -- cards -------------------------------------------------------------------------------------------------------

    def _nodes(self) -> Iterator[str]:
        parents = set(self.layout.parents.values())
        for node in self._reading_order():
            box = self.layout.boxes[node.id]
            main = self.layout.parents.get(node.id)
            parent = f' data-parent="{escape(main)}"' if main else ""
            level = f" level-{escape(node.level)}" if node.level.isalpha() else ""
            fold = self._fold(node.id, node.title, node.id in parents)
            yield (
                f'<g class="node{level}" data-node="{escape(node.id)}"{parent} '
                f'transform="translate({box.x:.1f} {box.y:.1f})">{card(node, self.rows)}{fold}</g>'
            )

    def _reading_order(self) -> Iterator[TreeNode]:
        """Yield the visible nodes as they are read: a parent, then all that stands under it."""
        nodes = self.picture.by_id
        below: dict[str, list[str]] = {}
        for child, parent in self.layout.parents.items():
            below.setdefault(parent, []).append(child)
        waiting = [node for node in reversed(list(self.layout.boxes)) if node not in self.layout.parents]
        while waiting:
            node = waiting.pop()
            yield nodes[node]
            waiting += reversed(below.get(node, []))

    def _fold(self, node: str, title: str, has_children: bool) -> str:
        """Return what stands at a card's far side: how many are folded away, or the toggle that folds."""
        x, y = (WIDTH / 2, self.rows.height) if self.down else (WIDTH, self.rows.height / 2)
        hidden = self.layout.folded.get(node, 0)
        if hidden:
            x, y = (x, y + 8) if self.down else (x + 8, y)
            said = f"{hidden} more under {title}"
            badge = (
                f'<circle cx="{x:g}" cy="{y:g}" r="13" fill="none" stroke="currentColor"/>'
                f'<text x="{x:g}" y="{y + 4:g}" text-anchor="middle" font-size="{SMALL}">+{hidden}</text>'
            )
            if self.unfold_url:
                url = escape(self.unfold_url.replace("{id}", node))
                return f'<a class="fold" href="{url}" aria-label="Show {escape(said)}">{badge}</a>'
            return f'<g class="fold" role="img" aria-label="{escape(said)}">{badge}</g>'
        if not (has_children and self.foldable):
            return ""
        return (
            f'<g class="fold-toggle" data-toggle="{escape(node)}" role="button" tabindex="0" aria-expanded="true" '
            f'aria-label="Fold what stands under {escape(title)}"><circle cx="{x:g}" cy="{y:g}" r="8" fill="none" '
            f'stroke="currentColor"/><path class="edge" d="M{x - 3.5:g} {y:g}h7"/></g>'
        )

    # -- edges -------------------------------------------------------------------------------------------------------

    def _visible(self, kind: str) -> list[TreeEdge]:
        boxes, folded = self.layout.boxes, self.layout.folded
        return [
            edge
            for edge in self.picture.edges
            if edge.kind == kind
            and edge.parent in boxes
            and edge.child in boxes
            and (kind == "influence" or edge.parent not in folded)
        ]

    def _edges(self) -> Iterator[str]:
        for edge in self._visible("component"):
            start, end = self._out(edge.parent), self._in(edge.child)
            main = self.layout.parents.get(edge.child) == edge.parent
            path = self._elbow(start, end) if main else self._curve(start, end)
            yield self._path(edge, "edge" if main else "edge shared", path)
        for edge, (start, first, second, end) in self._influences():
            path = f"M{_at(start)}C{_at(first)} {_at(second)} {_at(end)}"
            yield self._path(edge, "edge influence", path) + self._arrow(edge, second, end)

    @staticmethod
    def _path(edge: TreeEdge, kind: str, path: str) -> str:
        return (
            f'<path class="{kind}" data-edge="{escape(edge.child)}" data-from="{escape(edge.parent)}" d="{path}" '
            'fill="none" stroke="currentColor"/>'
        )

    def _out(self, node: str, aside: float = 0.0) -> Point:
        """Return where edges to the parts of a card begin."""
        box = self.layout.boxes[node]
        return (box.center[0] + aside, box.bottom) if self.down else (box.right, box.center[1] + aside)

    def _in(self, node: str, aside: float = 0.0) -> Point:
        """Return where edges from a card's whole arrive."""
        box = self.layout.boxes[node]
        return (box.center[0] + aside, box.y) if self.down else (box.x, box.center[1] + aside)

    def _join(self, start: Point) -> Point:
        """Return where the edges of one parent part."""
        return (start[0], start[1] + self.gap * 0.45) if self.down else (start[0] + self.gap * 0.45, start[1])

    def _elbow(self, start: Point, end: Point) -> str:
        """Return a path of right angles with round corners, by the place where the parent's edges part."""

        def turn(point: Point) -> Point:
            return (point[1], point[0]) if self.down else point

        y1, (x2, y2) = turn(start)[1], turn(end)
        middle = turn(self._join(start))[0]
        aside = y2 - y1
        if abs(aside) < 0.5:
            return f"M{_at(start)}L{_at(end)}"
        bend = min(_ROUND, abs(aside) / 2)
        sign = 1 if aside > 0 else -1
        corners = [
            (middle - bend, y1),
            (middle, y1),
            (middle, y1 + sign * bend),
            (middle, y2 - sign * bend),
            (middle, y2),
            (middle + bend, y2),
        ]
        a, b, c, d, e, f = (_at(turn(corner)) for corner in corners)
        return f"M{_at(start)}L{a}Q{b} {c}L{d}Q{e} {f}L{_at(turn((x2, y2)))}"

    def _curve(self, start: Point, end: Point) -> str:
        """Return a smooth path, for the second parent of a shared child."""
        first, second = self._handles(start, end)
        return f"M{_at(start)}C{_at(first)} {_at(second)} {_at(end)}"

    def _handles(self, start: Point, end: Point) -> tuple[Point, Point]:
        if self.down:
            reach = (end[1] - start[1]) * 0.5
            return (start[0], start[1] + reach), (end[0], end[1] - reach)
        reach = (end[0] - start[0]) * 0.5
        return (start[0] + reach, start[1]), (end[0] - reach, end[1])

    def _influences(self) -> Iterator[tuple[TreeEdge, tuple[Point, Point, Point, Point]]]:
        """Yield every influence with its curve: from what moves to what is moved, beside the edges of components."""
        arriving: Counter[str] = Counter()
        for edge in self._visible("influence"):
            number = arriving[edge.parent]
            arriving[edge.parent] += 1
            span = (WIDTH if self.down else self.rows.height) / 2
            aside = min(span - 10, 26.0 + 14.0 * number)
            deeper = self.layout.depths[edge.child] - self.layout.depths[edge.parent]
            target, source = self.layout.boxes[edge.parent].center, self.layout.boxes[edge.child].center
            after = source[0] > target[0] if self.down else source[1] > target[1]
            side = aside if after else -aside
            if deeper > 0:
                start, end = self._in(edge.child, -side / 2), self._out(edge.parent, side)
                yield edge, (start, *self._handles(start, end), end)
            elif deeper < 0:
                start, end = self._out(edge.child, -side / 2), self._in(edge.parent, side)
                yield edge, (start, *self._handles(start, end), end)
            else:
                start, end = self._out(edge.child, -side / 2), self._out(edge.parent, side)
                bulge = self.gap * 0.62
                over = (0.0, bulge) if self.down else (bulge, 0.0)
                first, second = ((point[0] + over[0], point[1] + over[1]) for point in (start, end))
                yield edge, (start, first, second, end)

    @staticmethod
    def _arrow(edge: TreeEdge, before: Point, end: Point) -> str:
        """Return an arrow's head at the end of a curve."""
        dx, dy = end[0] - before[0], end[1] - before[1]
        length = (dx * dx + dy * dy) ** 0.5 or 1.0
        dx, dy = dx / length * 8, dy / length * 8
        left, right = (
            (end[0] - dx - dy * 0.5, end[1] - dy + dx * 0.5),
            (end[0] - dx + dy * 0.5, end[1] - dy - dx * 0.5),
        )
        path = f"M{_at(end)}L{_at(left)}L{_at(right)}Z"
        return f'<path class="arrow" data-edge="{escape(edge.child)}" d="{path}" fill="currentColor"/>'

    # -- signs and words ---------------------------------------------------------------------------------------------

    def _operators(self) -> Iterator[str]:
        """Yield the signs: one where a parent's edges part if they agree, else one at each child."""
        by_parent: dict[str, list[TreeEdge]] = {}
        for edge in self._visible("component"):
            if edge.operator:
                by_parent.setdefault(edge.parent, []).append(edge)
        for parent, edges in by_parent.items():
            mine = [edge for edge in edges if self.layout.parents.get(edge.child) == parent]
            if len({edge.operator for edge in edges}) == 1 and len(edges) > 1 and mine:
                yield self._operator(edges[0], self._join(self._out(parent)))
                continue
            for edge in edges:
                x, y = self._in(edge.child)
                yield self._operator(edge, (x, y - 15) if self.down else (x - 15, y))

    def _operator(self, edge: TreeEdge, at: Point) -> str:
        self.taken.append(Box(at[0] - 10, at[1] - 10, 20, 20))
        return (
            f'<g class="operator" data-edge="{escape(edge.child)}">'
            f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="9" fill="none" stroke="currentColor"/>'
            f'<text x="{at[0]:.1f}" y="{at[1] + 4.5:.1f}" text-anchor="middle" '
            f'font-size="13">{escape(edge.operator)}</text></g>'
        )

    def _labels(self) -> Iterator[str]:
        """Yield the words of influences, each at a place of its curve where it covers nothing."""
        for edge, curve in self._influences():
            if not edge.said:
                continue
            width = max(width_of(line, SMALL) for line in edge.said) + 6
            height = _LINE * len(edge.said)
            places = [_on(curve, share) for share in (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.15, 0.85)]
            boxes = [Box(x - width / 2, y - height / 2, width, height) for x, y in places]
            clear = next(
                (box for box in boxes if not any(box.touches(other, 2) for other in self.taken)), boxes[0]
            )
            self.taken.append(clear)
            x, y = clear.center[0], clear.y + 11.5
            lines = "".join(
                f'<text class="lag" x="{x:.1f}" y="{y + _LINE * number:.1f}" text-anchor="middle" '
                f'font-size="{SMALL}">{escape(line)}</text>'
                for number, line in zip(count(), edge.said, strict=False)
            )
            ground = (
                f'<rect class="lag-ground" x="{clear.x:.1f}" y="{clear.y:.1f}" width="{width:.1f}" '
                f'height="{height:.1f}" fill="none"/>'
            )
            yield f'<g data-edge="{escape(edge.child)}">{ground}{lines}</g>'


def _at(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def _on(curve: Sequence[Point], share: float) -> Point:
    """Return a point on a cubic Bézier curve."""
    a, b, c, d = ((1 - share) ** 3, 3 * share * (1 - share) ** 2, 3 * share**2 * (1 - share), share**3)
    x, y = (
        a * curve[0][axis] + b * curve[1][axis] + c * curve[2][axis] + d * curve[3][axis] for axis in (0, 1)
    )
    return x, y
