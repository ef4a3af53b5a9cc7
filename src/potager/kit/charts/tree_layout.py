"""Where the cards of a tree stand: a tidy tree over a graph whose children may be shared.

Every node stands one level beyond its farthest parent, so that the edge to that parent spans exactly one level; those
edges form a tree, which is laid out after Reingold and Tilford (1981): subtrees as close as their contours allow,
parents over the middle of their children. The other edges of shared children are drawn over it. The picture is made
with depth running to the right and turned for one that runs down.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from potager.kit.charts.tree import Direction, TreePicture
from potager.kit.errors import Invalid


@dataclass(frozen=True, slots=True)
class Box:
    """A card's place: left and top, width and height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Return the right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Return the lower side."""
        return self.y + self.height

    @property
    def center(self) -> tuple[float, float]:
        """Return the middle."""
        return self.x + self.width / 2, self.y + self.height / 2

    def touches(self, other: Box, gap: float = 0.0) -> bool:
        """Return whether two boxes come nearer than ``gap``."""
        return (
            self.x < other.right + gap
            and other.x < self.right + gap
            and self.y < other.bottom + gap
            and other.y < self.bottom + gap
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of all visible cards, their main parents, and how many stand folded under a card."""

    boxes: Mapping[str, Box]
    parents: Mapping[str, str]
    depths: Mapping[str, int]
    folded: Mapping[str, int]
    width: float
    height: float


@dataclass(slots=True)
class _Branch:
    """A laid out subtree: how far each node is from its root across, and its outline by level below the root."""

    across: dict[str, float]
    outline: list[tuple[float, float]] = field(default_factory=list)


def lay_out(
    picture: TreePicture,
    *,
    card: tuple[float, float],
    level_gap: float = 72.0,
    sibling_gap: float = 18.0,
    direction: Direction = "right",
    collapsed: Set[str] = frozenset(),
) -> Layout:
    """Return where every card stands that is not folded away under one of ``collapsed``.

    ``card`` is width and height of a card in pixels. A node under a folded one stays where another parent that is
    not folded leads to it. Raises :class:`Invalid` for a circle of components.
    """
    above = _parents(picture)
    visible = _visible(picture, above, collapsed)
    folded = _folded(above, visible, collapsed)
    above = {node: [up for up in above[node] if up in visible and up not in collapsed] for node in visible}
    depths = _depths(above, visible)
    main = {}
    for node in visible:
        nearest = [parent for parent in above[node] if depths.get(parent) == depths[node] - 1]
        if nearest:
            main[node] = nearest[0]
    children: dict[str, list[str]] = {node: [] for node in visible}
    for node in visible:
        if node in main:
            children[main[node]].append(node)
    wide, tall = card
    size = tall if direction == "right" else wide
    roots = [node for node in visible if node not in main]
    branches: dict[str, _Branch] = {}
    for node in sorted(visible, key=lambda node: -depths[node]):
        branches[node] = _branch(
            node, [(child, branches.pop(child)) for child in children[node]], size, sibling_gap
        )
    forest = _joined([branches[root] for root in roots], sibling_gap * 2)
    across = {node: place for branch in forest for node, place in branch.across.items()}
    first = min(across.values())
    step = (wide if direction == "right" else tall) + level_gap
    boxes = {}
    for node in visible:
        along, aside = depths[node] * step, across[node] - first
        boxes[node] = Box(*((along, aside) if direction == "right" else (aside, along)), wide, tall)
    return Layout(
        boxes=boxes,
        parents=main,
        depths=depths,
        folded=folded,
        width=max(box.right for box in boxes.values()),
        height=max(box.bottom for box in boxes.values()),
    )


def _parents(picture: TreePicture) -> dict[str, list[str]]:
    """Return the parents by which nodes are placed: components, and what a node influences where it is part of none."""
    above: dict[str, list[str]] = {node.id: [] for node in picture.nodes}
    for edge in picture.edges:
        if edge.kind == "component" and edge.parent not in above[edge.child]:
            above[edge.child].append(edge.parent)
    _refuse_circles(picture, above)
    for edge in picture.edges:
        parts = any(other.kind == "component" and other.child == edge.child for other in picture.edges)
        if edge.kind == "influence" and not parts and edge.parent not in above[edge.child]:
            if edge.child in _ancestors(edge.parent, above):
                continue
            above[edge.child].append(edge.parent)
    return above


def _ancestors(node: str, above: Mapping[str, list[str]]) -> set[str]:
    """Return a node and everything above it."""
    found, waiting = {node}, [node]
    while waiting:
        for parent in above[waiting.pop()]:
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def _refuse_circles(picture: TreePicture, above: Mapping[str, list[str]]) -> None:
    """Raise where a metric is, over any number of steps, a component of itself."""
    titles = {node.id: node.title for node in picture.nodes}
    done: set[str] = set()
    for start in above:
        path: list[str] = []
        waiting: list[tuple[str, bool]] = [(start, True)]
        while waiting:
            node, enters = waiting.pop()
            if not enters:
                path.pop()
                done.add(node)
            elif node in path:
                raise Invalid(
                    f"The tree runs in a circle: “{titles[node]}” is a component of itself.",
                    mend="Remove one of the edges between "
                    + " and ".join(f"“{titles[each]}”" for each in path[path.index(node) :][:3])
                    + ".",
                )
            elif node not in done:
                path.append(node)
                waiting.append((node, False))
                waiting += [(parent, True) for parent in above[node]]


def _visible(picture: TreePicture, above: Mapping[str, list[str]], collapsed: Set[str]) -> list[str]:
    """Return the nodes that can be reached from a root without passing a folded one, in the order given."""
    below: dict[str, list[str]] = {node: [] for node in above}
    for node, parents in above.items():
        for parent in parents:
            below[parent].append(node)
    seen = {node for node, parents in above.items() if not parents}
    waiting = list(seen)
    while waiting:
        node = waiting.pop()
        if node in collapsed:
            continue
        for child in below[node]:
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    return [node.id for node in picture.nodes if node.id in seen]


def _depths(above: Mapping[str, list[str]], visible: list[str]) -> dict[str, int]:
    """Return every visible node's level: one beyond its farthest visible parent."""
    depths: dict[str, int] = {}
    waiting = list(visible)
    while waiting:
        node = waiting[-1]
        missing = [parent for parent in above[node] if parent not in depths]
        if missing:
            waiting += missing
            continue
        waiting.pop()
        depths[node] = max((depths[parent] + 1 for parent in above[node]), default=0)
    return depths


def _folded(above: Mapping[str, list[str]], visible: list[str], collapsed: Set[str]) -> dict[str, int]:
    """Return how many nodes each folded card hides."""
    inside = set(visible)
    hidden = {node: _ancestors(node, above) for node in above if node not in inside}
    counts = {node: sum(node in ups for ups in hidden.values()) for node in visible if node in collapsed}
    return {node: count for node, count in counts.items() if count}


def _branch(node: str, below: list[tuple[str, _Branch]], size: float, gap: float) -> _Branch:
    """Return a subtree with its root at the middle between its first and its last child."""
    branch = _Branch({node: 0.0}, [(0.0, size)])
    if not below:
        return branch
    parts = _joined([part for _, part in below], gap)
    middle = (parts[0].across[below[0][0]] + parts[-1].across[below[-1][0]]) / 2
    for part in parts:
        branch.across |= {name: place - middle for name, place in part.across.items()}
    for level in range(max(len(part.outline) for part in parts)):
        there = [part.outline[level] for part in parts if level < len(part.outline)]
        branch.outline.append(
            (min(low for low, _ in there) - middle, max(high for _, high in there) - middle)
        )
    return branch


def _joined(parts: list[_Branch], gap: float) -> list[_Branch]:
    """Return subtrees moved beside each other, each as near to those before it as the outlines allow.

    Cousins stand a little farther apart than siblings, so that families can be seen.
    """
    outline: list[float] = []
    placed = []
    for part in parts:
        shift = 0.0
        if outline:
            shift = max(
                end + (gap if level == 0 else gap * 1.6) - part.outline[level][0]
                for level, end in enumerate(outline[: len(part.outline)])
            )
        moved = _Branch(
            {name: place + shift for name, place in part.across.items()},
            [(low + shift, high + shift) for low, high in part.outline],
        )
        for level, (_, high) in enumerate(moved.outline):
            if level < len(outline):
                outline[level] = max(outline[level], high)
            else:
                outline.append(high)
        placed.append(moved)
    return placed
