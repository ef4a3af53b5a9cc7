"""Rows of the Dashboard's export and of any table of subscriptions read as what was agreed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

from potager.connectors.stripe.agreed import Agreed, Line, Off, fault_of
from potager.connectors.stripe.columns import LITERAL, in_cents
from potager.connectors.stripe.delimited import CsvFile
from potager.connectors.stripe.units import (
    RefusedError,
    currency_of,
    interval_of,
    major_to_minor,
    number,
    whole_number,
)
from potager.engines.finance import MONTHLY, Interval
from potager.engines.finance.terms import State

_STATES: dict[str, State | None] = {
    **dict.fromkeys(("active", "live", "current", "ok", "paid", "open", "running", "nonrenewing"), "active"),
    **dict.fromkeys(("trialing", "trial", "intrial", "ontrial", "trialling"), "trialing"),
    **dict.fromkeys(("pastdue", "overdue", "late", "delinquent", "dunning"), "past_due"),
    "unpaid": "unpaid",
    **dict.fromkeys(("paused", "onhold", "suspended"), "paused"),
    **dict.fromkeys(("incomplete", "incompleteexpired", "pending", "future", "draft"), None),
}  # fmt: skip
_ENDED = frozenset(
    {"canceled", "cancelled", "ended", "expired", "churned", "inactive", "terminated", "closed"}
)
_YES, _NO = frozenset({"true", "t", "yes", "y", "1"}), frozenset({"", "false", "f", "no", "n", "0"})


class RowReader:
    """Reads rows by a mapping of roles to columns."""

    def __init__(self, file: CsvFile, mapping: Mapping[str, str]) -> None:
        self._mapping = mapping
        self._times = {column: file.time_in(column) for column in mapping.values()}
        self._marks = {one.source_name: one.cast.decimal_mark for one in file.shape.columns}

    def agreed(self, cells: Mapping[str, str]) -> Agreed:
        """Return what a row says. Raises :class:`RefusedError` with a sentence where it says nothing countable."""
        customer, starts = self._text(cells, "customer"), self._day(cells, "starts")
        if not customer:
            raise RefusedError("It has no customer.", "Write whose it is.")
        if starts is None:
            raise RefusedError("It has no day on which it starts.", "Write it, such as 2026-11-23.")
        if self._text(cells, "coupon") and not self._text(cells, "discount"):
            raise RefusedError(
                f"It has the coupon '{self._text(cells, 'coupon')}', and what that takes off is not in the file.",
                "Load it from Stripe's API or its events, which hold coupons.",
            )
        currency = currency_of(self._text(cells, "currency"))
        plan = self._text(cells, "plan")
        line = self._line(cells, currency, plan)
        state, over = self._state(cells)
        requested, ends = self._end(cells, line, over=over)
        if ends is not None and ends < starts:
            raise RefusedError(
                f"It ends on {ends}, before it starts on {starts}.",
                "Check which of the two dates is wrong; it counts nowhere until then.",
            )
        trial_until = self._day(cells, "trial_ends")
        trial_until = trial_until if trial_until is not None and trial_until > starts else None
        if over and trial_until is not None and ends is not None and ends <= trial_until:
            state = "trialing"
        found = Agreed(
            customer, self._named(cells, customer, plan), currency, (line,), starts, state,
            offs=self._discount(cells, currency),
            trial_from=self._day(cells, "trial_starts"), trial_until=trial_until,
            canceled_on=None if requested is None else max(requested, starts), ends=ends, ended=over,
        )  # fmt: skip
        wrong = fault_of(found)
        if wrong:
            raise RefusedError(*wrong)
        return found

    def name(self, cells: Mapping[str, str]) -> str:
        """Return what a row is called where it is set aside."""
        return self._text(cells, "subscription") or self._text(cells, "customer")

    def _named(self, cells: Mapping[str, str], customer: str, plan: str) -> str:
        if name := self._text(cells, "subscription"):
            return name
        return f"{customer}/{plan}" if plan else customer

    def _text(self, cells: Mapping[str, str], role: str) -> str:
        column = self._mapping.get(role)
        if column is None or column.startswith(LITERAL):
            return (column or "").removeprefix(LITERAL)
        return cells.get(column, "")

    def _day(self, cells: Mapping[str, str], role: str) -> date | None:
        text = self._text(cells, role)
        if not text:
            return None
        found = self._times[self._mapping[role]](text)
        return None if found is None else found.date()

    def _line(self, cells: Mapping[str, str], currency: str, plan: str) -> Line:
        role = next(role for role in ("unit_amount", "amount", "mrr", "arr") if role in self._mapping)
        amount = self._money(cells, role, currency)
        if amount is None:
            raise RefusedError(
                "Its price is not in the file, so what is paid cannot be known.",
                "Write the price, or load it from Stripe's API, which has the prices of several plans.",
            )
        if amount < 0:
            raise RefusedError("It has a negative price.", "Write what is taken off as a discount.")
        text = self._text(cells, "quantity")
        quantity = whole_number(text, "quantity") if text else 1
        if quantity < 0:
            raise RefusedError(
                f"It has a negative quantity, {quantity}.",
                "Write a refund as a refund, not as a negative sale.",
            )
        metered = self._text(cells, "usage").lower() == "metered"
        return Line(
            name="", plan=plan, product="",
            unit=amount if role == "unit_amount" or quantity == 0 else amount / quantity,
            quantity=0 if metered else quantity,
            every=self._every(cells, role), kind="metered" if metered else "recurring",
            period_starts=self._day(cells, "period_starts"), period_ends=self._day(cells, "period_ends"),
        )  # fmt: skip

    def _every(self, cells: Mapping[str, str], role: str) -> Interval:
        if role == "mrr":
            return MONTHLY
        if role == "arr":
            return Interval(1, "year")
        return interval_of(self._text(cells, "interval"), self._text(cells, "interval_count") or None)

    def _money(self, cells: Mapping[str, str], role: str, currency: str) -> Fraction | None:
        text = self._text(cells, role)
        if not text:
            return None
        mark = self._marks.get(self._mapping[role], ".")
        if mark == ",":
            text = text.replace(".", "").replace(",", ".")
        return number(text) if in_cents(self._mapping[role]) else major_to_minor(text, currency)

    def _discount(self, cells: Mapping[str, str], currency: str) -> tuple[Off, ...]:
        text = self._text(cells, "discount")
        if not text:
            return ()
        if text.endswith("%"):
            percent = number(text.removesuffix("%"))
            return (Off("forever", percent=percent),) if percent else ()
        cents = self._money(cells, "discount", currency)
        return (Off("forever", cents=cents),) if cents else ()

    def _state(self, cells: Mapping[str, str]) -> tuple[State | None, bool]:
        """Return the state and whether the subscription is over; over ones were active before, as far as is known."""
        text = self._text(cells, "status")
        word = "".join(letter for letter in text.lower() if letter.isalpha())
        if word in _ENDED:
            return "active", True
        if not word:
            return "active", False
        if word not in _STATES:
            raise RefusedError(
                f"Its status is '{text}', which is none that is known.",
                "Write active, trialing, past_due, unpaid, paused or canceled.",
            )
        return _STATES[word], False

    def _end(self, cells: Mapping[str, str], line: Line, *, over: bool) -> tuple[date | None, date | None]:
        """Return the day the end was asked for and the day it is or was; None for none."""
        requested, ends = self._day(cells, "canceled_on"), self._day(cells, "ends")
        at_end = self._text(cells, "cancel_at_period_end").lower()
        if at_end not in _YES | _NO:
            raise RefusedError(
                f"'{at_end}' does not say whether it is canceled at its period's end.", "Write true or false."
            )
        if ends is None and at_end in _YES:
            ends = line.period_ends
        if ends is None and (over or (requested and "cancel_at_period_end" not in self._mapping)):
            ends = requested
        if ends is None and over:
            raise RefusedError("It is over, and the day it ended is not in the file.", "Write that day.")
        if ends is None or requested is None:
            return None, ends
        return min(requested, ends), ends
