"""A subscription object of Stripe's API read as what was agreed, in the API's older and newer ways of writing it.

The fields are those of docs.stripe.com/api/subscriptions/object: the period's end on the subscription (until the
version 2025-03-31) or on its items, a ``discount`` or a list of ``discounts``, a ``price`` or a ``plan``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from potager.connectors.stripe.agreed import Agreed, Line, Off, fault_of
from potager.connectors.stripe.units import (
    RefusedError,
    api_minor,
    currency_of,
    day_at,
    interval_of,
    number,
    whole_number,
)
from potager.engines.finance.policies import Duration
from potager.engines.finance.terms import State

_STATES: dict[str, State | None] = {
    "active": "active", "trialing": "trialing", "past_due": "past_due", "unpaid": "unpaid", "paused": "paused",
    "canceled": "active", "incomplete": None, "incomplete_expired": None,
}  # fmt: skip
_DURATIONS: dict[str, Duration] = {"forever": "forever", "once": "once", "repeating": "repeating"}
_MOST_MONTHS = 1200
_EXPAND = "Export it again with the discounts expanded (expand[]=data.discounts.source.coupon)."


def agreed_of(obj: Mapping[str, Any], discounts: Mapping[str, Mapping[str, Any]] | None = None) -> Agreed:
    """Return what a subscription object says; ``discounts`` are discount objects by id, for those not expanded.

    Raises :class:`RefusedError` with a sentence for one that no figure may be made of.
    """
    name = str(obj.get("id") or "")
    customer = _id(obj.get("customer"))
    if not name or not customer:
        raise RefusedError(
            f"It has no {'id' if not name else 'customer'}.", "Export it whole, with its id and its customer."
        )
    status = str(obj.get("status") or "")
    if status not in _STATES:
        raise RefusedError(
            f"Its status is '{status}', which is none of Stripe's.", f"Write one of {', '.join(_STATES)}."
        )
    starts = day_at(obj.get("start_date") or obj.get("created") or obj.get("start"))
    if starts is None:
        raise RefusedError("It has no start_date.", "Export it whole, with its start_date.")
    items = _items(obj)
    currency = _one_currency(obj, items)
    lines = tuple(_line(item, obj, currency, discounts or {}) for item in items)
    trial_until = day_at(obj.get("trial_end"))
    ended = status == "canceled"
    canceled_on, ends = _end(obj, lines, ended=ended)
    if ends is not None and ends < starts:
        raise RefusedError(
            f"It ends on {ends}, before it starts on {starts}.",
            "Check which of the two dates is wrong; it counts nowhere until then.",
        )
    anchor = day_at(obj.get("billing_cycle_anchor"))
    pause = obj.get("pause_collection")
    paused = isinstance(pause, Mapping)
    state = _STATES[status]
    trial_until = trial_until if trial_until is not None and trial_until > starts else None
    if ended and trial_until is not None and ends is not None and ends <= trial_until:
        state = "trialing"
    elif ended and _inside(obj, "cancellation_details").get("reason") == "payment_failed":
        state = "past_due"
    found = Agreed(
        customer, name, currency, lines, starts, state,
        offs=_discounts(obj, currency, discounts or {}),
        trial_from=day_at(obj.get("trial_start")),
        trial_until=trial_until,
        anchor=anchor if anchor is not None and anchor >= starts else None,
        paused=paused,
        resumes_on=day_at(pause.get("resumes_at")) if isinstance(pause, Mapping) else None,
        canceled_on=None if canceled_on is None else max(canceled_on, starts),
        ends=ends,
        ended=ended,
    )  # fmt: skip
    wrong = fault_of(found)
    if wrong:
        raise RefusedError(*wrong)
    return found


def _id(value: Any) -> str:
    """Return the id of a reference that may be expanded to the object."""
    return str((value.get("id") if isinstance(value, Mapping) else value) or "")


def _inside(obj: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object in a field, an empty one where there is none."""
    found = obj.get(name)
    return found if isinstance(found, Mapping) else {}


def _items(obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given = obj.get("items")
    data = given.get("data") if isinstance(given, Mapping) else given
    if isinstance(data, list) and data and all(isinstance(item, Mapping) for item in data):
        if isinstance(given, Mapping) and given.get("has_more"):
            raise RefusedError(
                "Only the first of its items are in the file.", "Export it with all of its items."
            )
        return [item for item in data if not item.get("deleted")] or data
    if isinstance(obj.get("plan"), Mapping):
        return [{"plan": obj["plan"], "quantity": obj.get("quantity", 1)}]
    raise RefusedError("It has no items.", "Export it whole, with its items and their prices.")


def _price(item: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("price", "plan"):
        if isinstance(item.get(name), Mapping):
            found: Mapping[str, Any] = item[name]
            return found
    raise RefusedError(
        f"Its item '{_id(item)}' has no price.", "Export it with the prices of its items expanded."
    )


def _one_currency(obj: Mapping[str, Any], items: list[Mapping[str, Any]]) -> str:
    found = sorted({currency_of(_price(item).get("currency") or obj.get("currency")) for item in items})
    if len(found) > 1:
        raise RefusedError(
            f"It is billed in two currencies at once, {' and '.join(found)}.",
            "Split it into one subscription a currency; amounts of two currencies are never added.",
        )
    return found[0]


def _line(
    item: Mapping[str, Any], obj: Mapping[str, Any], currency: str, discounts: Mapping[str, Mapping[str, Any]]
) -> Line:
    price = _price(item)
    inside = price.get("recurring")
    recurring = inside if isinstance(inside, Mapping) else price
    every = interval_of(recurring.get("interval"), recurring.get("interval_count"))
    metered = recurring.get("usage_type") == "metered"
    quantity = 0 if metered else _quantity(item.get("quantity", 1), price)
    product = price.get("product")
    named = product.get("name") if isinstance(product, Mapping) else None
    return Line(
        name=_id(item),
        plan=str(price.get("nickname") or named or price.get("lookup_key") or _id(price)),
        product=_id(product),
        unit=_unit(price, currency, metered=metered),
        quantity=quantity,
        every=every,
        kind="metered" if metered else "recurring",
        offs=_discounts(item, currency, discounts),
        period_starts=day_at(item.get("current_period_start") or obj.get("current_period_start")),
        period_ends=day_at(item.get("current_period_end") or obj.get("current_period_end")),
    )


def _quantity(given: Any, price: Mapping[str, Any]) -> int:
    quantity = whole_number(1 if given is None else given, "quantity")
    if quantity < 0:
        raise RefusedError(
            f"It has a negative quantity, {quantity}.", "Write a refund as a refund, not as a negative sale."
        )
    packages = price.get("transform_quantity")
    if isinstance(packages, Mapping):
        size = whole_number(packages.get("divide_by"), "package size")
        if size < 1:
            raise RefusedError(f"Its packages hold {size}.", "Write 1 or more.")
        return -(-quantity // size) if packages.get("round") == "up" else quantity // size
    return quantity


def _unit(price: Mapping[str, Any], currency: str, *, metered: bool) -> Fraction:
    for name in ("unit_amount_decimal", "unit_amount", "amount_decimal", "amount"):
        if price.get(name) is not None:
            unit = api_minor(price[name], currency)
            if unit < 0:
                raise RefusedError("It has a negative price.", "Write what is taken off as a discount.")
            return unit
    if metered:  # counted by usage, of which a subscription says nothing; the row says only that it is there
        return Fraction(0)
    tiered = price.get("billing_scheme") == "tiered" or price.get("tiers_mode")
    raise RefusedError(
        f"Its price '{_id(price)}' is {'tiered and has' if tiered else 'without'} no unit_amount, "
        "so what is paid cannot be known.",
        "Give the price of one in unit_amount, or load this subscription from its invoices.",
    )


def _end(obj: Mapping[str, Any], lines: tuple[Line, ...], *, ended: bool) -> tuple[date | None, date | None]:
    """Return the day the end was asked for and the day it is or was; None for none."""
    requested = day_at(obj.get("canceled_at"))
    if ended:
        ends = day_at(obj.get("ended_at")) or requested
        if ends is None:
            raise RefusedError("It is canceled and has no ended_at.", "Export it whole, with its ended_at.")
        return (None if requested is None else min(requested, ends)), ends
    ends = day_at(obj.get("cancel_at"))
    if ends is None and obj.get("cancel_at_period_end"):
        known = [line.period_ends for line in lines if line.period_ends]
        if not known:
            raise RefusedError(
                "It is canceled at the end of its period, and that end is not known.",
                "Export it whole, with its current_period_end.",
            )
        ends = max(known)
    return (None if ends is None or requested is None else min(requested, ends)), ends


def _discounts(
    obj: Mapping[str, Any], currency: str, known: Mapping[str, Mapping[str, Any]]
) -> tuple[Off, ...]:
    """Return the discounts of a subscription or of an item, each once."""
    several = obj.get("discounts")
    given = [obj.get("discount"), *(several if isinstance(several, list) else [])]
    own = {_id(one): one for one in given if isinstance(one, Mapping)}
    found: dict[str, Off] = {}
    for one in given:
        if not one:
            continue
        name = _id(one)
        whole = one if isinstance(one, Mapping) else own.get(name) or known.get(name)
        if whole is None:
            raise RefusedError(f"Of its discount '{name}' only the id is in the file.", _EXPAND)
        found.setdefault(name or f"#{len(found)}", _off(whole, currency))
    return tuple(found.values())


def _off(discount: Mapping[str, Any], currency: str) -> Off:
    source = discount.get("source")
    coupon = discount.get("coupon") or (source.get("coupon") if isinstance(source, Mapping) else None)
    if not isinstance(coupon, Mapping):
        raise RefusedError(f"The coupon of its discount '{_id(discount)}' is not in the file.", _EXPAND)
    duration = _DURATIONS.get(str(coupon.get("duration")))
    if duration is None:
        raise RefusedError(
            f"Its coupon lasts '{coupon.get('duration')}', which is no duration.",
            "Write forever, once or repeating.",
        )
    ends, months = day_at(discount.get("end")), coupon.get("duration_in_months")
    if duration == "repeating" and ends is None and not months:
        raise RefusedError(
            "It has a repeating discount without months.", "Say for how many in duration_in_months."
        )
    percent, cents = coupon.get("percent_off"), coupon.get("amount_off")
    if percent is None and cents is None:
        raise RefusedError("Its coupon has neither percent_off nor amount_off.", "Give one of them.")
    if percent is None:
        cents = _amount_off(coupon, currency)
    return Off(
        duration,
        percent=number(percent) if percent is not None else Fraction(0),
        cents=Fraction(0) if percent is not None else api_minor(cents, currency),
        months=_months(months),
        starts=day_at(discount.get("start")),
        ends=ends,
        products=_products(coupon),
    )


def _products(coupon: Mapping[str, Any]) -> frozenset[str]:
    """Return the products that a coupon is for, none for all."""
    found = _inside(coupon, "applies_to").get("products") or []
    if not isinstance(found, list):
        raise RefusedError("The products its coupon is for cannot be read.", _EXPAND)
    return frozenset(map(str, found))


def _months(given: Any) -> int:
    months = whole_number(given, "number of months") if given else 0
    if not 0 <= months <= _MOST_MONTHS:
        raise RefusedError(f"Its discount lasts {months} months.", "Check duration_in_months.")
    return months


def _amount_off(coupon: Mapping[str, Any], currency: str) -> Any:
    """Return the coupon's amount in the subscription's currency."""
    held = str(coupon.get("currency") or "").upper()
    if held == currency:
        return coupon["amount_off"]
    other = _inside(coupon, "currency_options").get(currency.lower())
    if isinstance(other, Mapping) and other.get("amount_off") is not None:
        return other["amount_off"]
    raise RefusedError(
        f"It is billed in {currency} and has a discount in {held or 'no currency'}.",
        "Give the discount in the currency of the price.",
    )
