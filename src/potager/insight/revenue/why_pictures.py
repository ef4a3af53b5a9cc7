"""What the pages of differences say and draw: sentences, the bridge from one policy to another, knobs in words."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

from potager.engines.finance import Policy, PolicyDifference, Restatement
from potager.engines.finance.policies import CALENDAR_WEEK
from potager.insight.revenue import why, why_restated
from potager.insight.revenue.policies import policy_named
from potager.kit import words
from potager.kit.charts.chart import Chart
from potager.kit.charts.waterfall import End, Movement, waterfall
from potager.kit.currencies import amount

MOST_SAID = 3
_COUNT = {
    "trials": "trials",
    "past_due": "past-due subscriptions",
    "unpaid": "unpaid subscriptions",
    "paused": "paused subscriptions",
    "metered": "usage-based prices",
    "brief_signups": "customers who leave within their first month",
}
_ENDS = {
    "request": "a cancellation counts on the day it is asked for",
    "end": "a cancellation counts when billing ends it",
    "period_end": "a cancellation counts when the paid period is over",
}
_RATES = {
    "revalued": "other currencies count at today's rate",
    "at_purchase": "other currencies keep the rate of the first payment",
}
_SHORT = {
    "weeks_a_month": "weeks",
    "days_a_month": "days",
    "discounts": "discounts",
    "trials": "trials",
    "past_due": "past due",
    "unpaid": "unpaid",
    "paused": "paused",
    "metered": "usage-based",
    "churn_dated": "cancellations",
    "free_customers_stay": "free customers",
    "brief_signups": "brief customers",
    "currency": "currencies",
}


def short(part: str) -> str:
    """Return a knob in a word or two, for pictures: ``Discounts``."""
    return _SHORT.get(part, part).capitalize()


def setting(policy: Policy, knob: str) -> str:
    """Return how a policy has a knob, as a clause: ``paused subscriptions do not count``."""
    value = getattr(policy, knob)
    if knob in _COUNT:
        return f"{_COUNT[knob]} {'count' if value else 'do not count'}"
    match knob:
        case "discounts":
            return _discounts(value)
        case "churn_dated":
            return _ENDS[value]
        case "currency":
            return _RATES[value]
        case "free_customers_stay":
            return f"who comes to pay nothing has {'not ' if value else ''}left"
        case "weeks_a_month":
            year = "365 days" if value == CALENDAR_WEEK else "52 weeks"
            return f"a month has {_number(value)} weeks, a year {year}"
        case _:
            return f"a month has {_number(value)} days"


def _discounts(durations: frozenset[str]) -> str:
    if not durations:
        return "no discount lowers a price"
    if durations == {"once", "repeating", "forever"}:
        return "every discount lowers a price"
    return f"only discounts that are {words.listing(sorted(durations), 'or')} lower a price"


def _number(value: Fraction) -> str:
    return f"{float(value):.4f}".rstrip("0").rstrip(".")


def money(cents: int, currency: str) -> str:
    """Return minor units as people say them."""
    return words.human(amount(cents, currency), currency)


def both(one: int, other: int, currency: str) -> tuple[str, str]:
    """Return two figures as people say them; in full where the short form would not tell them apart."""
    said = money(one, currency), money(other, currency)
    if one == other or said[0] != said[1]:
        return said
    return words.exact(amount(one, currency), currency), words.exact(amount(other, currency), currency)


def said_day(day: date) -> str:
    """Return a day as sentences name it: ``30 September 2024``."""
    return f"{day.day} {day:%B %Y}"


def _more(cents: int, currency: str) -> str:
    return f"{money(abs(cents), currency)} {'more' if cents > 0 else 'less'}"


def sentence(found: PolicyDifference, currency: str, stated: int | None = None) -> str:
    """Return the answer: both figures, and how much of the difference is because of which knob, the largest first.

    ``stated``: what the second's own page shows, in minor units; what no rule explains of it is said as well.
    """
    told = _sentence(found, currency)
    if stated is None:
        return told
    rest = stated - found.second.get(currency, 0)
    shown = words.exact(amount(stated, currency), currency)
    page = f"{named(found.second_policy).capitalize()}'s own page shows {shown}"
    return (
        f"{told} {page}: {_more(rest, currency)}, which no rule explains." if rest else f"{told} {page}, too."
    )


def _sentence(found: PolicyDifference, currency: str) -> str:
    first, second = found.first.get(currency, 0), found.second.get(currency, 0)
    names = named(found.first_policy), named(found.second_policy)
    if names[0] == names[1]:
        return f"By {names[0]} MRR is {money(first, currency)} on {said_day(found.on)}."
    parts = why.amounts_by_knob(found, currency)
    if not parts:
        return f"By {names[0]} and by {names[1]} MRR is the same on {said_day(found.on)}: {money(first, currency)}."
    said = [
        f"{_more(cents, currency)} because {because(found.second_policy, part)}"
        for part, _, cents in parts[:MOST_SAID]
    ]
    rest = parts[MOST_SAID:]
    if rest:
        total = sum(cents for _, _, cents in rest)
        said.append(f"{_more(total, currency)} by {words.counted(len(rest), 'other rules')}")
    figures = both(first, second, currency)
    return (
        f"By {names[0]} MRR is {figures[0]} on {said_day(found.on)}, by {names[1]} {figures[1]}: "
        f"{_clauses(said)}."
    )


def _clauses(said: list[str]) -> str:
    """Return clauses as one: a comma stands before the last as well, for clauses have an *and* of their own."""
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])}, and {said[-1]}"


def named(policy: str) -> str:
    """Return a policy's name as people say it: ``list price``."""
    return policy.replace("_", " ")


def because(policy: str, part: str) -> str:
    """Return what a policy does by a knob; of what is no knob, its words."""
    return setting(policy_named(policy), part) if part in _SHORT else why.knob_says(part)


def bridge(found: PolicyDifference, currency: str, stated: int | None = None) -> Chart | None:
    """Return the waterfall from one policy's MRR over each knob, in the order they were turned, to the other's.

    With ``stated`` it leads to that, and what no rule explains is a step of its own.
    """
    parts = {part: cents for money_, part, cents in found.by_knob if money_ == currency}
    second = found.second.get(currency, 0) if stated is None else stated
    if not parts and second == found.first.get(currency, 0):
        return None
    order = [*found.knobs, *(part for part in parts if part not in found.knobs)]
    return waterfall(
        End(f"MRR by {named(found.first_policy)}", amount(found.first.get(currency, 0), currency)),
        [Movement(short(part), amount(parts[part], currency)) for part in order if part in parts],
        End(
            f"{'MRR' if stated is None else 'shown'} by {named(found.second_policy)}",
            amount(second, currency),
        ),
        title=f"From MRR by {named(found.first_policy)} to MRR by {named(found.second_policy)}",
        unit=currency,
        as_of=found.on,
    )


def knobs(found: PolicyDifference, currency: str) -> list[dict[str, Any]]:
    """Return every knob on which the policies disagree: its amount, both settings, and what the vendors' pages say."""
    parts = {part: cents for money_, part, cents in found.by_knob if money_ == currency}
    pair = policy_named(found.first_policy), policy_named(found.second_policy)
    rows = [
        {
            "knob": knob,
            "says": why.knob_says(knob),
            "cents": parts.get(knob, 0),
            "amount": amount(parts.get(knob, 0), currency),
            "said": change(parts.get(knob, 0), currency),
            "first": setting(pair[0], knob),
            "second": setting(pair[1], knob),
            "sources": [
                {"policy": policy.name, "says": policy.sources[knob]}
                for policy in pair
                if knob in policy.sources
            ],
        }
        for knob in found.knobs
    ]
    return sorted(rows, key=lambda row: (-abs(row["cents"]), found.knobs.index(row["knob"])))


def change(cents: int, currency: str) -> str:
    """Return an amount of change with its sign."""
    return words.signed(amount(cents, currency), currency)


def said_parts(parts: dict[str, int], currency: str) -> str:
    """Return a movement's difference by knob: ``discounts +€50, cancellations −€30``."""
    return ", ".join(
        f"{_SHORT.get(part, part)} {change(cents, currency)}"
        for part, cents in sorted(parts.items(), key=lambda one: -abs(one[1]))
    )


def restated_sentence(found: Restatement, currency: str, as_of: date) -> str:
    """Return the answer: what was said then, what is known now, and how much of it came later, was withdrawn, …."""
    then, now = why_restated.said_and_known(found, currency)
    said, known = both(then, now, currency)
    head = f"On {said_day(found.known_then)} we said that MRR was {said} on {said_day(as_of)}"
    causes = why_restated.causes(found, currency)
    if not causes:
        return f"{head}, and on {said_day(found.known_now)} nothing of it is told otherwise."
    parts = [f"{change(cents, currency)} {cause}" for cause, _, cents in causes]
    return f"{head}; on {said_day(found.known_now)} we know of {known}: {words.listing(parts)}."


def restated_bridge(found: Restatement, currency: str) -> Chart | None:
    """Return the waterfall from what was said then over each cause to what is known now."""
    causes = why_restated.causes(found, currency)
    if not causes:
        return None
    then, now = why_restated.said_and_known(found, currency)
    return waterfall(
        End(said_day(found.known_then), amount(then, currency)),
        [Movement(cause.capitalize(), amount(cents, currency)) for cause, _, cents in causes],
        End(said_day(found.known_now), amount(now, currency)),
        title="From what was said then to what is known now",
        unit=currency,
    )


def committed_sentence(found: why.Committed, currency: str) -> str:
    """Return the answer: current against committed MRR, and how many leave or pay less."""
    head = f"MRR is {money(found.current, currency)} on {said_day(found.on)}"
    if not found.customers:
        return f"{head}, and nothing of it is canceled."
    lost = money(found.current - found.committed, currency)
    return (
        f"{head}; {money(found.committed, currency)} of it is committed: "
        f"{words.counted(found.customers, 'customers')} canceled {lost} that still runs."
    )


def committed_bridge(found: why.Committed, currency: str) -> Chart | None:
    """Return the waterfall from current to committed MRR over the customers who leave; none where nobody does."""
    if not found.customers:
        return None
    named = [
        Movement(one.customer, amount(one.committed - one.current, currency), False)
        for one in found.leaving[:6]
    ]
    shown = sum(one.committed - one.current for one in found.leaving[:6])
    rest = found.committed - found.current - shown
    if rest:
        named.append(Movement(f"{found.customers - len(named)} others", amount(rest, currency), False))
    return waterfall(
        End("current MRR", amount(found.current, currency)),
        named,
        End("committed MRR", amount(found.committed, currency)),
        title="From current to committed MRR",
        unit=currency,
        as_of=found.on,
    )
