"""Rules agreed beforehand: read as they are written, and refused in a sentence where they cannot be."""

from __future__ import annotations

import math

import pytest

from potager.insight.questions.rules import (
    STANDARD,
    STANDARD_DOWN,
    VARIABLES,
    could_matter,
    judge,
    parse_rule,
)
from potager.kit.errors import Invalid


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("probability >= 0.8", [("probability", ">=", 0.8)]),
        ("probability>=80%", [("probability", ">=", 0.8)]),
        ("low > 0 and expected < 1,200,000", [("low", ">", 0.0), ("expected", "<", 1_200_000.0)]),
        ("  expected = -3.5 ", [("expected", "=", -3.5)]),
    ],
)
def test_a_rule_is_thresholds_that_must_all_hold(text, terms):
    assert [(one.variable, one.sign, one.number) for one in parse_rule(text, VARIABLES["target"])] == terms


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "'' is not a threshold"),
        ("probability", "is not a threshold"),
        ("0.8 <= probability", "is not a threshold"),
        ("probability >= 0.8 or low > 0", "is not a threshold"),
        ("__import__('os').system('x')", "is not a threshold"),
        ("probability >= high", "is not a threshold"),
        ("probability >= 1e9", "is not a threshold"),
        ("chance >= 0.8", "has no chance"),
        ("relative >= 0", "has no relative"),
    ],
)
def test_a_bad_rule_gets_a_sentence_and_a_mend(text, says):
    with pytest.raises(Invalid) as refused:
        parse_rule(text, VARIABLES["target"])
    assert says in refused.value.detail and refused.value.mend
    assert [error.where for error in refused.value.errors] == ["rule"]


def test_the_first_verdict_that_holds_is_given_and_otherwise_no():
    rule = {"yes": "probability >= 0.8", "at_risk": "probability >= 0.4"}
    told = [judge(rule, {"probability": p}) for p in (0.9, 0.8, 0.5, 0.39)]
    assert told == ["yes", "yes", "at_risk", "no"]


@pytest.mark.parametrize("unknown", [None, math.nan])
def test_an_unknown_variable_is_not_no(unknown):
    assert judge({"yes": "surprise > 2"}, {"surprise": unknown}) == "cannot_tell"
    assert judge({"yes": "surprise > 2", "at_risk": "after > 1"}, {"surprise": None, "after": 5}) == "at_risk"


@pytest.mark.parametrize("rules", [STANDARD, STANDARD_DOWN])
def test_the_standard_rules_can_be_read(rules):
    for recipe, rule in rules.items():
        for text in rule.values():
            assert {term.variable for term in parse_rule(text, VARIABLES[recipe])} <= set(VARIABLES[recipe])


def test_a_question_whose_answers_all_lead_to_the_same_action_is_pointed_out():
    same = dict.fromkeys(("yes", "at_risk", "no"), "Wait.")
    assert "Retire" in could_matter({}, "target", same)
    assert could_matter({}, "target", {**same, "no": "Stop."}) == ""
    assert could_matter({}, "target", {}) == ""
