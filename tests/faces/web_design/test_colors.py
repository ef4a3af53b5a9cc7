"""Every pair of colors that meets can be read, in both themes, and charts by people who see colors differently."""

# ruff: noqa: E501 - rows of tables stay on one line

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from potager.kit.charts.theme import page_configs
from tests.faces.web_design.site import STATIC

CSS = (STATIC / "potager/css/tokens.css").read_text()
TOKENS: dict[str, tuple[str, str]] = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", CSS)
}
CHARTS = json.loads((STATIC / "potager/chart-theme.json").read_text())
THEMES = {"light": 0, "dark": 1}

PAPERS = ("paper", "raised", "sunken")
WASHES = ("leaf-wash", "ochre-wash", "brick-wash", "slate-wash")
TEXT = [
    *itertools.product(("ink", "muted", "faint", "leaf", "ochre", "brick", "slate"), PAPERS),
    *itertools.product(("ink", "muted", "leaf"), WASHES),
    *((wash.removesuffix("-wash"), wash) for wash in WASHES),
    ("on-leaf", "leaf"), ("on-leaf", "leaf-strong"), ("leaf-strong", "paper"), ("paper", "ink"), ("ink", "mark"),
]  # fmt: skip
SHAPES = [*itertools.product(("edge", "leaf", "ochre", "brick", "slate"), ("paper", "raised"))]

# Machado, Oliveira and Fernandes 2009, severity 1.0
SEEN = {
    "trichromat": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritan": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip


def linear(color: str) -> NDArray[np.float64]:
    parts = np.array([int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2: relative luminance, (L1 + .05) / (L2 + .05)."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    darker, lighter = sorted(float(linear(color) @ weights) for color in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def oklab(light: NDArray[np.float64]) -> NDArray[np.float64]:
    to_cones = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
    to_lab = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099], [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
    return to_lab @ np.cbrt(np.clip(to_cones @ light, 0, None))


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "ground"), TEXT, ids="-on-".join)
def test_text_has_a_contrast_of_at_least_4_5(text: str, ground: str, theme: str) -> None:
    at = THEMES[theme]
    assert contrast(TOKENS[text][at], TOKENS[ground][at]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("shape", "ground"), SHAPES, ids="-on-".join)
def test_shapes_and_edges_have_a_contrast_of_at_least_3(shape: str, ground: str, theme: str) -> None:
    at = THEMES[theme]
    assert contrast(TOKENS[shape][at], TOKENS[ground][at]) >= 3


@pytest.mark.parametrize("theme", THEMES)
def test_colors_in_charts_stand_out_from_the_paper(theme: str) -> None:
    papers = [TOKENS[ground][THEMES[theme]] for ground in ("paper", "raised")]
    config = CHARTS[theme]
    for color in [*config["range"]["category"], config["mark"]["color"]]:
        assert min(contrast(color, paper) for paper in papers) >= 3, color
    for part in (config["axis"]["labelColor"], config["legend"]["labelColor"], config["text"]["color"]):
        assert min(contrast(part, paper) for paper in papers) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("eyes", SEEN)
def test_series_in_a_chart_can_be_told_apart(eyes: str, theme: str) -> None:
    see: Callable[[str], NDArray[np.float64]] = lambda color: oklab(np.clip(SEEN[eyes] @ linear(color), 0, 1))  # noqa: E731
    colors = CHARTS[theme]["range"]["category"]
    distances = {(a, b): float(np.linalg.norm(see(a) - see(b))) for a, b in itertools.combinations(colors, 2)}
    assert min(distances.values()) >= 0.1, min(distances, key=lambda pair: distances[pair])


@pytest.mark.parametrize("theme", THEMES)
def test_ramps_grow_darker_or_lighter_all_the_way(theme: str) -> None:
    for name in ("ramp", "heatmap"):
        steps = np.diff([oklab(linear(color))[0] for color in CHARTS[theme]["range"][name]])
        assert (np.sign(steps) == np.sign(steps[0])).all()


def test_the_browser_draws_with_the_same_configuration_as_the_server() -> None:
    told = json.dumps(page_configs(), indent=1, ensure_ascii=False) + "\n"
    written = STATIC / "potager/chart-theme.json"
    assert written.read_text() == told, f"Write json.dumps(page_configs(), indent=1) to {written.name} again."


@pytest.mark.parametrize("theme", THEMES)
def test_charts_take_their_ink_from_the_tokens(theme: str) -> None:
    at = THEMES[theme]
    config = CHARTS[theme]
    assert config["text"]["color"] == TOKENS["ink"][at]
    assert config["axis"]["labelColor"] == TOKENS["muted"][at]
    assert config["axis"]["gridColor"] == TOKENS["line"][at]
    assert config["mark"]["color"] == TOKENS["leaf"][at]
