"""The metric tree as a picture for the wall: what a number is made of, what moves it, and how each part stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from potager.kit import words
from potager.kit.errors import Invalid

Good = Literal["good", "bad", "neutral"]
Verdict = Literal["", "yes", "at_risk", "no", "cannot_tell"]
EdgeKind = Literal["component", "influence"]
Direction = Literal["right", "down"]

VERDICT_WORDS: Mapping[Verdict, str] = {
    "": "", "yes": "yes", "at_risk": "at risk", "no": "no", "cannot_tell": "cannot tell",
}  # fmt: skip
MOST_NODES = 400


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A metric as a card. All numbers are words already (``£1.46m``, ``+37 %``); ``spark`` is its recent line.

    ``direction`` says whether the change is welcome; ``level`` is strategic, driver, input or operational.
    """

    id: str
    title: str
    value: str = ""
    target: str = ""
    change: str = ""
    direction: Good = "neutral"
    verdict: Verdict = ""
    level: str = ""
    url: str = ""
    spark: tuple[float | None, ...] = ()
    spark_partial: bool = False


@dataclass(frozen=True, slots=True)
class TreeEdge:
    """What leads from a child to its parent: a component with its operator, or an influence with what is known of it.

    ``operator`` is ``+``, ``−``, ``×`` or ``÷``; ``lag`` and ``evidence`` are words: ``a month later``, ``experiment``.
    """

    parent: str
    child: str
    kind: EdgeKind = "component"
    operator: str = ""
    lag: str = ""
    evidence: str = ""

    @property
    def said(self) -> tuple[str, ...]:
        """Return what is written at an influence."""
        return tuple(part for part in (self.lag, self.evidence) if part)


@dataclass(frozen=True, slots=True)
class TreePicture:
    """A tree, or several, in the order in which children are to stand; a child may have more than one parent."""

    nodes: tuple[TreeNode, ...]
    edges: tuple[TreeEdge, ...]
    title: str = ""
    subtitle: str = ""

    def __post_init__(self) -> None:
        if not self.nodes:
            raise Invalid("The tree has no metric.", mend="Define a metric first.")
        if len(self.nodes) > MOST_NODES:
            raise Invalid(
                f"A tree of {len(self.nodes)} metrics cannot be read on one picture.",
                mend=f"Show a part of it: at most {MOST_NODES}.",
            )
        counts = Counter(node.id for node in self.nodes)
        for twice in (name for name, times in counts.items() if times > 1):
            raise Invalid(
                f"The metric “{twice}” stands in the tree twice.", mend="Name it once; edges may repeat."
            )
        for node in self.nodes:
            if node.verdict not in get_args(Verdict) or node.direction not in get_args(Good):
                raise Invalid(
                    f"“{node.title}” has a verdict or direction that nobody knows.",
                    mend="Verdicts are yes, at_risk, no, cannot_tell; directions good, bad, neutral.",
                )
        for edge in self.edges:
            for end in (edge.parent, edge.child):
                if end not in counts:
                    raise Invalid(
                        f"An edge leads to “{end}”, which is not in the tree.", mend="Add the metric."
                    )

    @property
    def by_id(self) -> dict[str, TreeNode]:
        """Return the nodes by their identifiers."""
        return {node.id: node for node in self.nodes}


def said_of(node: TreeNode) -> str:
    """Return a card in words: ``Net revenue: £1.46m, target £1.2m, at risk, change +37 % (welcome)``."""
    welcome = {"good": " (welcome)", "bad": " (unwelcome)", "neutral": ""}[node.direction]
    parts = [
        node.value or "value unknown",
        f"target {node.target}" if node.target else "",
        VERDICT_WORDS[node.verdict],
        f"change {node.change}{welcome}" if node.change else "",
        f"{node.level} level" if node.level else "",
    ]
    return f"{node.title}: {', '.join(part for part in parts if part)}"


def alt_of(picture: TreePicture) -> str:
    """Return the tree in words: what each parent is made of and what moves it."""
    titles = {node.id: node.title for node in picture.nodes}
    sentences = []
    for node in picture.nodes:
        parts = [edge for edge in picture.edges if edge.parent == node.id and edge.kind == "component"]
        if parts:
            signs = {edge.operator for edge in parts}
            if signs == {"×"}:
                said = " times ".join(titles[edge.child] for edge in parts)
            elif signs == {"+"}:
                said = " plus ".join(titles[edge.child] for edge in parts)
            else:
                said = ", ".join(f"{edge.operator} {titles[edge.child]}".strip() for edge in parts)
            sentences.append(f"{node.title} is made of {said}.")
        movers = [
            titles[edge.child]
            for edge in picture.edges
            if edge.parent == node.id and edge.kind == "influence"
        ]
        if movers:
            sentences.append(f"{node.title} is influenced by {words.listing(movers)}.")
    head = f"{picture.title}: " if picture.title else ""
    return f"{head}{words.counted(len(picture.nodes), 'metrics')}. {' '.join(sentences)}".strip()
