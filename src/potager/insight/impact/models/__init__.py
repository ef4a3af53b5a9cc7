"""Bets, what they cost, what was shipped for them, what was observed of them, and what came from outside."""

from potager.insight.impact.models.beside import Change, Investment, Outside
from potager.insight.impact.models.bets import Bet, Counted, Ending, Horizon, Observation, Risk, State

__all__ = [
    "Bet",
    "Change",
    "Counted",
    "Ending",
    "Horizon",
    "Investment",
    "Observation",
    "Outside",
    "Risk",
    "State",
]
