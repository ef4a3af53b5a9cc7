"""The three kinds of question that every governed metric can be asked."""

from __future__ import annotations

from potager.insight.questions import pictures
from potager.insight.questions.recipes import change, compare, target
from potager.insight.questions.recipes.registry import Kind, register
from potager.insight.questions.rules import VARIABLES

register(
    Kind(
        "target",
        "Will we reach it?",
        target.answer,
        about="How likely a metric reaches its target, and when that will be known.",
        pictures={"time": pictures.time},
        variables=VARIABLES["target"],
    )
)
register(
    Kind(
        "change",
        "Why did it move?",
        change.answer,
        about="What a metric's change is made of, to the last cent.",
        pictures={"movement": pictures.movement, "time": pictures.time},
        variables=VARIABLES["change"],
    )
)
register(
    Kind(
        "compare",
        "Do these differ?",
        compare.answer,
        about="Whether two segments differ by more than chance.",
        pictures={"groups": pictures.groups},
        variables=VARIABLES["compare"],
    )
)
