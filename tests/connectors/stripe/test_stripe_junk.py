"""Whatever stands in a field, a record is used, passed over or set aside with a sentence; reading goes on."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.connectors.stripe import read
from potager.engines.finance import check_terms

from .building import KNOWN, coupon, event, item, subscription

JUNK = st.sampled_from(
    [None, "", "x", "12", -1, 0, 1, 10**30, 1e300, 0.5, True, [], {}, [1], {"id": 3}, ["x"], [None], "2024-01-01",
     253_402_300_799, -62_135_596_800, "9999-12-31", "\x00", "ü"]
)  # fmt: skip


def whole():
    """Return a subscription in which every field says something."""
    discount = coupon(
        "repeating", percent_off=10.5, duration_in_months=3, applies_to={"products": ["prod_gold"]}
    )
    other = {**coupon("forever", name="di_2", amount_off=100, currency="usd"), "end": 1_800_000_000}
    return subscription(
        item(period_ends="2024-07-10", transform_quantity={"divide_by": 2, "round": "up"}, tiers_mode=None),
        item(name="si_2", usage="metered", discounts=[other]),
        status="past_due", trial_start="2024-01-10", trial_end="2024-01-24", current_period_start="2024-06-10",
        current_period_end="2024-07-10", cancel_at_period_end=True, canceled_at="2024-06-20",
        pause_collection={"behavior": "void", "resumes_at": 1_725_000_000}, discounts=[discount],
        discount=coupon("once", name="di_3", percent_off=5), cancellation_details={"reason": "payment_failed"},
    )  # fmt: skip


def places(value, at=()):
    """Yield the path of every value inside."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in inside:
        yield (*at, key)
        yield from places(held, (*at, key))


PLACES = sorted(places(whole()), key=str)


def spoiled(spots):
    """Return the subscription with junk in places."""
    found = copy.deepcopy(whole())
    for path, junk in spots:
        held = found
        for key in path[:-1]:
            inside = isinstance(held, dict) and key in held
            held = (
                held[key]
                if inside or (isinstance(held, list) and isinstance(key, int) and key < len(held))
                else None
            )
        if isinstance(held, dict) or (
            isinstance(held, list) and isinstance(path[-1], int) and path[-1] < len(held)
        ):
            held[path[-1]] = junk
    return found


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("junk") / "file.jsonl"


SPOTS = st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=3)


@settings(max_examples=400, deadline=None)
@given(spots=SPOTS, status=st.sampled_from(["active", "trialing", "canceled", "paused", "past_due"]))
def test_junk_in_a_subscription_never_stops_the_reading(path, spots, status):
    bad = spoiled([(("status",), status), *spots])
    path.write_text("\n".join(map(json.dumps, [subscription(name="sub_good", customer="cus_good"), bad])))
    check(read(path, kind="api", known_at=KNOWN), 2)


@settings(max_examples=400, deadline=None)
@given(spots=SPOTS, before=SPOTS)
def test_junk_in_an_event_never_stops_the_reading(path, spots, before):
    previous = spoiled(before)
    bad = event(
        "updated",
        "2024-02-01",
        whole(),
        name="evt_2",
        before={"items": previous["items"], "discounts": previous["discounts"]},
    )
    bad["data"]["object"] = spoiled(spots)
    good = event("created", "2024-01-10", subscription(name="sub_good", customer="cus_good"), name="evt_1")
    path.write_text("\n".join(map(json.dumps, [good, bad])))
    check(read(path, kind="events"), 2)


CELLS = st.sampled_from(
    ["", "x", "-1", "0", "1e9", "9" * 40, "2024-01-10", "1900-01-01", "9999-12-31", "50%", "101%", "active", "ended",
     "month", "9999 years", "USD", "10.005", "true", "=A1", '"', "ü"]
)  # fmt: skip
ROWS = st.lists(st.lists(CELLS, min_size=12, max_size=12), min_size=1, max_size=40)


@settings(max_examples=12, deadline=None)
@given(several=ROWS)
def test_junk_in_rows_never_stops_the_reading(path, several):
    header = "customer,subscription,started_at,ended_at,canceled_at,status,amount,currency,quantity"
    header += ",interval,trial_end,discount"
    good = "good,g,2024-01-10,,,active,10,USD,1,month,,"
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in cells) for cells in several]
    csv = path.with_suffix(".csv")
    csv.write_text("\n".join([header, good, *quoted, ""]))
    check(read(csv, kind="plain", known_at=KNOWN), 1 + sum(any(cells) for cells in several))


def check(reading, count):
    """Every record is counted once, what was set aside has its sentences, and the rest can be counted."""
    counts = reading.counts
    assert counts["read"] == count
    assert counts["read"] == sum(counts[name] for name in ("used", "repeated", "passed_over", "rejected"))
    assert check_terms(reading.terms) == ()
    assert {"good", "cus_good"} & set(reading.terms["customer"].to_pylist())
    for row in reading.rejected.to_pylist():
        assert row["where"]
        assert row["because"].endswith((".", "]"))
        assert row["mend"]
