from __future__ import annotations

import ast
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.engines.attribution import FormulaError, parse_formula


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 4 - 3", 3),
        ("24 / 4 / 2", 3),
        ("-2 * -3", 6),
        ("--2", 2),
        ("2 - -3", 5),
        (".5 + 1. + 1e2 + 2.5E-1", 101.75),
        ("-(1 + 1)", -2),
    ],
)
def test_operators_bind_and_associate_as_in_arithmetic(text, value):
    assert parse_formula(text).evaluate({}) == value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a", "additive"),
        ("a + b - c", "additive"),
        ("-(a - 2 * b) / 4 + 7", "additive"),
        ("12", "additive"),
        ("a * b", "product"),
        ("-2 * a * (b / 100) * c", "product"),
        ("(1 + 2) * a * b", "product"),
        ("a / b", "ratio"),
        ("1 / b", "ratio"),
        ("100 * (a + b) / (c - d)", "ratio"),
        ("-(a / b) * 3", "ratio"),
        ("(a / b) / 7", "ratio"),
        ("100 * (a / b)", "ratio"),
        ("a * b + c", "general"),
        ("a * a", "general"),
        ("a * (b + 1)", "general"),
        ("a / b + c", "general"),
        ("a * (b / c)", "general"),
    ],
)
def test_the_kind_of_a_formula_is_read_from_its_form(text, kind):
    assert parse_formula(text).kind == kind


def test_names_come_in_the_order_of_first_use_and_once():
    formula = parse_formula(" orders * price_2 - returns__net * orders + Größe ")
    assert formula.names == ("orders", "price_2", "returns__net", "Größe")
    assert str(formula) == formula.text == "orders * price_2 - returns__net * orders + Größe"
    assert formula == parse_formula("orders * price_2 - returns__net * orders + Größe")


def test_a_formula_cannot_be_changed():
    with pytest.raises(AttributeError):
        parse_formula("a").text = "b"


@pytest.mark.parametrize(
    ("text", "position", "sentence", "mend"),
    [
        ("", 0, "The formula is empty.", "Write one"),
        ("   ", 0, "The formula is empty.", "Write one"),
        ("a ^ 2", 2, "There is no operator '^' (character 3).", "Use * to multiply"),
        ("a ** 2", 2, "There is no operator '**' (character 3).", "Use * to multiply"),
        ("a × b", 2, "There is no operator '×' (character 3).", "Use * to multiply."),
        ("5 %", 2, "There is no operator '%' (character 3).", "0.05"),
        ("a $ b", 2, "There is no meaning for the character '$' (character 3).", "Use names, numbers"),
        ("1,000 * a", 1, "There is no meaning for the character ',' (character 2).", "1000"),
        ("x = a + b", 2, "There is no meaning for the character '=' (character 3).", "right of the equals"),
        ("'a' + b", 0, "There is no meaning for the character ''' (character 1).", "bare"),
        ("(a + b", 0, "The parenthesis opened at character 1 is never closed.", "Add the closing"),
        ("((a) * (b + c)", 0, "The parenthesis opened at character 1 is never closed.", "Add the closing"),
        ("a + b)", 5, "The closing parenthesis at character 6 closes nothing.", "Remove it"),
        ("a b", 2, "An operator is missing before 'b' at character 3.", "Put one of"),
        ("2(a)", 1, "An operator is missing before '(' at character 2.", "Put one of"),
        ("a +", 3, "A value is missing at the end.", "Write a name"),
        ("a + * b", 4, "A value is missing before '*' at character 5.", "Write a name"),
        ("+a", 0, "A value is missing before '+' at character 1.", "Write a name"),
        ("()", 1, "A value is missing before ')' at character 2.", "Write a name"),
        ("a + 1e999", 4, "The number 1e999 at character 5 is too large.", "smaller"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_mend(text, position, sentence, mend):
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    assert caught.value.sentence == sentence
    assert caught.value.position == position
    assert mend in caught.value.mend
    assert str(caught.value) == f"{caught.value.sentence} {caught.value.mend}"


def test_a_formula_that_is_too_long_or_too_deep_is_refused():
    with pytest.raises(FormulaError, match="characters; the most is"):
        parse_formula("a" * 4_001)
    for text in ("(" * 51 + "a" + ")" * 51, "-" * 51 + "a"):
        with pytest.raises(FormulaError, match="nested more than 50 deep"):
            parse_formula(text)
    assert parse_formula("(" * 50 + "a" + ")" * 50).evaluate({"a": 3.0}) == 3
    assert parse_formula("+".join(["a"] * 2_000)).evaluate({"a": 1.0}) == 2_000


def test_division_by_zero_is_nan_and_no_error():
    ratio = parse_formula("a / (b - b)")
    assert math.isnan(ratio.evaluate({"a": 1.0, "b": 2.0}))
    several = parse_formula("a / b").evaluate(
        {"a": np.array([1.0, 1.0, 0.0]), "b": np.array([2.0, 0.0, 0.0])}
    )
    assert several[0] == 0.5
    assert np.isnan(several[1:]).all()


def test_arrays_and_numbers_mix():
    value = parse_formula("a * b + 1").evaluate({"a": np.array([1.0, 2.0]), "b": np.asarray(3.0)})
    assert value.tolist() == [4, 7]


def test_a_name_without_a_value_is_a_key_error():
    with pytest.raises(KeyError, match="b"):
        parse_formula("a + b").evaluate({"a": 1.0})


_EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "b", "c", "1.5", "2"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", " - ", "*", " / "]), inner).map(
            lambda p: f"({p[0]}{p[1]}{p[2]})"
        ),
        st.tuples(inner, st.sampled_from([" + ", " - ", "*", "/"]), inner).map("".join),
        inner.map(lambda text: f"-({text})"),
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(_EXPRESSIONS, *[st.floats(0.5, 4)] * 3)
def test_values_agree_with_another_reader_of_arithmetic(text, a, b, c):
    names = {"a": a, "b": b, "c": c}
    code = compile(ast.parse(text, mode="eval"), "<formula>", "eval")
    ours = parse_formula(text).evaluate(names)
    try:
        theirs = eval(code, {"__builtins__": {}}, names)
    except ZeroDivisionError:
        assert math.isnan(ours)
    else:
        assert ours == pytest.approx(theirs, rel=1e-12, nan_ok=True)


@settings(deadline=None)
@given(st.text(alphabet="ab1.()+-*/ e_^%$", max_size=30))
def test_any_text_is_read_or_refused_with_a_place_in_it(text):
    try:
        parse_formula(text)
    except FormulaError as error:
        assert 0 <= error.position <= len(text)
        assert error.mend
