"""Subscription revenue to the cent: what is counted, how it moved, what it says, and why two tools disagree.

A tour, in the order in which the parts build on each other; all money is whole minor units (cents), all days are dates:

1. **Terms** (:func:`terms_of`, :func:`check_terms`, :data:`SCHEMA`): one row for each stretch of days in which a
   subscription's price, quantity, discounts and state stay the same. Loaders make the table in bulk; described
   subscriptions (:class:`Subscription`, :class:`Price`, :class:`Discount` …) are turned into it. Bad rows are found
   with a sentence each. Splitting money loses nothing (:func:`allocate`, :func:`share_discount`).
2. **Policies** (:data:`stripe`, :data:`chartmogul`, :data:`profitwell`, :data:`list_price`, your own by
   ``dataclasses.replace``): what counts, as data, each setting with the vendor's page it is from.
3. **Values**: a month's worth on a day (:func:`monthly_value`, :func:`value_on` with the reasons), the *step table* of
   every customer's changes (:func:`daily_steps`, :func:`at_period_ends`), other currencies at the rates as they stood
   (:class:`RateTable`, :func:`convert_steps`).
4. **Movements** (:func:`movements`, :func:`movements_under`): new, expansion, reactivation, contraction, churn and
   currency. Start plus movements is end for every customer on every day; :func:`balance` proves it and stops at the
   first place where not. :func:`bridges` are the totals by period.
   :func:`movements_sql` and :func:`balance_sql` say the same in SQL.
5. **Ratios** (:func:`net_revenue_retention`, :func:`quick_ratio`, :func:`lifetime_value` …): each with its parts, or a
   :class:`~potager.engines.answers.CannotTell` where there is no such number. **Cohorts** (:func:`cohort_grid`): what
   cannot be known yet is None and never zero.
6. **Why they differ**: :func:`policy_difference` between policies, by the knob, to the cent; :func:`restatement`
   between what was known on two days.
7. **Money over time**: :func:`net_present_value`, :func:`internal_rate_of_return`, :func:`payback`.

Data that no figure may be made of raise :class:`FinanceError`, with ``detail`` and ``mend``.
"""

from potager.engines.finance.bitemporal import (
    Restated,
    RestatedMovement,
    Restatement,
    as_known_on,
    restatement,
)
from potager.engines.finance.cohorts import Cell, Cohort, CohortGrid, Maturity, cohort_grid
from potager.engines.finance.currency import Rate, RateTable, convert_steps
from potager.engines.finance.difference import (
    UNEXPLAINED,
    MovementDifference,
    PolicyDifference,
    policy_difference,
)
from potager.engines.finance.discounting import (
    Payback,
    internal_rate_of_return,
    net_present_value,
    payback,
)
from potager.engines.finance.intervals import MONTHLY, Interval
from potager.engines.finance.levels import (
    LevelPair,
    at_period_ends,
    levels_between,
    levels_in_windows,
    without_brief_signups,
)
from potager.engines.finance.money import FinanceError, InvoiceLine, allocate, nearest, share_discount
from potager.engines.finance.movements import (
    Bridge,
    MovementKind,
    OutOfBalanceError,
    balance,
    bridges,
    movements,
)
from potager.engines.finance.pipeline import movements_under, steps_under
from potager.engines.finance.policies import (
    CALENDAR_WEEK,
    KNOBS,
    PAYROLL_WEEK,
    POLICIES,
    Policy,
    chartmogul,
    knobs_between,
    list_price,
    profitwell,
    stripe,
)
from potager.engines.finance.ratios import (
    FEWEST_CUSTOMERS,
    FEWEST_LOST,
    Ratio,
    acquisition_cost,
    acquisition_payback,
    average_revenue,
    gross_revenue_retention,
    lifetime_value,
    logo_churn,
    logo_retention,
    net_revenue_retention,
    quick_ratio,
    revenue_churn,
    rule_of_40,
    run_rate,
)
from potager.engines.finance.sql import balance_sql, movements_sql
from potager.engines.finance.subscriptions import (
    Change,
    Discount,
    Price,
    Span,
    Subscription,
    terms_of,
    with_end,
)
from potager.engines.finance.terms import SCHEMA, BadTerms, Terms, check_terms, read_terms
from potager.engines.finance.valuation import (
    TermValue,
    contracted_yearly_value,
    daily_steps,
    monthly_value,
    value_on,
)

__all__ = [
    "CALENDAR_WEEK",
    "FEWEST_CUSTOMERS",
    "FEWEST_LOST",
    "KNOBS",
    "MONTHLY",
    "PAYROLL_WEEK",
    "POLICIES",
    "SCHEMA",
    "UNEXPLAINED",
    "BadTerms",
    "Bridge",
    "Cell",
    "Change",
    "Cohort",
    "CohortGrid",
    "Discount",
    "FinanceError",
    "Interval",
    "InvoiceLine",
    "LevelPair",
    "Maturity",
    "MovementDifference",
    "MovementKind",
    "OutOfBalanceError",
    "Payback",
    "Policy",
    "PolicyDifference",
    "Price",
    "Rate",
    "RateTable",
    "Ratio",
    "Restated",
    "RestatedMovement",
    "Restatement",
    "Span",
    "Subscription",
    "TermValue",
    "Terms",
    "acquisition_cost",
    "acquisition_payback",
    "allocate",
    "as_known_on",
    "at_period_ends",
    "average_revenue",
    "balance",
    "balance_sql",
    "bridges",
    "chartmogul",
    "check_terms",
    "cohort_grid",
    "contracted_yearly_value",
    "convert_steps",
    "daily_steps",
    "gross_revenue_retention",
    "internal_rate_of_return",
    "knobs_between",
    "levels_between",
    "levels_in_windows",
    "lifetime_value",
    "list_price",
    "logo_churn",
    "logo_retention",
    "monthly_value",
    "movements",
    "movements_sql",
    "movements_under",
    "nearest",
    "net_present_value",
    "net_revenue_retention",
    "payback",
    "policy_difference",
    "profitwell",
    "quick_ratio",
    "read_terms",
    "restatement",
    "revenue_churn",
    "rule_of_40",
    "run_rate",
    "share_discount",
    "steps_under",
    "stripe",
    "terms_of",
    "value_on",
    "with_end",
    "without_brief_signups",
]
