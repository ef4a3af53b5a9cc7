"""One picture of each kind, with what makes drawing hard: gaps, twins, long names, signs, incomplete periods."""

from __future__ import annotations

import math
from datetime import date

from potager.kit.charts import (
    Bar,
    Chart,
    Cohort,
    End,
    Estimate,
    Happening,
    Movement,
    Series,
    Shares,
    Target,
    TreeEdge,
    TreeNode,
    TreePicture,
    WithinMix,
    cohort_grid,
    compared,
    component_by_segment,
    ranked_bars,
    share_bars,
    time_series,
    within_mix,
)  # fmt: skip
from potager.kit.charts.waterfall import waterfall

AS_OF = date(2011, 12, 9)
MONTHS = (date(2010, 12, 1), *(date(2011, month, 1) for month in range(1, 13)))
REVENUE = (
    748957.0, 560000.0, 498062.0, 683267.0, 493207.0, 723333.0, 691123.0, 681300.0, 682680.0, 1019687.0, 1070704.0,
    1461756.0, 433668.0,
)  # fmt: skip
NET_REVENUE = Series("Net revenue", MONTHS, REVENUE)
HAPPENINGS = (
    Happening(date(2011, 3, 14), "new price list", "shipped"),
    Happening(date(2011, 4, 18), "payment provider down for two days", "broke"),
    Happening(date(2011, 9, 2), "Christmas range", "announced"),
    Happening(date(2011, 10, 20), "trade fair"),
)


def partial_line() -> Chart:
    return time_series(
        NET_REVENUE, title="Net revenue nearly doubled from December to November", unit="GBP", as_of=AS_OF,
        previous=Series("a year before", MONTHS, tuple(value * 0.8 for value in REVENUE)),
        target=Target(1_200_000, label="target for Q4, monthly"), happenings=HAPPENINGS, partial_last=True,
        partial_note="9 of 31 days",
    )  # fmt: skip


def partial_bars() -> Chart:
    return time_series(
        NET_REVENUE, title="Bars start at zero", unit="GBP", as_of=AS_OF, form="bars", partial_last=True,
        partial_note="9 of 31 days", target=Target(800_000),
    )  # fmt: skip


def forecast() -> Chart:
    ahead = tuple(date(2012, month, 1) for month in range(1, 4))
    return time_series(
        Series("Net revenue", MONTHS[:-1], REVENUE[:-1]), title="The target will probably be missed", unit="GBP",
        forecast=Series("forecast, 80 % range", ahead, (6e5, 6.2e5, 7e5), (5e5, 4.9e5, 5.4e5), (7e5, 7.4e5, 8.5e5)),
        target=Target(low=900_000, high=1_000_000, label="plan"),
    )  # fmt: skip


def several_lines() -> Chart:
    names = ("United Kingdom", "Netherlands", "Ireland (EIRE)", "Germany", "France", "Australia")
    lines = [
        Series(
            name,
            MONTHS,
            tuple(
                None if (row, at) == (2, 5) else 0.62 + row * 0.012 + 0.02 * math.sin(at / 2 + row)
                for at in range(13)
            ),
        )
        for row, name in enumerate(names)
    ]
    return time_series(lines, title="Retention differs little", unit="share", as_of=AS_OF, partial_last=True)


def banded_weeks() -> Chart:
    weeks = tuple(date.fromordinal(date(2011, 10, 3).toordinal() + 7 * week) for week in range(6))
    values = (0.041, 0.043, None, 0.046, None, 0.047)
    low, high = (tuple(None if value is None else value + by for value in values) for by in (-0.005, 0.005))
    return time_series(
        Series("Conversion", weeks, values, low, high),
        title="Perhaps a little more",
        unit="share",
        grain="week",
    )


def long_days() -> Chart:
    days = tuple(date.fromordinal(date(2008, 1, 1).toordinal() + day) for day in range(1460))
    values = tuple(100 + day / 20 + 10 * (day % 7 < 5) + 400 * (day == 700) for day in range(1460))
    return time_series(
        Series("Active accounts", days, values),
        title="One spike",
        unit="accounts",
        grain="day",
        target=Target(low=140, high=180, label="healthy"),
    )


def ranked() -> Chart:
    bars = [
        Bar(f"Country {number}", 8_000_000 / (number + 1) ** 2, strong=number == 1) for number in range(15)
    ]
    return ranked_bars(
        bars, title="One country brings most of it", unit="GBP", what="net revenue", as_of=AS_OF
    )


def ranked_signs() -> Chart:
    bars = [
        Bar("A name that is really far too long for one row of this picture", 12300, "from 9 customers"),
        Bar("Heart", 4000, partial=True),
        Bar("Manual", -8200),
    ]
    return ranked_bars(bars, title="Corrections cost", unit="GBP")


def estimates() -> Chart:
    rows = [
        Estimate("United Kingdom", 0.653, 0.64, 0.666, 3950), Estimate("Germany", 0.71, 0.61, 0.79, 95),
        Estimate("Bahrain", None, None, None, 2),
    ]  # fmt: skip
    return compared(
        rows, title="No country differs", unit="share", what="retention", counted="customers", reference=0.655
    )


def mixed() -> Chart:
    rows = [
        WithinMix("Retail", 0.8, -0.3),
        WithinMix("Wholesale", -1.2, 0.4),
        WithinMix("France", -0.05, -0.1),
    ]
    return within_mix(rows, title="It fell within wholesale", as_of=AS_OF)


def shares() -> Chart:
    rows = [Shares("Q1", (50, 30, 20)), Shares("Q4 to 9 December", (1, 30, 69))]
    return share_bars(
        rows,
        ["new customers", "returning", "without a number"],
        title="More is without a customer",
        unit="GBP",
    )


MOVEMENTS = (
    Movement("more customers", 280_000, True), Movement("more orders each", 132_000, None),
    Movement("smaller orders", -54_000, False),
)  # fmt: skip


def movement() -> Chart:
    return waterfall(
        End("October", 1_070_704),
        MOVEMENTS,
        End("November", 1_461_756),
        title="Up £391k",
        unit="GBP",
        as_of=AS_OF,
    )


def small_movement() -> Chart:
    parts = [Movement("more", 28_000, True), Movement("less", -54_000, False)]
    return waterfall(
        End("October", 1_070_704), parts, End("November", 1_061_756), title="Hardly moved", unit="GBP"
    )


def through_zero() -> Chart:
    parts = [Movement("new", 166.67, True), Movement("churn", -366.67, False)]
    return waterfall(End("start", 0), parts, End("end", -200), title="Through zero", unit="USD")


def matrix() -> Chart:
    values = [[280e3, 132e3, -54e3], [12e3, -9e3, 2e3], [-1e3, 45e3, None]]
    return component_by_segment(
        values, components=["active customers", "orders per customer", "average order value"],
        segments=["United Kingdom", "Netherlands", "Ireland"], title="Where it moved", unit="GBP", as_of=AS_OF,
    )  # fmt: skip


def cohorts() -> Chart:
    rows = [
        Cohort(
            f"2011-{row + 1:02}",
            900 - 60 * row,
            (1.0, *(0.42 - 0.01 * at for at in range(11 - row))),
            partial=True,
        )
        for row in range(12)
    ]
    return cohort_grid(rows, title="A third come back", size_unit="customers", as_of=AS_OF, smallest=250)


CHARTS = {
    make.__name__: make
    for make in (
        partial_line, partial_bars, forecast, several_lines, banded_weeks, long_days, ranked, ranked_signs, estimates,
        mixed, shares, movement, small_movement, through_zero, matrix, cohorts,
    )
}  # fmt: skip

TREE = TreePicture(
    nodes=(
        TreeNode(
            "rev",
            "Net revenue",
            "£1.46m",
            "£1.2m",
            "+37 %",
            "good",
            "yes",
            "strategic",
            "/metrics/rev",
            (1, 2, 3),
            True,
        ),
        TreeNode(
            "cust",
            "Active customers",
            "1,664",
            "1,500",
            "+22 %",
            "good",
            "yes",
            "driver",
            "/metrics/cust?a=1&b=2",
        ),
        TreeNode(
            "aov",
            "Average <order> & value",
            "£526",
            "£550",
            "−3 %",
            "bad",
            "at_risk",
            "driver",
            "/metrics/aov",
        ),
        TreeNode("new", "New customers", "323", "", "+3", "neutral", "no", "input"),
        TreeNode(
            "items",
            "Items per order, weighted by quantity and net of every single cancellation",
            "279",
            verdict="cannot_tell",
        ),
        TreeNode("wait", "Waiting time", "", spark=(None, None)),
    ),
    edges=(
        TreeEdge("rev", "cust", operator="×"),
        TreeEdge("rev", "aov", operator="×"),
        TreeEdge("cust", "new", operator="+"),
        TreeEdge("aov", "items", operator="×"),
        TreeEdge("cust", "items", operator="÷"),
        TreeEdge("new", "wait", "influence", lag="2 months later", evidence="experiment"),
        TreeEdge("aov", "cust", "influence", evidence="correlation"),
    ),
    title="What net revenue is made of",
    subtitle="As of 9 December 2011",
)
