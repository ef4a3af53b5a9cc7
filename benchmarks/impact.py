"""Impact: what the methods take, and how often their 95 % intervals hold where nothing, or something known, was done."""

from __future__ import annotations

import csv
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
from pysyncon import Dataprep, Synth

from benchmarks.measure import Row, paired, seconds
from potager.engines.answers import CannotTell
from potager.engines.causal import (
    Effect,
    Panel,
    arm_of_rows,
    compare_anytime,
    compare_arms,
    difference_in_differences,
    interrupted_series,
    staggered_effect,
    synthetic_control,
    synthetic_did,
)

RUNS = 400
FIRST_TREATED = 19  # 1989
FALSE_YEARS = (13, 14, 15, 16)


def proposition_99() -> Panel:
    """Return packs of cigarettes per head in 39 states, 1970 to 2000, as the package synthdid-py carries them."""
    files = metadata.files("synthdid-py") or []
    path = next(Path(str(file.locate())) for file in files if file.name == "california_prop99.csv")
    with path.open(newline="") as handle:
        found = list(csv.DictReader(handle, delimiter=";"))
    states, years = sorted({row["State"] for row in found}), sorted({row["Year"] for row in found})
    outcomes = np.full((len(states), len(years)), np.nan)
    for row in found:
        outcomes[states.index(row["State"]), years.index(row["Year"])] = float(row["PacksPerCapita"])
    return Panel(tuple(states), tuple(years), outcomes, {})


def pysyncon_once(panel: Panel, treated: str) -> object:
    """Fit the peer's synthetic control once, on every year before the treatment, without any placebo.

    Its search for the predictors' weights, which takes minutes, is spared: all years weigh the same, as in ours.
    """
    long = pd.DataFrame(panel.outcomes, index=panel.units, columns=[int(year) for year in panel.periods])
    long = long.rename_axis("state").reset_index().melt("state", var_name="year", value_name="packs")
    before = [int(year) for year in panel.periods[:FIRST_TREATED]]
    prepared = Dataprep(
        foo=long,
        predictors=["packs"],
        predictors_op="mean",
        dependent="packs",
        unit_variable="state",
        time_variable="year",
        treatment_identifier=treated,
        controls_identifier=[unit for unit in panel.units if unit != treated],
        time_predictors_prior=before,
        time_optimize_ssr=before,
        special_predictors=[("packs", [year], "mean") for year in before],
    )
    made = Synth()
    made.fit(dataprep=prepared, custom_V=np.full(len(before) + 1, 1 / (len(before) + 1)))
    return made


def synthetic() -> Row:
    """Measure a synthetic control with all its placebos against the peer's fit alone."""
    panel, treated = proposition_99(), "California"
    controls = [unit for unit in panel.units if unit != treated]
    runs = 0

    def ours() -> None:
        nonlocal runs
        effect = synthetic_control(panel, [treated], controls, FIRST_TREATED)
        assert isinstance(effect, Effect)
        runs = sum(placebo.runs for placebo in effect.placebos)

    one, other, ratio = paired(ours, lambda: pysyncon_once(panel, treated), runs=3)
    return Row(
        f"Synthetic control with its {runs} placebo runs on Proposition 99, against one fit of pysyncon without any",
        f"{ratio:.2f} × ({one:.2f} s against {other:.2f} s)",
        "≤ 1 ×",
        ratio <= 1,
    )


def structural() -> Row:
    """Measure an interrupted series of the size that users of tfcausalimpact report."""
    random = np.random.default_rng(1)
    controls = {f"c{i}": np.cumsum(random.normal(0, 1, 1300)) + 50 for i in range(4)}
    series = sum(controls.values()) / 4 + random.normal(0, 1, 1300)
    took = seconds(lambda: interrupted_series(series, 1200, controls=controls, placebos=False), runs=3)
    return Row(
        "An interrupted series, 1,300 days with 4 controls (tfcausalimpact: 2 to 3 minutes on a processor, its issue #23)",
        f"{took:.1f} s",
        "< 120 s",
        took < 120,
    )


Draw = Callable[[np.random.Generator], tuple[Effect | CannotTell, float]]


def _panel(
    random: np.random.Generator, units: int, periods: int, treated: int, start: int, effect: float
) -> Panel:
    """Return units with levels of their own and a common course; the first ``treated`` gain ``effect`` from ``start``."""
    common = np.cumsum(random.normal(0, 1, periods))
    values = random.normal(100, 10, (units, 1)) + common + random.normal(0, 2, (units, periods))
    values[:treated, start:] += effect
    names = tuple(f"u{i}" for i in range(units))
    return Panel(names, tuple(str(i) for i in range(periods)), values, dict.fromkeys(names[:treated], start))


def _experiment(random: np.random.Generator) -> tuple[Effect | CannotTell, float]:
    before = random.gamma(2, 5, 4000)
    after = before + random.normal(0, 4, 4000) + 0.4 * (np.arange(4000) < 2000)
    treated, control = (arm_of_rows(after[half], x=before[half]) for half in (slice(2000), slice(2000, None)))
    return compare_arms(treated, control), 0.4


def _ratio(random: np.random.Generator) -> tuple[Effect | CannotTell, float]:
    visits = random.poisson(5, 6000) + 1.0
    # Each person has a rate of their own, so visits are not independent of each other.
    share = random.beta(2, 6, 6000)
    orders = random.binomial(visits.astype(int), share).astype(float)
    treated, control = (
        arm_of_rows(orders[half], d=visits[half]) for half in (slice(3000), slice(3000, None))
    )
    return compare_arms(treated, control), 0.0


def _anytime(random: np.random.Generator) -> tuple[Effect | CannotTell, float]:
    a, b = random.normal(1, 3, 2000), random.normal(1, 3, 2000)
    # Peeked at forty times; the first look that finds something where nothing is counts as a miss.
    for seen in range(50, 2001, 50):
        effect = compare_anytime(arm_of_rows(a[:seen]), arm_of_rows(b[:seen]), planned_units=4000)
        if isinstance(effect, Effect) and not effect.low <= 0 <= effect.high:
            break
    return effect, 0.0


def _did(random: np.random.Generator) -> tuple[Effect | CannotTell, float]:
    panel = _panel(random, 24, 16, 8, 9, 3.0)
    return difference_in_differences(panel, panel.units[:8], panel.units[8:], 9, placebos=False), 3.0


def _staggered(random: np.random.Generator) -> tuple[Effect | CannotTell, float]:
    panel = _panel(random, 40, 14, 0, 7, 0.0)
    adopted = {f"u{i}": (5 if i < 12 else 8) for i in range(24)}
    values = panel.outcomes.copy()
    for i in range(24):
        values[i, 5 if i < 12 else 8 :] += 3.0
    return staggered_effect(Panel(panel.units, panel.periods, values, adopted)), 3.0


def _control(random: np.random.Generator) -> tuple[Effect | CannotTell, float]:
    panel = _panel(random, 40, 30, 1, 20, 4.0)
    return synthetic_control(panel, ["u0"], panel.units[1:], 20, placebos=False), 4.0


def _synthetic_did(random: np.random.Generator) -> tuple[Effect | CannotTell, float]:
    panel = _panel(random, 40, 30, 1, 20, 4.0)
    return synthetic_did(panel, ["u0"], panel.units[1:], 20, placebos=False), 4.0


def _series(random: np.random.Generator) -> tuple[Effect | CannotTell, float]:
    control = np.cumsum(random.normal(0, 1, 60)) + 50
    series = control * 0.8 + np.cumsum(random.normal(0, 0.3, 60)) + random.normal(0, 1, 60)
    series[48:] += 5.0
    return interrupted_series(series, 48, controls={"c": control}, placebos=False), 5.0


SIMULATED: dict[str, tuple[Draw, int]] = {
    "experiment with a covariate (CUPED)": (_experiment, RUNS * 5),
    "experiment on a ratio": (_ratio, RUNS * 5),
    "experiment looked at forty times (held at every look)": (_anytime, RUNS),
    "difference-in-differences": (_did, RUNS * 2),
    "staggered adoption": (_staggered, RUNS),
    "synthetic control": (_control, RUNS),
    "synthetic difference-in-differences": (_synthetic_did, RUNS),
    "interrupted series with a control": (_series, RUNS),
}


def coverage() -> list[Row]:
    """Measure how often 95 % intervals hold the truth on simulated data, and hold nothing on a real panel."""
    found = []
    for name, (draw, runs) in SIMULATED.items():
        told = [draw(np.random.default_rng([seed, len(name)])) for seed in range(runs)]
        held = [effect.low <= truth <= effect.high for effect, truth in told if isinstance(effect, Effect)]
        found.append(_held(f"Coverage, simulated: {name}", held, runs))
    return [*found, *real()]


def real() -> list[Row]:
    """Run the panel's methods on states and years in which nothing was done (Proposition 99, California left out)."""
    panel = proposition_99()
    kept = [i for i, unit in enumerate(panel.units) if unit != "California"]
    panel = Panel(
        tuple(panel.units[i] for i in kept),
        panel.periods[:FIRST_TREATED],
        panel.outcomes[kept][:, :FIRST_TREATED],
        {},
    )
    rows = []
    for name, method in (
        ("synthetic control", synthetic_control),
        ("synthetic difference-in-differences", synthetic_did),
        ("difference-in-differences", difference_in_differences),
    ):
        held = []
        for unit in panel.units:
            for start in FALSE_YEARS:
                others = [other for other in panel.units if other != unit]
                effect = method(panel, [unit], others, start, placebos=False)
                if isinstance(effect, Effect):
                    held.append(effect.low <= 0 <= effect.high)
        rows.append(
            _held(
                f"Coverage, real states without a treatment: {name}",
                held,
                len(panel.units) * len(FALSE_YEARS),
            )
        )
    return rows


def _held(what: str, held: list[bool], runs: int) -> Row:
    share = float(np.mean(held)) if held else float("nan")
    refused = runs - len(held)
    figure = f"{share:.1%} of {len(held):,}" + (f" ({refused} refused)" if refused else "")
    at_every_look = "every look" in what  # such an interval may hold more often, never less
    return Row(
        what,
        figure,
        "≥ 93 %" if at_every_look else "93 to 97 %",
        0.93 <= share <= (1.0 if at_every_look else 0.97),
    )


def rows() -> list[Row]:
    """Measure all of it."""
    return [synthetic(), structural(), *coverage()]
