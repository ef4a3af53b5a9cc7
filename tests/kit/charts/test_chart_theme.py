"""The colors: those of the design, apart for every eye, readable on their ground."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest

import potager
from potager.kit.charts import DARK, LIGHT, Theme, page_configs, register_fonts, theme_named
from potager.kit.charts.theme import config, contrast
from potager.kit.errors import Invalid, NotFound
from tests.kit.charts.samples import CHARTS

TOKENS = Path(potager.__file__).parent / "faces/web/static/potager/css/tokens.css"
SHARED = (
    "paper", "raised", "sunken", "ink", "muted", "faint", "line", "line-strong", "edge", "leaf", "ochre", "brick",
    "slate", "leaf-wash", "brick-wash", "slate-wash",
)  # fmt: skip

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
SIGHT = {
    "all colors": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}  # fmt: skip


def linear(color: str) -> list[float]:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels
    ]


def oklab(rgb: list[float]) -> tuple[float, float, float]:
    """Ottosson (2020)."""
    red, green, blue = (min(1.0, max(0.0, channel)) for channel in rgb)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def apart(one: str, other: str, sight: str) -> float:
    seen = []
    for color in (one, other):
        rgb = linear(color)
        seen.append(
            oklab(
                [
                    sum(weight * channel for weight, channel in zip(row, rgb, strict=True))
                    for row in SIGHT[sight]
                ]
            )
        )
    return sum((a - b) ** 2 for a, b in zip(*seen, strict=True)) ** 0.5


def between(ramp: tuple[str, ...], share: float) -> str:
    step = min(int(share * (len(ramp) - 1)), len(ramp) - 2)
    part = share * (len(ramp) - 1) - step
    ends = [[int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in ramp[step : step + 2]]
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(*ends, strict=True))


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_categories_stay_apart_for_every_eye(theme: Theme, sight: str):
    for one, other in itertools.combinations(theme.categories, 2):
        assert apart(one, other, sight) >= 0.11, (one, other)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_a_line_its_ghost_and_its_paper_stay_apart_for_every_eye(theme: Theme, sight: str):
    for one, other in itertools.combinations((theme.leaf, theme.edge, theme.paper), 2):
        assert apart(one, other, sight) >= 0.11, (one, other)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_words_can_be_read_on_paper_and_marks_can_be_seen(theme: Theme):
    for words in (theme.ink, theme.muted, theme.leaf, theme.brick, theme.slate, theme.ochre):
        assert contrast(words, theme.paper) >= 4.5, words
    for mark in (*theme.categories, theme.edge):
        assert contrast(mark, theme.paper) >= 2.8, mark


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_numbers_can_be_read_in_every_cell_of_a_heat_map(theme: Theme):
    for ramp in (theme.ramp, theme.diverging):
        assert min(contrast(theme.ink, between(ramp, share / 100)) for share in range(101)) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_shares_can_be_read_on_their_category(theme: Theme):
    styles = config(theme)["style"]
    for index, color in enumerate(theme.categories):
        assert contrast(styles[f"on-category-{index}"]["color"], color) >= 4.0, color


def test_contrast_is_that_of_the_published_extremes():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_tokens_are_those_of_the_stylesheet():
    rules = dict(re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}, #[0-9a-f]{6})\)", TOKENS.read_text()))
    for name in SHARED:
        assert rules[name].split(", ") == [LIGHT.token(name), DARK.token(name)], name


def test_every_style_a_picture_names_is_in_both_themes():
    named = {
        layer["mark"]["style"]
        for make in CHARTS.values()
        for width in (340, 900)
        for layer in make().at(width)["layer"]
        if layer["mark"].get("style")
    }
    assert named >= {"actual", "bar-bad", "bar-unexplained", "cell", "partial-end", "target"}
    for theme in page_configs().values():
        assert named <= set(theme["style"])


def test_no_picture_carries_a_color_of_its_own():
    for make in CHARTS.values():
        assert not re.search(r"#[0-9a-fA-F]{6}\b|\brgb\(", json.dumps(make().spec))


def test_the_page_brings_its_own_paper_and_a_file_stands_on_one():
    assert page_configs()["dark"]["background"] is None
    assert config(DARK)["background"] == DARK.paper


def test_font_names_that_end_in_a_digit_are_quoted():
    for family in (page_configs()["light"]["font"], page_configs()["light"]["title"]["font"]):
        assert re.match(r'"Source S\w+ \d",', family)


def test_themes_and_tokens_are_found_by_name_only():
    assert theme_named("dark") is DARK
    with pytest.raises(NotFound):
        theme_named("sepia")
    with pytest.raises(NotFound):
        LIGHT.token("name-of-nothing")


def test_only_fonts_that_can_be_read_are_registered(tmp_path: Path):
    (tmp_path / "web.woff2").write_bytes(b"x")
    assert register_fonts(tmp_path) == ()
    with pytest.raises(Invalid):
        register_fonts(tmp_path / "nowhere")
