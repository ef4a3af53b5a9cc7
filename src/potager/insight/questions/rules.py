"""Answer rules: thresholds agreed beforehand, such as ``probability >= 0.8 and low > 0``; nothing cleverer."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from potager.kit.errors import FieldProblem, Invalid

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
_TERM = re.compile(r"^\s*([a-z_]+)\s*(>=|<=|>|<|=)\s*(-?[0-9][0-9_,]*(?:\.[0-9]+)?)\s*(%?)\s*$")
VARIABLES = {
    "target": {
        "probability": "that the target is reached, 0 to 1",
        "expected": "the value expected at the end",
        "low": "the low end of what is expected",
        "high": "the high end of what is expected",
    },
    "change": {
        "relative": "the change as a share of before",
        "absolute": "the change in the metric's unit",
        "after": "the value in the period",
        "surprise": "how many usual ups and downs the change is",
    },
    "compare": {
        "difference": "the first less the second",
        "low": "the low end of the difference",
        "high": "the high end of the difference",
        "relative": "the difference as a share of the second",
    },
}
STANDARD = {
    "target": {"yes": "probability >= 0.8", "at_risk": "probability >= 0.4"},
    "change": {"yes": "relative >= 0", "at_risk": "relative >= -0.05"},
    "compare": {"yes": "low > 0", "at_risk": "difference > 0"},
}
STANDARD_DOWN = {
    "target": STANDARD["target"],
    "change": {"yes": "relative <= 0", "at_risk": "relative <= 0.05"},
    "compare": {"yes": "high < 0", "at_risk": "difference < 0"},
}


@dataclass(frozen=True, slots=True)
class Term:
    """One threshold: a variable, a comparison, a number."""

    variable: str
    sign: str
    number: float

    def holds(self, values: Mapping[str, float | None]) -> bool | None:
        """Return whether it holds; None where the variable is unknown."""
        value = values.get(self.variable)
        return None if value is None or value != value else _OPERATORS[self.sign](value, self.number)


def parse_rule(text: str, variables: Collection[str]) -> tuple[Term, ...]:
    """Return the thresholds of a rule on these variables, all of which must hold, or say what is wrong with it."""
    terms = []
    for words in re.split(r"\s+and\s+", text.strip()):
        found = _TERM.match(words)
        if found is None:
            raise _wrong(f"'{words}' is not a threshold.", "Write: probability >= 0.8 and low > 0.")
        variable, sign, number, percent = found.groups()
        if variable not in variables:
            mend = (
                f"Use {', '.join(variables)}." if variables else "It is judged by itself; leave the rule out."
            )
            raise _wrong(f"A question of this kind has no {variable}.", mend)
        value = float(number.replace(",", "").replace("_", ""))
        terms.append(Term(variable, sign, value / 100 if percent else value))
    return tuple(terms)


def _wrong(problem: str, mend: str) -> Invalid:
    return Invalid(problem, mend=mend, errors=[FieldProblem("rule", problem, mend)])


def judge(rule: Mapping[str, str], values: Mapping[str, float | None]) -> str:
    """Return the verdict of a rule: the first of yes and at risk that holds, otherwise no; cannot tell if unknown."""
    unknown = False
    for verdict in ("yes", "at_risk"):
        if verdict in rule:
            held = [term.holds(values) for term in parse_rule(rule[verdict], values)]
            if all(held):
                return verdict
            unknown = unknown or None in held
    return "cannot_tell" if unknown else "no"


def could_matter(rule: Mapping[str, str], recipe: str, actions: Mapping[str, str]) -> str:
    """Return a hint where no answer changes what is done: the same action is agreed for every verdict."""
    agreed = {actions.get(verdict, "").strip() for verdict in ("yes", "at_risk", "no")}
    if len(agreed) == 1 and agreed != {""}:
        return "The same action is agreed for every answer, so no answer changes what is done. Retire the question?"
    return ""
