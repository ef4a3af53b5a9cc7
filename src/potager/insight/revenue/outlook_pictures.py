"""What a book's outlook says and draws: the forecast with its tested range, and a scenario beside its base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from potager.engines.answers import CannotTell
from potager.engines.finance import Ratio, nearest
from potager.engines.finance.projection import ProjectedMonth
from potager.engines.statistics.forecast import Forecast
from potager.insight.revenue.outlook import Economics, Outlook, Scenario
from potager.insight.revenue.readings import plus_months
from potager.kit import words
from potager.kit.charts.chart import Chart
from potager.kit.charts.series import Series, time_series
from potager.kit.currencies import amount, minor_in

SHOWN_HISTORY = 24
NAMES = {"new": "new MRR", "expansion": "expansion", "contraction": "contraction", "churn": "churn"}
METHODS = {
    "last_value": "the last month, repeated",
    "recent_median": "the median of the last months, repeated",
    "drift": "a straight line through what was",
    "theta": "theta, a line through what was and the last level between them",
    "ets_damped": "exponential smoothing with a trend that fades",
    "combination": "the mean of median, theta and smoothing",
}


def _money(cents: float, currency: str) -> str:
    return words.human(cents / minor_in(currency), currency)


def said_forecast(outlook: Outlook) -> str:
    """Return where MRR will likely be after the last month ahead, with its range."""
    found = outlook.found
    if isinstance(found, CannotTell):
        return f"There is no forecast of MRR. {found.because}"
    unit = outlook.currency
    last = outlook.ahead[-1]
    low, high = (amount(round(float(one)), unit) for one in (found.low[-1], found.high[-1]))
    return (
        f"MRR will likely be {words.between(low, high, unit)} at the end of {last:%B %Y}, "
        f"{_money(float(found.values[-1]), unit)} in the middle."
    )


def tested(found: Forecast) -> list[str]:
    """Return how the forecast was tested, in sentences."""
    method = found.method.removesuffix("_log")
    said = [
        f"{found.level:.0%} of what comes should lie within the range.".replace("%", f"{words.NBSP}%"),
        f"Of {len(found.candidates)} ways to forecast, this one missed least on this very series, from "
        f"{found.origins} moments of its past: {METHODS.get(method, method)}"
        + (", on logarithms." if method != found.method else "."),
    ]
    if found.coverage is not None:
        said.insert(
            1,
            f"Back test: of {words.counted(found.judged, 'months')} that ranges had been given for at the time, "
            f"{words.human(found.coverage, 'share')} lay within them.",
        )
    return [*said, *found.notes]


def forecast_chart(outlook: Outlook) -> Chart | None:
    """Return MRR of the last months and the forecast with its range; none where there is no forecast."""
    found = outlook.found
    if isinstance(found, CannotTell):
        return None
    unit, shown = outlook.currency, outlook.history[-SHOWN_HISTORY:]

    def amounts(values: Any) -> tuple[float, ...]:
        return tuple(amount(round(float(one)), unit) for one in values)

    return time_series(
        Series("MRR", tuple(one.starts for one in shown), amounts(one.end for one in shown)),
        title="MRR at the end of each month, and what the next will likely bring",
        unit=unit,
        forecast=Series(
            "forecast", outlook.ahead, amounts(found.values), amounts(found.low), amounts(found.high)
        ),
    )


def said_changes(scenario: Scenario) -> str:
    """Return what is changed, to the digit it was given: ``new MRR up 10 % and churn down 22.5 %``."""
    parts = [
        f"{NAMES[name]} {'up' if by > 0 else 'down'} {words.exact(abs(float(by)), '%')}"
        for name, by in scenario.changes.items()
    ]
    return words.listing(parts)


def said_scenario(scenario: Scenario) -> str:
    """Return what the changes make after the last month, or where the last months' rates lead to without any."""
    unit, last = scenario.currency, scenario.starts[-1]
    base = _money(nearest(scenario.base[-1].end), unit)
    count = words.counted(len(scenario.base), "months")
    went = f"as the last {scenario.rates.months} did" if scenario.rates.months > 1 else "as the last did"
    if not scenario.changes:
        return f"If months go on {went}, MRR is {base} after {count}, at the end of {last:%B %Y}."
    there = _money(nearest(scenario.changed[-1].end), unit)
    by = _money(abs(scenario.difference), unit)
    compared = (
        f"{by} {'more' if scenario.difference > 0 else 'less'} than the"
        if scenario.difference
        else "just the"
    )
    return (
        f"With {said_changes(scenario)} from {scenario.starts[0]:%B %Y} on, MRR is {there} after {count}, at the end "
        f"of {last:%B %Y}: {compared} {base} where months go on {went}."
    )


def scenario_chart(scenario: Scenario) -> Chart:
    """Return both projections from the last month that was on; the base alone where nothing is changed."""
    unit = scenario.currency
    starts = (plus_months(scenario.starts[0], -1), *scenario.starts)

    def series(name: str, months: Sequence[ProjectedMonth]) -> Series:
        ends = (scenario.now, *(nearest(one.end) for one in months))
        return Series(name, starts, tuple(amount(cents, unit) for cents in ends))

    lines = [series("as it went", scenario.base)]
    if not scenario.changes:
        return time_series(lines, title="MRR, if months go on as they went", unit=unit)
    lines.append(series("with the change", scenario.changed))
    return time_series(lines, title="MRR as it went, and with the change", unit=unit)


def said_rates(scenario: Scenario) -> list[dict[str, str]]:
    """Return each rate as it went and as it is in the scenario."""
    unit, was, now = scenario.currency, scenario.rates, scenario.changed_rates
    rows = []
    for name in ("new", "reactivation", "expansion", "contraction", "churn"):
        before, after = getattr(was, name), getattr(now, name)
        if name in {"new", "reactivation"}:
            texts = [_money(nearest(one), unit) for one in (before, after)]
        else:
            texts = [words.human(float(one), "share") for one in (before, after)]
        rows.append({"name": NAMES.get(name, name).capitalize() if name != "new" else "New MRR",
                     "was": texts[0], "now": texts[1]})  # fmt: skip
    return rows


def said_months(scenario: Scenario) -> list[dict[str, Any]]:
    """Return both projections month by month, as amounts."""
    unit = scenario.currency
    return [
        {
            "month": starts,
            "base": amount(nearest(base.end), unit),
            "changed": amount(nearest(changed.end), unit),
            "difference": amount(nearest(changed.end - base.end), unit),
        }
        for starts, base, changed in zip(scenario.starts, scenario.base, scenario.changed, strict=True)
    ]


def _said(found: Ratio, currency: str) -> tuple[str, str]:
    """Return a figure and its range in words."""
    match found.unit:
        case "cents":
            value = _money(found.value, currency)
            if found.low is None or found.high is None:
                return value, ""
            low, high = amount(round(found.low), currency), amount(round(found.high), currency)
            return value, words.between(low, high, currency)
        case "share":
            return words.human(found.value, "share"), ""
        case "months":
            return words.human(found.value, "months"), ""
        case _:
            text = words.between(found.low, found.high) if found.low is not None else ""
            return f"{words.human(found.value)}{words.NBSP}×", text


def said_economics(economics: Economics) -> list[dict[str, str]]:
    """Return each figure in words with its range, each refusal with its reason and what to give."""
    rows = []
    for one in economics.told:
        if isinstance(one.found, CannotTell):
            rows.append(
                {"title": one.title, "value": "", "because": one.found.because, "mend": one.found.mend}
            )
            continue
        value, ends = _said(one.found, economics.currency)
        rows.append({"title": one.title, "value": value, "range": ends})
    return rows
