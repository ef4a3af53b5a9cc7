"""The kinds of question that can be answered: every context may register its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from potager.insight.questions.recipes.draft import Asked, Draft
from potager.kit.errors import FieldProblem, Invalid

if TYPE_CHECKING:
    from potager.ground.access.actors import Actor
    from potager.insight.questions.models import Answer
    from potager.insight.questions.understanding import Understood
    from potager.kit.charts.chart import Chart


@dataclass(frozen=True)
class Kind:
    """One kind of question.

    ``answer`` makes a draft of typed slots and writes nothing. ``read`` finds the slots in plain words, and returns
    None where the words are not of this kind. ``pictures`` draw an answer, the telling one first; an answer names
    those it has in ``figures["pictures"]``, or has all. ``variables`` are what a rule may set thresholds on.
    """

    name: str
    title: str
    answer: Callable[[Asked], Draft]
    about: str = ""
    read: Callable[[Actor, str, date], Understood | None] | None = None
    pictures: Mapping[str, Callable[[Answer], Chart]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


_KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Enter a kind of question; contexts do so in their ``recipes`` module, which is loaded at start."""
    _KINDS[kind.name] = kind


def kinds() -> list[Kind]:
    """Return all kinds, in the order they were registered."""
    return list(_KINDS.values())


def kind(name: str) -> Kind:
    """Return one kind, or say which there are."""
    if name not in _KINDS:
        problem = FieldProblem("recipe", f"There is no recipe {name}.")
        raise Invalid(problem.problem, mend=f"Use {', '.join(_KINDS)}.", errors=[problem])
    return _KINDS[name]
