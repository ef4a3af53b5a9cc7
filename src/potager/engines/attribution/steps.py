"""Arithmetic as a list of steps: run forward for values, backward for slopes, and once more for degrees.

A formula, and a whole tree of formulas, is a tuple of :class:`Step`. Each step refers only to steps before it,
so one pass over the list evaluates it for any number of points at once (every value is a numpy array that
broadcasts), and one pass backward gives the slope of the last step in every input (reverse accumulation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Operation = Literal["input", "number", "add", "subtract", "multiply", "divide", "negate"]


@dataclass(frozen=True, slots=True)
class Step:
    """One operation. ``left`` and ``right`` are positions of earlier steps; of an input, ``left`` is its slot."""

    operation: Operation
    left: int = -1
    right: int = -1
    number: float = 0.0


def run(steps: Sequence[Step], inputs: Sequence[FloatArray]) -> list[FloatArray]:
    """Return the value of every step. A division by zero, and all that follows from it, is nan."""
    values: list[FloatArray] = []
    with np.errstate(all="ignore"):
        for step in steps:
            match step.operation:
                case "input":
                    value = inputs[step.left]
                case "number":
                    value = np.asarray(step.number, dtype=np.float64)
                case "add":
                    value = values[step.left] + values[step.right]
                case "subtract":
                    value = values[step.left] - values[step.right]
                case "multiply":
                    value = values[step.left] * values[step.right]
                case "divide":
                    below = values[step.right]
                    value = values[step.left] / np.where(below == 0, np.nan, below)
                case _:  # negate
                    value = -values[step.left]
            values.append(value)
    return values


def slopes(steps: Sequence[Step], values: Sequence[FloatArray], inputs: int) -> list[FloatArray]:
    """Return the partial derivative of the last step in each of the ``inputs`` slots, at the given values."""
    zero = np.zeros(())
    of_step: list[FloatArray] = [zero] * len(steps)
    of_input: list[FloatArray] = [zero] * inputs
    of_step[-1] = np.ones(())
    with np.errstate(all="ignore"):
        for at in range(len(steps) - 1, -1, -1):
            step, slope = steps[at], of_step[at]
            match step.operation:
                case "input":
                    of_input[step.left] = of_input[step.left] + slope
                case "number":
                    continue
                case "add":
                    of_step[step.left] = of_step[step.left] + slope
                    of_step[step.right] = of_step[step.right] + slope
                case "subtract":
                    of_step[step.left] = of_step[step.left] + slope
                    of_step[step.right] = of_step[step.right] - slope
                case "multiply":
                    of_step[step.left] = of_step[step.left] + slope * values[step.right]
                    of_step[step.right] = of_step[step.right] + slope * values[step.left]
                case "divide":
                    below = np.where(values[step.right] == 0, np.nan, values[step.right])
                    of_step[step.left] = of_step[step.left] + slope / below
                    of_step[step.right] = of_step[step.right] - slope * values[at] / below
                case _:  # negate
                    of_step[step.left] = of_step[step.left] - slope
    return of_input


def degrees(steps: Sequence[Step], variable_of_slot: Sequence[int], variables: int) -> list[FloatArray]:
    """Return for every step its polynomial degree in each variable; infinite where it stands in a denominator.

    Several slots may hold one variable; a slot that holds none (a constant) has the variable -1. Degrees are read
    from how the formula is written, so they may be too high (``a * b / b``) and are never too low.
    """
    found: list[FloatArray] = []
    for step in steps:
        degree = np.zeros(variables)
        match step.operation:
            case "input":
                if variable_of_slot[step.left] >= 0:
                    degree[variable_of_slot[step.left]] = 1
            case "number":
                pass
            case "add" | "subtract":
                degree = np.maximum(found[step.left], found[step.right])
            case "multiply":
                degree = found[step.left] + found[step.right]
            case "divide":
                degree = np.where(found[step.right] > 0, np.inf, found[step.left])
            case _:  # negate
                degree = found[step.left]
        found.append(degree)
    return found
