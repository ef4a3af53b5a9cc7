"""Bad input: a sentence each, and a refusal where a number would lie."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.engines.finance import (
    Change,
    Discount,
    FinanceError,
    InvoiceLine,
    Price,
    Span,
    Subscription,
    allocate,
    check_terms,
    daily_steps,
    share_discount,
    stripe,
    terms_of,
)
from tests.engines.finance.histories import day

GOOD = Subscription("acme", "plan", Price(1_000, "USD"), date(2024, 1, 1))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"ends": date(2023, 12, 1)}, "ends on 2023-12-01, before it starts on 2024-01-01"),
        (
            {"ends": day(5), "cancel_requested": day(9)},
            "canceled on 2024-01-10, after it had ended on 2024-01-06",
        ),
        ({"quantity": -3}, "a negative quantity, -3"),
        ({"changes": (Change(day(3), quantity=-1),)}, "a negative quantity, -1"),
        ({"price": Price(-5, "USD")}, "a negative price"),
        ({"discounts": (Discount("once", cents=1_001, currency="USD"),)}, "a discount above the price"),
        ({"discounts": (Discount("forever", percent=101),)}, "a discount above the price"),
        ({"discounts": (Discount("forever", percent=-1),)}, "a negative discount"),
        ({"discounts": (Discount("forever"),)}, "not one of a percentage or an amount"),
        (
            {"discounts": (Discount("once", cents=5, currency="EUR"),)},
            "billed in USD and has a discount in EUR",
        ),
        ({"discounts": (Discount("repeating", percent=5),)}, "a repeating discount without months"),
        ({"changes": (Change(day(3), price=Price(5, "EUR")),)}, "billed in two currencies, EUR and USD"),
        ({"trial_until": date(2023, 12, 31)}, "a trial that ends before it starts"),
        ({"pauses": (Span(day(9), day(3)),)}, "ends on 2024-01-04, before 2024-01-10"),
    ],
)
def test_a_described_subscription_that_means_nothing_gets_a_sentence(change, sentence):
    with pytest.raises(FinanceError, match=sentence) as met:
        terms_of([replace(GOOD, **change)])
    assert met.value.mend


def row(**changes) -> dict[str, object]:
    return {**terms_of([GOOD]).to_pylist()[0], **changes}


def table(*rows: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=terms_of([GOOD]).schema)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"ends": date(2023, 12, 1)}, "ends before it starts"),
        ({"quantity": -1}, "has a negative quantity"),
        ({"unit_cents": -1}, "has a negative price"),
        ({"unit_cents": 2**40, "quantity": 2**40}, "too large to be counted in 64 bits"),
        ({"once_off": 600, "forever_off": 600}, "has a discount above the price"),
        ({"once_off": -1}, "has a negative discount"),
        ({"interval_count": 0}, "has a billing interval below 1"),
        ({"interval_unit": "fortnight"}, "has a unit that is none of day, week, month, year"),
        ({"state": "dormant"}, "has a state that is none of active, trialing"),
        ({"kind": "gift"}, "has a kind that is none of recurring, metered, one_time"),
    ],
)
def test_a_row_that_means_nothing_gets_a_sentence_with_its_place(change, sentence):
    found = check_terms(table(row(), row(customer="other", **change)))
    assert [bad.row for bad in found] == [1]
    assert sentence in found[0].because
    assert found[0].because.startswith("The subscription 'plan' of 'other'")
    assert found[0].mend


def test_two_currencies_and_two_prices_on_one_day_are_found_between_rows():
    ends = row(ends=day(40))
    assert check_terms(table(ends, row(starts=day(40)))) == ()
    (twice,) = check_terms(table(ends, row(starts=day(39))))
    assert (twice.row, "two prices on the same day" in twice.because) == (1, True)
    (mixed,) = check_terms(table(ends, row(starts=day(39), currency="EUR")))
    assert "two currencies at once" in mixed.because
    assert check_terms(table(ends, row(starts=day(40), currency="EUR"))) == ()
    assert check_terms(table(ends, row(customer="other"))) == ()


def test_a_figure_of_bad_rows_is_refused_and_says_how_many():
    with pytest.raises(FinanceError, match=r"negative quantity \(row 1\). 1 more of 2 rows are wrong too"):
        daily_steps(table(row(quantity=-1), row(customer="b", unit_cents=-2)), stripe)


def test_a_missing_column_and_unknown_values_are_refused():
    with pytest.raises(FinanceError, match="no column 'currency'"):
        check_terms(terms_of([GOOD]).drop_columns(["currency"]))
    with pytest.raises(FinanceError, match="'unit_cents' of the terms has unknown values"):
        check_terms(table(row(unit_cents=None)))


def test_no_terms_are_no_steps():
    assert len(daily_steps(terms_of([]), stripe)) == 0


def test_names_may_be_dictionary_encoded():
    plain = terms_of([GOOD])
    encoded = plain.set_column(0, "customer", plain["customer"].dictionary_encode())
    assert daily_steps(encoded, stripe).to_pylist() == daily_steps(plain, stripe).to_pylist()


LINE = InvoiceLine("plan", 1_000, 2, "USD")


@pytest.mark.parametrize(
    ("lines", "discount", "sentence"),
    [
        ([], 0, "no lines"),
        ([LINE, InvoiceLine("x", 5, 1, "EUR")], 0, "One invoice holds two currencies, EUR and USD"),
        ([InvoiceLine("x", 5, -1, "USD")], 0, "a negative quantity, -1"),
        ([InvoiceLine("x", -5, 1, "USD")], 0, "a negative price, -5"),
        ([LINE], 2_001, "The discount of 2001 is above the price of 2000"),
        ([LINE], -1, "The discount is negative"),
    ],
)
def test_an_invoice_that_means_nothing_gets_a_sentence(lines, discount, sentence):
    with pytest.raises(FinanceError, match=sentence):
        share_discount(lines, discount)


def test_a_discount_on_an_invoice_is_shared_to_the_cent():
    lines = [InvoiceLine(name, 333, 1, "USD") for name in "abc"]
    assert share_discount(lines, 100) == (299, 300, 300)
    assert share_discount(lines, 0) == (333, 333, 333)


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_a_split_adds_up_and_no_share_is_a_cent_off(total, weights):
    if not any(weights):
        with pytest.raises(FinanceError, match="cannot be split"):
            allocate(total, weights)
        return
    shares = allocate(total, weights)
    assert sum(shares) == total
    assert all(
        abs(share * sum(weights) - total * weight) < sum(weights)
        for share, weight in zip(shares, weights, strict=True)
    )
