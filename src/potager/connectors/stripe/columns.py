"""Which column of a table of subscriptions is which: roles, the words headers use for them, and a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from potager.kit.errors import FieldProblem, Invalid

# Of each role the words in the order in which they are preferred; compared without case, spaces and punctuation.
_WORDS: dict[str, tuple[str, ...]] = {
    "customer": ("customer id", "customer external id", "customer uuid", "customer", "account id", "account",
                 "client id", "client", "user id", "customer email", "email", "customer name", "company"),
    "subscription": ("subscription id", "subscription external id", "subscription uuid", "subscription",
                     "subscription set external id", "id", "contract id", "contract"),
    "plan": ("plan", "plan name", "plan external id", "plan uuid", "plan id", "product", "product name", "price id",
             "tier", "package"),
    "quantity": ("quantity", "qty", "seats", "units", "licenses", "licences"),
    "currency": ("currency", "currency code", "plan currency"),
    "interval": ("interval", "billing period", "billing interval", "billing cycle", "period", "interval unit",
                 "plan interval", "frequency", "billing frequency", "term"),
    "interval_count": ("interval count", "plan interval count", "billing period count", "interval length"),
    "unit_amount": ("unit amount", "unit price", "price per unit", "price per seat", "plan amount", "unit cents",
                    "unit amount cents", "unit amount in cents"),
    "amount": ("amount", "price", "total", "value", "amount cents", "amount in cents", "recurring amount", "fee"),
    "mrr": ("mrr", "mrr cents", "mrr in cents", "monthly recurring revenue", "monthly amount", "monthly revenue"),
    "arr": ("arr", "arr cents", "arr in cents", "annual recurring revenue", "annual run rate", "yearly amount"),
    "status": ("status", "state", "subscription status"),
    "starts": ("start date", "started at", "starts at", "starts", "start", "started on", "begins", "begin date",
               "activated at", "service period start", "signup date", "created at", "created"),
    "ends": ("ended at", "ends at", "end date", "ends", "ended on", "end", "expires at", "expired at", "churned at",
             "termination date", "service period end"),
    "canceled_on": ("canceled at", "cancelled at", "canceled on", "cancelled on", "cancellation date", "canceled",
                    "cancelled", "canceled date", "cancelation requested at"),
    "cancel_at_period_end": ("cancel at period end",),
    "trial_starts": ("trial start", "trial started at", "trial starts", "trial start date"),
    "trial_ends": ("trial end", "trial ends at", "trial ends", "trial ended at", "trial end date", "trial until"),
    "period_starts": ("current period start", "current period started at"),
    "period_ends": ("current period end", "current period ends at", "paid until", "renews at", "renewal date",
                    "next billing date"),
    "coupon": ("coupon", "coupon id", "discount id", "promotion code"),
    "discount": ("discount", "discount amount", "discount cents", "discount amount in cents"),
    "usage": ("usage type",),
}  # fmt: skip
# In a mapping, ``=EUR`` is the same value on every row and no column.
LITERAL = "="
_MAY_BE_LITERAL = ("currency", "interval")
ROLES: tuple[str, ...] = tuple(_WORDS)
_PER_INTERVAL = ("unit_amount", "amount")
_PRICES = ("unit_amount", "amount", "mrr", "arr")
# Of the Dashboard's export these are its own words; ``Amount`` is the price of one there.
_DASHBOARD = {
    "subscription": ("id", "subscription id"),
    "customer": ("customer id",),
    "unit_amount": ("amount", "plan amount"),
    "starts": ("start date", "start", "created"),
}
_DASHBOARD_HAS = (
    {"customerid"},
    {"currentperiodend", "currentperiodstart"},
    {"status"},
    {"amount"},
    {"interval"},
)


def plain_name(header: str) -> str:
    """Return a header without case, a trailing zone in brackets, spaces and punctuation: ``Start (UTC)`` is start."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\((utc|gmt)\)", "", header.strip().lower()))


def is_dashboard(headers: Sequence[str]) -> bool:
    """Return whether these are headers of the subscriptions export of Stripe's Dashboard."""
    names = {plain_name(header) for header in headers}
    return all(names & some for some in _DASHBOARD_HAS) and bool(names & {"id", "subscriptionid"})


def is_plain(headers: Sequence[str]) -> bool:
    """Return whether these look like headers of a table of subscriptions: a customer, a start, and a price."""
    found = guessed(headers)
    return {"customer", "starts"} <= set(found) and any(role in found for role in _PRICES)


def guessed(headers: Sequence[str], *, dashboard: bool = False) -> dict[str, str]:
    """Return the column of each role that the headers tell; each column has one role."""
    names: dict[str, str] = {}
    for header in headers:
        names.setdefault(plain_name(header), header)
    words = {**_WORDS, **_DASHBOARD} if dashboard else _WORDS
    if dashboard:
        words = {role: said for role, said in words.items() if role not in ("amount", "mrr", "arr")}
    found: dict[str, str] = {}
    taken: set[str] = set()
    for role in sorted(words, key=lambda role: role == "subscription"):  # ``id`` may be anybody's: last
        for word in words[role]:
            name = plain_name(word)
            if name in names and name not in taken:
                found[role] = names[name]
                taken.add(name)
                break
    return found


def mapped(
    headers: Sequence[str], mapping: Mapping[str, str] | None, *, dashboard: bool = False
) -> dict[str, str]:
    """Return the column of each role: as guessed, and as a person says in ``mapping`` (a role given "" has none).

    Raises :class:`Invalid` for a role or a column that is not there, and where one that is needed has no column.
    """
    found = guessed(headers, dashboard=dashboard)
    wrong: list[FieldProblem] = []
    for role, column in (mapping or {}).items():
        if role not in ROLES:
            wrong.append(FieldProblem(role, f"'{role}' is no role.", f"Use one of {', '.join(ROLES)}."))
        elif column.startswith(LITERAL) and role in _MAY_BE_LITERAL:
            found[role] = column
        elif column and column not in headers:
            shown = ", ".join(headers)
            wrong.append(FieldProblem(role, f"The file has no column '{column}'.", f"It has {shown}."))
        else:
            found = {held: name for held, name in found.items() if name != column and held != role}
            if column:
                found[role] = column
    needed = {"customer": ("customer",), "starts": ("starts",), "price": _PRICES, "currency": ("currency",)}
    if not {"mrr", "arr"} & set(found):
        needed["interval"] = ("interval",)
    for what, roles in needed.items():
        if not wrong and not any(role in found for role in roles):
            wrong.append(
                FieldProblem(
                    what,
                    f"No column says the {_SAID[what]}.",
                    f"Name it in the mapping as {' or '.join(roles)}"
                    + (
                        f", or write '{LITERAL}{_EXAMPLES[what]}' for all rows." if what in _EXAMPLES else "."
                    ),
                )
            )
    if wrong:
        raise Invalid(
            " ".join(one.problem for one in wrong),
            mend="Say which column is which: " + " ".join(one.mend for one in wrong),
            errors=wrong,
        )
    # One price is read; an amount without an interval says nothing, so the month's or the year's figure goes before.
    prices = [role for role in _PRICES if role in found]
    if "interval" not in found:
        prices.sort(key=lambda role: role in _PER_INTERVAL)
    given = [role for role in prices if role in (mapping or {})]
    keep = (given or prices)[0]
    return {role: column for role, column in found.items() if role not in _PRICES or role == keep}


_SAID = {
    "customer": "customer",
    "starts": "day a subscription starts",
    "price": "price",
    "currency": "currency",
    "interval": "billing interval",
}
_EXAMPLES = {"currency": "EUR", "interval": "month"}


def in_cents(header: str) -> bool:
    """Return whether a column of money says that it is in minor units."""
    return bool(re.search(r"cents|minor", header.lower()))


def mapping_notes(mapping: Mapping[str, str]) -> list[str]:
    """Return sentences on which column was read as what, and on what the price was taken to be."""
    read = "; ".join(f"{role.replace('_', ' ')} from '{column}'" for role, column in mapping.items())
    price = next(role for role in _PRICES if role in mapping)
    notes = [f"Read were: {read}."]
    if price == "unit_amount" and "quantity" in mapping:
        notes.append(f"'{mapping[price]}' is taken to be the price of one, times '{mapping['quantity']}'.")
    elif price == "amount":
        notes.append(f"'{mapping[price]}' is taken to be what all of it costs for one billing interval.")
    if "discount" in mapping:
        notes.append(
            f"'{mapping['discount']}' is taken to lower the price for as long as the subscription lasts."
        )
    return notes
