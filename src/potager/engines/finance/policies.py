"""A policy: what counts as recurring revenue, as named data, so that "whose MRR?" has an answer.

Four policies are given and any other is ``dataclasses.replace`` of one of them. Where a vendor's page says nothing of
a point, ``sources`` says so; such a setting is the field's usual reading and not a quotation.

Read at:

- Stripe: support.stripe.com/questions/billing-analytics, docs.stripe.com/billing/subscriptions/analytics/glossary,
  support.stripe.com/questions/metric-configurations
- ChartMogul: help.chartmogul.com (articles 242, 245, 303, 360015688860, 201244842),
  dev.chartmogul.com/docs/how-mrr-is-calculated-from-prorated-invoices
- ProfitWell: paddle.com/help/profitwell-metrics/measure (subscription-metrics/discounts, compare/…)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from dataclasses import replace as replaced
from fractions import Fraction
from typing import Literal

from potager.engines.finance.intervals import Unit

Duration = Literal["once", "repeating", "forever"]
ChurnDate = Literal["request", "end", "period_end"]
CurrencyRule = Literal["revalued", "at_purchase"]

CALENDAR_WEEK = Fraction(365, 7 * 12)
"""Weeks in a month where a year has 365 days; a two-weekly price is worth 365/14/12 = 2.1726 of it a month."""
PAYROLL_WEEK = Fraction(52, 12)
"""Weeks in a month where a year has 52 weeks; a two-weekly price is worth 26/12 = 2.1667 of it a month."""
ALL_DISCOUNTS: frozenset[Duration] = frozenset({"once", "repeating", "forever"})


@dataclass(frozen=True, slots=True)
class Policy:
    """What counts. Every field but ``name`` and ``sources`` is a knob, and :func:`knobs_between` compares them.

    - ``weeks_a_month``, ``days_a_month``: what a weekly or daily price is multiplied by. Months count as they are and a
      year is 12 of them, under every policy.
    - ``discounts``: the durations of discounts that lower the figure.
    - ``trials``, ``past_due``, ``unpaid``, ``paused``: whether a subscription counts in that state. *Past due* is an
      invoice being retried; *unpaid* is one whose retries are used up.
    - ``metered``: whether usage-based prices count. One-time fees count under no policy
      (gaspwiki.pages.dev/v1/metrics/core).
    - ``churn_dated``: the day a canceled subscription stops counting: when cancellation was asked for (``request``),
      when billing ends it (``end``), or at the end of the period already paid (``period_end``).
    - ``free_customers_stay``: a paying customer who comes to pay nothing but keeps a subscription contracts (True) or
      churns (False).
    - ``brief_signups``: whether a customer who signs up and is gone within one calendar month counts at all.
    - ``currency``: other currencies take every new rate, on a line of their own (``revalued``), or keep the rate of the
      day the customer began to pay (``at_purchase``).
    """

    name: str
    weeks_a_month: Fraction = PAYROLL_WEEK
    days_a_month: Fraction = Fraction(365, 12)
    discounts: frozenset[Duration] = ALL_DISCOUNTS
    trials: bool = False
    past_due: bool = True
    unpaid: bool = False
    paused: bool = False
    metered: bool = False
    churn_dated: ChurnDate = "end"
    free_customers_stay: bool = False
    brief_signups: bool = True
    currency: CurrencyRule = "revalued"
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)

    def months(self, unit: Unit) -> Fraction:
        """Return what a price for one such unit is multiplied by to be a month's: 1/12 for a year."""
        match unit:
            case "day":
                return self.days_a_month
            case "week":
                return self.weeks_a_month
            case "month":
                return Fraction(1)
            case _:
                return Fraction(1, 12)

    def committed(self) -> Policy:
        """Return the policy under which a cancellation counts from the day it was asked for: *committed* MRR."""
        return replaced(self, name=f"{self.name}, committed", churn_dated="request")


KNOBS: tuple[str, ...] = tuple(
    found.name for found in fields(Policy) if found.name not in {"name", "sources"}
)
"""The knobs in the order in which a difference is told: first the value of a price, then who counts, then when."""


def knobs_between(a: Policy, b: Policy) -> tuple[str, ...]:
    """Return the knobs on which two policies disagree, in the order of :data:`KNOBS`."""
    return tuple(knob for knob in KNOBS if getattr(a, knob) != getattr(b, knob))


def turned(policy: Policy, knob: str, toward: Policy) -> Policy:
    """Return ``policy`` with one knob set as ``toward`` has it."""
    return replaced(policy, **{knob: getattr(toward, knob)})


_UNSTATED = "Not stated by the vendor; the field's usual reading."

stripe = Policy(
    name="stripe",
    discounts=frozenset({"forever"}),
    churn_dated="request",
    sources={
        "weeks_a_month": _UNSTATED,
        "days_a_month": _UNSTATED,
        "discounts": "Only coupons of duration forever lower MRR; once and repeating do not "
        "(support.stripe.com/questions/billing-analytics). A setting of the account can change it.",
        "trials": "A trialing subscription does not count (same page).",
        "past_due": "MRR is of active and past-due subscriptions (billing/subscriptions/analytics/glossary).",
        "unpaid": "Unpaid is churn (glossary).",
        "paused": _UNSTATED,
        "metered": "Metered products are excluded (glossary).",
        "churn_dated": "Removed at the time of cancellation; the account can choose the end of the billing cycle "
        "(support.stripe.com/questions/metric-configurations).",
        "free_customers_stay": "Subscribers on free plans are excluded (glossary).",
        "brief_signups": "Both counted (paddle.com/help/profitwell-metrics/measure/compare, ProfitWell vs. Stripe).",
        "currency": "MRR growth is adjusted for foreign currency on a line of its own (glossary).",
    },
)
chartmogul = Policy(
    name="chartmogul",
    unpaid=True,
    paused=True,
    free_customers_stay=True,
    currency="at_purchase",
    sources={
        "weeks_a_month": _UNSTATED,
        "days_a_month": _UNSTATED,
        "discounts": "MRR is of the amount charged after discounts, so adding one is a contraction and its expiry an "
        "expansion (dev.chartmogul.com/docs/how-mrr-is-calculated-from-prorated-invoices).",
        "trials": "A trial is no paid subscription (help article 201244842).",
        "past_due": "Past-due subscriptions count until they are canceled, by default (article 303).",
        "unpaid": "Delinquent ones too, by default; automatic churn after 1 to 90 days is a setting (article 303).",
        "paused": "With Stripe, GoCardless and Chargebee a paused subscription goes on counting; with Recurly it does "
        "not (article 360015688860).",
        "metered": _UNSTATED,
        "churn_dated": "When the subscription ends in the billing system, by default; the end of the service period "
        "and the day of the request are settings (article 242).",
        "free_customers_stay": "A customer who moves to a free plan or a full discount stays active (article 245).",
        "brief_signups": "Both counted; events within 60 minutes are one movement, here all of a day "
        "(chartmogul.com/blog/smart-grouping).",
        "currency": "No movement for a change of rates, as comparisons of tools tell; an older post of theirs tells of "
        "the closing rate of each invoice's day (chartmogul.com/blog/calculating-mrr-with-multiple-currencies).",
    },
)
profitwell = Policy(
    name="profitwell",
    metered=True,
    churn_dated="period_end",
    brief_signups=False,
    currency="at_purchase",
    sources={
        "weeks_a_month": _UNSTATED,
        "days_a_month": _UNSTATED,
        "discounts": "Always subtracted, whatever their duration: a $120 annual plan at 10 % off is $9 "
        "(subscription-metrics/discounts).",
        "trials": "Trialing users are no customers (compare, ProfitWell vs. Stripe).",
        "past_due": "Active while in the dunning window (bssubs.net/profit-well-faqs-for-paddle-users).",
        "unpaid": "Past the dunning window it is delinquent churn (same page).",
        "paused": "On hold is $0 (compare, ProfitWell vs. Recurly).",
        "metered": "Recurring metered billing is rolled into MRR (compare, ProfitWell vs. Chargebee).",
        "churn_dated": "Counted until the end of the billing cycle (compare).",
        "free_customers_stay": "A customer must be actively paying; a full discount is none (calculating-metrics).",
        "brief_signups": "Signed up and churned in the same calendar month is ignored entirely (compare).",
        "currency": "The rate of the day of purchase, as comparisons of tools tell; no page of the vendor was read.",
    },
)
list_price = Policy(
    name="list_price",
    discounts=frozenset(),
    sources={"discounts": "What the price list says, whatever was agreed."},
)

POLICIES: Mapping[str, Policy] = {
    policy.name: policy for policy in (stripe, chartmogul, profitwell, list_price)
}
