"""Is it the mix? Against a published case and simulation."""

from __future__ import annotations

import numpy as np
import pytest

from potager.engines.answers import CannotTell
from potager.engines.statistics import MeanSums, RatioSums, ShareSums, Standardization, standardize

# Bickel, Hammel & O'Connell (1975): admissions to Berkeley in 1973, six largest departments: admitted, applied.
MEN = {"A": (512, 825), "B": (353, 560), "C": (120, 325), "D": (138, 417), "E": (53, 191), "F": (22, 373)}
WOMEN = {"A": (89, 108), "B": (17, 25), "C": (202, 593), "D": (131, 375), "E": (94, 393), "F": (24, 341)}


def told(answer) -> Standardization:
    assert isinstance(answer, Standardization), answer
    return answer


def shares(table) -> dict[str, ShareSums]:
    return {name: ShareSums(*counts) for name, counts in table.items()}


def test_berkeley_reverses_at_the_same_mix_of_departments():
    made = told(standardize(shares(MEN), shares(WOMEN)))
    assert made.crude.value == pytest.approx(1198 / 2691 - 557 / 1835)
    assert made.crude.low > 0.0
    assert made.at_common_mix.value < 0.0
    assert made.verdict == "reversed" and made.shared == pytest.approx(1.0)


def test_parts_add_up_and_equal_the_plain_formula():
    made = told(standardize(shares(MEN), shares(WOMEN)))
    common = mix = 0.0
    for name in MEN:
        (ya, na), (yb, nb) = MEN[name], WOMEN[name]
        common += (na / 2691 + nb / 1835) / 2 * (ya / na - yb / nb)
        mix += (ya / na + yb / nb) / 2 * (na / 2691 - nb / 1835)
    assert made.at_common_mix.value == pytest.approx(common)
    assert made.from_mix.value == pytest.approx(mix)
    assert made.crude.value == pytest.approx(common + mix)
    assert sum(part.at_common_mix for part in made.strata) == pytest.approx(common)
    assert sum(part.from_mix for part in made.strata) == pytest.approx(mix)
    turned = told(standardize(shares(WOMEN), shares(MEN)))
    assert turned.at_common_mix.value == pytest.approx(-common)
    assert turned.from_mix.standard_error == pytest.approx(made.from_mix.standard_error)


def test_the_crude_error_is_that_of_two_shares():
    made = told(standardize(shares(MEN), shares(WOMEN)))
    naive = (
        ShareSums(1198, 2691).squared_error * 2691 / 2690 + ShareSums(557, 1835).squared_error * 1835 / 1834
    )
    assert made.crude.standard_error == pytest.approx(naive**0.5)


@pytest.mark.parametrize("kind", ["mean", "ratio"])
def test_errors_equal_a_jackknife_over_units(kind):
    rng = np.random.default_rng(4)

    def group(size, tilt):
        stratum = rng.choice(3, size, p=tilt)
        x = rng.poisson(3, size) + 1.0 if kind == "ratio" else np.ones(size)
        return stratum, (10.0 + 4 * stratum + rng.normal(0, 3, size)) * x, x

    def summed(stratum, y, x, keep):
        found = {}
        for one in range(3):
            at = (stratum == one) & keep
            found[str(one)] = RatioSums.of(y[at], x[at]) if kind == "ratio" else MeanSums.of(y[at])
        return found

    a, b = group(400, [0.5, 0.3, 0.2]), group(300, [0.2, 0.3, 0.5])
    whole_a, whole_b = summed(*a, np.ones(400, bool)), summed(*b, np.ones(300, bool))
    made = told(standardize(whole_a, whole_b))
    squared = np.zeros(3)
    for which, group_sums in ((a, True), (b, False)):
        size = which[0].size
        replicates = []
        for left_out in range(size):
            sums = summed(*which, np.arange(size) != left_out)
            one = told(standardize(sums, whole_b) if group_sums else standardize(whole_a, sums))
            replicates.append((one.crude.value, one.at_common_mix.value, one.from_mix.value))
        table = np.array(replicates)
        squared += (size - 1) / size * ((table - table.mean(axis=0)) ** 2).sum(axis=0)
    for estimate, naive in zip(
        (made.crude, made.at_common_mix, made.from_mix), np.sqrt(squared), strict=True
    ):
        assert estimate.standard_error == pytest.approx(naive, rel=0.02)


def test_a_difference_of_mix_alone_is_called_so():
    first = {"small": ShareSums(90, 300), "large": ShareSums(630, 700)}
    second = {"small": ShareSums(210, 700), "large": ShareSums(270, 300)}
    made = told(standardize(first, second))
    assert made.verdict == "mix_only"
    assert made.at_common_mix.value == pytest.approx(0.0, abs=1e-12)
    assert made.from_mix.value == pytest.approx(made.crude.value)


def test_a_difference_in_every_stratum_is_beyond_mix_and_none_is_none():
    made = told(standardize({"x": ShareSums(200, 400)}, {"x": ShareSums(120, 400)}))
    assert made.verdict == "beyond_mix" and made.from_mix.value == 0.0
    same = {"x": ShareSums(20, 40), "y": ShareSums(5, 40)}
    assert told(standardize(same, same)).verdict == "no_clear_difference"


def test_a_stratum_that_only_one_group_has_counts_as_mix():
    first = {"old": ShareSums(50, 100), "new": ShareSums(45, 50)}
    second = {"old": ShareSums(50, 100), "gone": ShareSums(1, 20)}
    made = told(standardize(first, second))
    assert made.at_common_mix.value == 0.0
    assert made.crude.value == pytest.approx(95 / 150 - 51 / 120)
    assert made.shared == pytest.approx((100 / 150 + 100 / 120) / 2)
    parts = {part.name: part for part in made.strata}
    assert parts["new"].second is None and parts["gone"].first is None
    # The crude error does not depend on how the difference is divided.
    naive = ShareSums(95, 150).as_ratio().squared_error + ShareSums(51, 120).as_ratio().squared_error
    assert made.crude.standard_error == pytest.approx(naive**0.5)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ({"a": ShareSums(5, 10)}, {"b": ShareSums(5, 10)}, "not_identified"),
        ({}, {"b": ShareSums(5, 10)}, "too_few"),
        ({"a": ShareSums(1, 1)}, {"a": ShareSums(5, 10)}, "too_few"),
        ({"a": MeanSums.of([3.0] * 5)}, {"a": MeanSums.of([4.0] * 5)}, "undefined"),
        (
            {"a": RatioSums.of([1.0, 2.0], [1.0, 2.0]), "b": RatioSums.of([1.0, 1.0], [0.0, 0.0])},
            {"a": RatioSums.of([1.0, 3.0], [1.0, 1.0])},
            "undefined",
        ),
    ],
)
def test_what_cannot_be_standardized_says_why(first, second, reason):
    answer = standardize(first, second)
    assert isinstance(answer, CannotTell) and answer.reason == reason


def test_strata_of_several_kinds_are_an_error():
    with pytest.raises(TypeError):
        standardize({"a": ShareSums(1, 2)}, {"a": MeanSums.of([1, 2])})


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(6)
    rates, weights_a, weights_b = np.array([0.2, 0.5, 0.8]), [0.5, 0.3, 0.2], [0.2, 0.3, 0.5]
    truth_mix = float((rates * (np.array(weights_a) - weights_b)).sum())
    held = np.zeros(2)
    for _ in range(300):
        n_a, n_b = rng.multinomial(300, weights_a), rng.multinomial(300, weights_b)
        first = {str(s): ShareSums(int(rng.binomial(n_a[s], rates[s])), int(n_a[s])) for s in range(3)}
        second = {str(s): ShareSums(int(rng.binomial(n_b[s], rates[s])), int(n_b[s])) for s in range(3)}
        made = told(standardize(first, second))
        held += [not made.at_common_mix.excludes(0.0), not made.from_mix.excludes(truth_mix)]
    assert np.all(held / 300 > 0.91)
