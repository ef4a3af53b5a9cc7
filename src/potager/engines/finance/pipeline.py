"""From terms to movements under a policy: value, leave out brief sign-ups, convert, classify."""

from __future__ import annotations

from datetime import date

import pyarrow as pa

from potager.engines.finance.currency import RateTable, convert_steps
from potager.engines.finance.levels import without_brief_signups
from potager.engines.finance.movements import balance, movements
from potager.engines.finance.policies import Policy
from potager.engines.finance.terms import Terms
from potager.engines.finance.valuation import daily_steps


def steps_under(
    policy: Policy, terms: pa.Table | Terms, *, rates: RateTable | None = None, through: date | None = None
) -> pa.Table:
    """Return the step table of terms under a policy, in the rates' currency where rates are given.

    Without rates every currency keeps its own books. Raises
    :class:`~potager.engines.finance.money.FinanceError` for bad terms and missing rates.
    """
    steps = daily_steps(terms, policy, through=through)
    if not policy.brief_signups:
        steps = without_brief_signups(steps)
    return steps if rates is None else convert_steps(steps, rates, policy.currency, through=through)


def movements_under(
    policy: Policy, terms: pa.Table | Terms, *, rates: RateTable | None = None, through: date | None = None
) -> pa.Table:
    """Return the movement table of terms under a policy, checked to balance on every day of every customer.

    Raises as :func:`steps_under`.
    """
    steps = steps_under(policy, terms, rates=rates, through=through)
    moved = movements(steps, free_customers_stay=policy.free_customers_stay)
    balance(steps, moved)
    return moved
