"""What MRR becomes when months go on as the last ones did, and what changes where one rate is another.

The model is the arithmetic of a bridge, month by month: end = start + new + reactivation + (expansion − contraction −
churn) × start. New and reactivated revenue come as an amount a month (they do not grow out of those who already pay);
expansion, contraction and churn are shares of what the month began with. All sums are exact fractions of minor units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from potager.engines.answers import CannotTell
from potager.engines.finance.money import FinanceError
from potager.engines.finance.movements import Bridge

CHANGEABLE = ("new", "expansion", "contraction", "churn")
LONGEST_PROJECTION = 60


@dataclass(frozen=True, slots=True)
class Rates:
    """How a month goes on average: ``new`` and ``reactivation`` in minor units, the others as shares of the start.

    ``months`` says over how many months it was averaged.
    """

    new: Fraction
    reactivation: Fraction
    expansion: Fraction
    contraction: Fraction
    churn: Fraction
    months: int

    def changed(self, **percent: Fraction | int) -> Rates:
        """Return the rates with some of :data:`CHANGEABLE` changed by a percentage of themselves: 10 is × 1.1.

        Raises :class:`FinanceError` for a name that is not one, a change below −100 %, and losses above all there is.
        """
        scaled: dict[str, Fraction] = {}
        for name, by in percent.items():
            if name not in CHANGEABLE:
                raise FinanceError(f"{name} cannot be changed.", f"Change {', '.join(CHANGEABLE)}.")
            if by < -100:
                raise FinanceError(
                    f"{name.capitalize()} cannot fall by more than 100 %.", "Give a change from −100 %."
                )
            scaled[name] = getattr(self, name) * (1 + Fraction(by) / 100)
        made = replace(self, **scaled)  # type: ignore[arg-type]
        if made.contraction + made.churn > 1:
            raise FinanceError(
                "Contraction and churn together would take more in a month than there is.",
                "Let them rise by less.",
            )
        return made


@dataclass(frozen=True, slots=True)
class ProjectedMonth:
    """One month of a projection, in minor units; losses are positive. ``start`` of the next is ``end`` of this."""

    start: Fraction
    new: Fraction
    expansion: Fraction
    reactivation: Fraction
    contraction: Fraction
    churn: Fraction
    end: Fraction


def average_rates(bridges: Sequence[Bridge]) -> Rates | CannotTell:
    """Return how a month went on average over consecutive months.

    Amounts are means; shares are pooled, Σ moved ÷ Σ start, so that a month in which little was at stake counts little.
    Refused where nothing was there at the start of any of the months. What currencies did is left out.
    """
    at_stake = sum(one.start for one in bridges)
    if at_stake <= 0:
        return CannotTell(
            "undefined",
            "Nobody paid at the start of any of these months, so there is no rate of churn or expansion.",
            "Average over months that began with paying customers.",
        )
    count = len(bridges)
    return Rates(
        new=Fraction(sum(one.new for one in bridges), count),
        reactivation=Fraction(sum(one.reactivation for one in bridges), count),
        expansion=Fraction(sum(one.expansion for one in bridges), at_stake),
        contraction=Fraction(sum(one.contraction for one in bridges), at_stake),
        churn=Fraction(sum(one.churn for one in bridges), at_stake),
        months=count,
    )


def project(start: Fraction | int, rates: Rates, months: int) -> tuple[ProjectedMonth, ...]:
    """Return ``months`` months (1 to :data:`LONGEST_PROJECTION`) from MRR ``start``, each as the rates say."""
    if not 1 <= months <= LONGEST_PROJECTION:
        raise FinanceError(
            f"{months} months cannot be projected.", f"Ask for 1 to {LONGEST_PROJECTION} months."
        )
    made = []
    level = Fraction(start)
    for _ in range(months):
        expansion, contraction, churn = (
            level * rates.expansion,
            level * rates.contraction,
            level * rates.churn,
        )
        end = level + rates.new + rates.reactivation + expansion - contraction - churn
        made.append(ProjectedMonth(level, rates.new, expansion, rates.reactivation, contraction, churn, end))
        level = end
    return tuple(made)


def resting_level(rates: Rates) -> Fraction | CannotTell:
    """Return the MRR at which gains and losses cancel: (new + reactivation) ÷ (churn + contraction − expansion).

    Refused where expansion makes up for all losses: then MRR grows without an end.
    """
    lost = rates.churn + rates.contraction - rates.expansion
    if lost <= 0:
        return CannotTell(
            "undefined",
            "Expansion makes up for what is lost, so these rates lead to no level at which MRR rests.",
            "Look at the projection of a given month instead.",
        )
    return (rates.new + rates.reactivation) / lost
