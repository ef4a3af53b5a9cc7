"""Ratios of recurring revenue, each with the parts it is made of, or a refusal where there is no such number.

Definitions are those of the domain page, 3.3. Retention is computed customer by customer and then summed: capping the
netted total would hide contraction behind expansion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.finance.levels import LevelPair
from potager.engines.finance.movements import Bridge

FEWEST_CUSTOMERS = 30
FEWEST_LOST = 5


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure with its parts: ``value`` = ``numerator`` ÷ ``denominator``, which are exact.

    ``name`` says what it is, ``variant`` which of the meanings in use, ``unit`` what it is counted in (share, times,
    months, cents), and ``parts`` what the two were added up from. ``low`` and ``high`` are the 95 % range where one is
    told.
    """

    name: str
    variant: str
    unit: str
    numerator: Fraction
    denominator: Fraction
    parts: tuple[tuple[str, Fraction], ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def value(self) -> float:
        """The figure."""
        return float(self.numerator / self.denominator)


def _ratio(
    name: str,
    unit: str,
    numerator: Fraction | int,
    denominator: Fraction | int,
    variant: str = "",
    **parts: Fraction | int,
) -> Ratio:
    named = tuple((part, Fraction(value)) for part, value in parts.items())
    return Ratio(name, variant, unit, Fraction(numerator), Fraction(denominator), named)


def _nobody(levels: LevelPair) -> CannotTell | None:
    if levels.before.any():
        return None
    return CannotTell(
        "undefined",
        f"Nobody paid on {levels.starts}, so there is nothing to keep.",
        "Take a window that starts after the first customer.",
    )


def net_revenue_retention(levels: LevelPair) -> Ratio | CannotTell:
    """Return NRR, Σ value at the end ÷ Σ value at the start over those who paid at the start; new ones are out."""
    if refusal := _nobody(levels):
        return refusal
    at_start = levels.before > 0
    change = (levels.after - levels.before)[at_start]
    return _ratio(
        "net revenue retention",
        "share",
        int(levels.after[at_start].sum()),
        int(levels.before.sum()),
        variant=f"{levels.starts} to {levels.ends}",
        start=int(levels.before.sum()),
        gained=int(np.maximum(change, 0).sum()),
        lost=int(np.maximum(-change, 0).sum()),
    )


def gross_revenue_retention(levels: LevelPair) -> Ratio | CannotTell:
    """Return Σ min(value at the end, at the start) ÷ Σ value at the start (GRR); never above 1."""
    if refusal := _nobody(levels):
        return refusal
    kept = np.minimum(levels.after, levels.before)
    gone = int(levels.before[levels.after == 0].sum())
    return _ratio(
        "gross revenue retention",
        "share",
        int(kept.sum()),
        int(levels.before.sum()),
        variant=f"{levels.starts} to {levels.ends}",
        start=int(levels.before.sum()),
        contraction=int((levels.before - kept).sum()) - gone,
        churn=gone,
    )


def revenue_churn(levels: LevelPair) -> Ratio | CannotTell:
    """Return the revenue lost to contraction and churn ÷ the revenue at the start; 1 − GRR."""
    kept = gross_revenue_retention(levels)
    if isinstance(kept, CannotTell):
        return kept
    lost = kept.denominator - kept.numerator
    return Ratio("revenue churn", kept.variant, "share", lost, kept.denominator, kept.parts)


def logo_retention(levels: LevelPair) -> Ratio | CannotTell:
    """Return the customers kept ÷ customers at the start."""
    if refusal := _nobody(levels):
        return refusal
    start, kept = int((levels.before > 0).sum()), int(((levels.before > 0) & (levels.after > 0)).sum())
    return _ratio(
        "logo retention", "share", kept, start, f"{levels.starts} to {levels.ends}", start=start, kept=kept
    )


def logo_churn(levels: LevelPair) -> Ratio | CannotTell:
    """Return the customers lost ÷ customers at the start."""
    kept = logo_retention(levels)
    if isinstance(kept, CannotTell):
        return kept
    lost = kept.denominator - kept.numerator
    return Ratio("logo churn", kept.variant, "share", lost, kept.denominator, kept.parts)


def quick_ratio(bridge: Bridge, *, with_reactivation: bool) -> Ratio | CannotTell:
    """Return gains ÷ losses of a period; both variants are in use, so it must be said which.

    With reactivation: (new + expansion + reactivation) ÷ (contraction + churn) (mowt.pages.dev/tools/mrr-calculator);
    without: (new + expansion) ÷ (contraction + churn). Where nothing was lost there is no ratio, and not infinity.
    """
    losses = bridge.contraction + bridge.churn
    gains = bridge.new + bridge.expansion + (bridge.reactivation if with_reactivation else 0)
    if not losses:
        return CannotTell(
            "undefined", "No losses in this period, so there is no ratio.", "Take a longer period."
        )
    return _ratio(
        "quick ratio",
        "times",
        gains,
        losses,
        "with reactivation" if with_reactivation else "without reactivation",
        new=bridge.new,
        expansion=bridge.expansion,
        reactivation=bridge.reactivation,
        contraction=bridge.contraction,
        churn=bridge.churn,
    )


def average_revenue(cents: int, customers: int) -> Ratio | CannotTell:
    """Return ARPA, monthly recurring revenue ÷ active customers, in minor units a month."""
    if customers <= 0:
        return CannotTell(
            "undefined", "There are no active customers to average over.", "Take a day with customers."
        )
    return _ratio(
        "average revenue per account", "cents", cents, customers, revenue=cents, customers=customers
    )


def run_rate(cents: int) -> Ratio:
    """Return ARR in its first meaning, MRR × 12.

    The second, the sum of annualized contracts, is
    :func:`~potager.engines.finance.valuation.contracted_yearly_value`.
    """
    return _ratio("annual recurring revenue", "cents", 12 * cents, 1, "run rate, MRR × 12", monthly=cents)


def lifetime_value(
    arpa: Fraction | int, margin: Fraction, *, lost: int, customers: int, months: int = 1
) -> Ratio | CannotTell:
    """Return LTV = ARPA × gross margin ÷ monthly churn, in minor units, with the range the churn's own range gives.

    ``lost`` of ``customers`` at the start were gone after ``months``; the monthly churn is lost ÷ customers ÷ months.
    It assumes a constant churn (retentionlens.com/saas-metrics), so it is refused below :data:`FEWEST_CUSTOMERS`
    customers or :data:`FEWEST_LOST` lost ones: there the churn cannot be told from 0, and the value from infinity. The
    range is Wilson's 95 % interval of the churn, turned over.
    """
    if not 0 <= lost <= customers or months < 1:
        return CannotTell(
            "undefined", "More were lost than there were, or over no month.", "Check the counts."
        )
    if customers < FEWEST_CUSTOMERS:
        return CannotTell(
            "too_few",
            f"A lifetime needs at least {FEWEST_CUSTOMERS} customers; there are {customers}.",
            "Wait for more, or take all segments together.",
        )
    if lost < FEWEST_LOST:
        return CannotTell(
            "not_identified",
            f"Only {lost} of {customers} customers left: the churn cannot be told from 0, nor the value from infinity.",
            "Take a longer window, so that more of them had the time to leave.",
        )
    if margin <= 0:
        return CannotTell(
            "undefined", "The gross margin is not above 0: customers bring nothing.", "Check the margin."
        )
    low, high = _wilson(lost, customers)
    monthly = Fraction(lost, customers * months)
    worth = Fraction(arpa) * Fraction(margin)
    return Ratio(
        "lifetime value",
        "ARPA × margin ÷ churn",
        "cents",
        worth,
        monthly,
        (("arpa", Fraction(arpa)), ("margin", Fraction(margin)), ("monthly churn", monthly)),
        low=float(worth) * months / high,
        high=float(worth) * months / low,
    )


def acquisition_cost(spend_cents: int, new_customers: int) -> Ratio | CannotTell:
    """Return CAC, sales and marketing spend ÷ new customers, in minor units."""
    if new_customers <= 0:
        return CannotTell(
            "undefined", "No customers were won, so there is no cost of one.", "Take a longer period."
        )
    return _ratio(
        "customer acquisition cost",
        "cents",
        spend_cents,
        new_customers,
        "",
        spend=spend_cents,
        won=new_customers,
    )


def acquisition_payback(
    cac: Fraction | int, new_arpa: Fraction | int, margin: Fraction
) -> Ratio | CannotTell:
    """Return the months until a new customer's margin has paid the cost of winning it: CAC ÷ (new ARPA × margin)."""
    monthly = Fraction(new_arpa) * Fraction(margin)
    if monthly <= 0:
        return CannotTell(
            "undefined",
            "A new customer brings no margin, so the cost is never paid back.",
            "Check price and margin.",
        )
    return _ratio("acquisition payback", "months", cac, monthly, cost=cac, new_arpa=new_arpa, margin=margin)


def rule_of_40(revenue_before: int, revenue_after: int, profit_after: int) -> Ratio | CannotTell:
    """Return growth + profit margin over a year, as a share: 0.40 is the rule's mark.

    Growth is revenue ÷ revenue a year before − 1, the margin profit ÷ revenue. Which profit is the caller's to say.
    """
    if revenue_before <= 0 or revenue_after <= 0:
        return CannotTell(
            "undefined", "There was no revenue in one of the two years.", "Take two years with revenue."
        )
    growth = Fraction(revenue_after, revenue_before) - 1
    margin = Fraction(profit_after, revenue_after)
    return _ratio("rule of 40", "share", growth + margin, 1, growth=growth, margin=margin)


def _wilson(some: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share (Wilson 1927)."""
    z = NormalDist().inv_cdf(0.975)
    share = some / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return middle - reach, middle + reach
