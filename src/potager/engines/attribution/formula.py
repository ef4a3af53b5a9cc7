"""Typed arithmetic formulas over names, read by a small recursive-descent parser (no code is ever evaluated).

Grammar::

    sum     = product { ("+" | "-") product }
    product = signed { ("*" | "/") signed }
    signed  = "-" signed | value
    value   = number | name | "(" sum ")"
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, overload

import numpy as np

from potager.engines.attribution.steps import FloatArray, Operation, Step, degrees, run

FormulaKind = Literal["additive", "product", "ratio", "general"]
_TokenKind = Literal["number", "name", "sign", "end"]

LONGEST_FORMULA = 4_000
"""Characters in a formula at most."""
DEEPEST_NESTING = 50
"""Parentheses and signs within one another at most."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*)|(?P<sign>\*\*|[-+*/()]))"
)
_LIKE_OPERATORS = ("^", "**", "%", "×", "·", "÷", "−", "–")
_MENDS = {
    "^": "Use * to multiply a value with itself.",
    "**": "Use * to multiply a value with itself.",
    "%": "Write a share as a number, 0.05 for 5 %.",
    ",": "Write numbers without separators, 1000 rather than 1,000.",
    "×": "Use * to multiply.",
    "·": "Use * to multiply.",
    "÷": "Use / to divide.",
    "−": "Use the plain hyphen - to subtract.",
    "–": "Use the plain hyphen - to subtract.",
    "=": "Write only what stands to the right of the equals sign.",
    '"': "Write names bare, without quotation marks.",
    "'": "Write names bare, without quotation marks.",
}


class FormulaError(ValueError):
    """A formula that cannot be read. ``position`` counts characters from 0; ``mend`` says how to put it right."""

    def __init__(self, sentence: str, mend: str, position: int) -> None:
        super().__init__(f"{sentence} {mend}")
        self.sentence = sentence
        self.mend = mend
        self.position = position


@dataclass(frozen=True)
class Formula:
    """An arithmetic formula that was read and understood.

    ``names`` are its inputs in the order of first use. ``kind`` is *additive* (a weighted sum of names), *product*
    (distinct names multiplied, perhaps with numbers), *ratio* (one such thing over another) or *general*.
    """

    text: str
    names: tuple[str, ...]
    kind: FormulaKind
    steps: tuple[Step, ...] = field(repr=False)

    @overload
    def evaluate(self, values: Mapping[str, float]) -> float: ...
    @overload
    def evaluate(self, values: Mapping[str, FloatArray]) -> float | FloatArray: ...
    def evaluate(self, values: Mapping[str, float] | Mapping[str, FloatArray]) -> float | FloatArray:
        """Return the value, a float when every input is one, else an array of the inputs' common shape.

        Division by zero gives nan. Raises :class:`KeyError` for a name that has no value.
        """
        inputs = [np.asarray(values[name], dtype=np.float64) for name in self.names]
        result = run(self.steps, inputs)[-1]
        return float(result) if result.ndim == 0 else result

    def __str__(self) -> str:
        """Return the formula as it was written."""
        return self.text


def parse_formula(text: str) -> Formula:
    """Read a formula such as ``orders * (price - discount) / 100``.

    Raises :class:`FormulaError` with the position, the cause and a way to put it right.
    """
    if len(text) > LONGEST_FORMULA:
        raise FormulaError(
            f"The formula has {len(text)} characters; the most is {LONGEST_FORMULA}.",
            "Split it: give a part of it a name of its own.",
            LONGEST_FORMULA,
        )
    reader = _Reader(text)
    steps, names = reader.read()
    return Formula(text.strip(), names, _kind(steps, len(names)), steps)


def _kind(steps: tuple[Step, ...], names: int) -> FormulaKind:
    if degrees(steps, [0] * names, 1)[-1][0] <= 1:
        return "additive"
    found = degrees(steps, range(names), names)
    if _is_monomial(steps, found):
        return "product"
    return "ratio" if _is_ratio(steps, found) else "general"


def _is_monomial(steps: tuple[Step, ...], found: list[FloatArray]) -> bool:
    """Say whether distinct names are only multiplied with each other and with numbers."""
    if found[-1].max() > 1:
        return False
    return all(
        step.operation not in ("add", "subtract") or not (found[step.left].any() or found[step.right].any())
        for step in steps
    )


def _is_ratio(steps: tuple[Step, ...], found: list[FloatArray]) -> bool:
    """Say whether the outermost operation, signs and constant factors aside, divides by something with names."""
    at = len(steps) - 1
    while True:
        step = steps[at]
        if step.operation == "negate":
            at = step.left
        elif step.operation == "multiply" and not found[step.left].any():
            at = step.right
        elif step.operation in ("multiply", "divide") and not found[step.right].any():
            at = step.left
        else:
            return step.operation == "divide"


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    kind: _TokenKind
    position: int


class _Reader:
    """Reads one formula; keeps the steps written so far."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0
        self._steps: list[Step] = []
        self._slots: dict[str, int] = {}
        self._input_steps: dict[str, int] = {}

    def read(self) -> tuple[tuple[Step, ...], tuple[str, ...]]:
        if self._next.kind == "end":
            raise FormulaError(
                "The formula is empty.", "Write one, for example orders * average_order_value.", 0
            )
        self._sum()  # its value is the last step: a name met again is always joined by an operator
        token = self._next
        if token.text == ")":
            raise FormulaError(
                f"The closing parenthesis at character {token.position + 1} closes nothing.",
                "Remove it, or open one before it.",
                token.position,
            )
        if token.kind != "end":
            raise FormulaError(
                f"An operator is missing before '{token.text}' at character {token.position + 1}.",
                "Put one of + - * / between the two.",
                token.position,
            )
        return tuple(self._steps), tuple(self._slots)

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at += 1
        return token

    def _write(self, step: Step) -> int:
        self._steps.append(step)
        return len(self._steps) - 1

    def _add(self, operation: Operation, left: int, right: int = -1) -> int:
        return self._write(Step(operation, left, right))

    def _deeper(self, token: _Token) -> None:
        self._depth += 1
        if self._depth > DEEPEST_NESTING:
            raise FormulaError(
                f"The formula is nested more than {DEEPEST_NESTING} deep at character {token.position + 1}.",
                "Split it: give a part of it a name of its own.",
                token.position,
            )

    def _sum(self) -> int:
        left = self._product()
        while self._next.text in ("+", "-"):
            operation: Operation = "add" if self._take().text == "+" else "subtract"
            left = self._add(operation, left, self._product())
        return left

    def _product(self) -> int:
        left = self._signed()
        while self._next.text in ("*", "/"):
            operation: Operation = "multiply" if self._take().text == "*" else "divide"
            left = self._add(operation, left, self._signed())
        return left

    def _signed(self) -> int:
        if self._next.text != "-":
            return self._value()
        self._deeper(self._take())
        result = self._add("negate", self._signed())
        self._depth -= 1
        return result

    def _value(self) -> int:
        token = self._take()
        if token.kind == "number":
            return self._write(Step("number", number=_number(token)))
        if token.kind == "name":
            if token.text not in self._input_steps:
                slot = self._slots.setdefault(token.text, len(self._slots))
                self._input_steps[token.text] = self._write(Step("input", slot))
            return self._input_steps[token.text]
        if token.text == "(":
            self._deeper(token)
            result = self._sum()
            if self._next.text != ")":
                raise FormulaError(
                    f"The parenthesis opened at character {token.position + 1} is never closed.",
                    "Add the closing parenthesis.",
                    token.position,
                )
            self._at += 1
            self._depth -= 1
            return result
        where = (
            "at the end"
            if token.kind == "end"
            else f"before '{token.text}' at character {token.position + 1}"
        )
        raise FormulaError(
            f"A value is missing {where}.", "Write a name, a number or a parenthesis there.", token.position
        )


def _number(token: _Token) -> float:
    number = float(token.text)
    if not np.isfinite(number):
        raise FormulaError(
            f"The number {token.text} at character {token.position + 1} is too large.",
            "Write a smaller one.",
            token.position,
        )
    return number


def _unknown(text: str, at: int, sign: str) -> FormulaError:
    position = at + len(text[at:]) - len(text[at:].lstrip())
    sign = sign or text[position]
    word = "operator" if sign in _LIKE_OPERATORS else "meaning for the character"
    return FormulaError(
        f"There is no {word} '{sign}' (character {position + 1}).",
        _MENDS.get(sign, "Use names, numbers, + - * / and parentheses."),
        position,
    )


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match["sign"] == "**":
            raise _unknown(text, at if match is None else match.start("sign"), "" if match is None else "**")
        kind: _TokenKind = "number" if match["number"] else "name" if match["name"] else "sign"
        tokens.append(_Token(match[kind], kind, match.start(kind)))
        at = match.end()
    tokens.append(_Token("", "end", end))
    return tokens
