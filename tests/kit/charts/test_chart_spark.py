"""Sparklines: small, honest, without a style attribute, in no time."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.kit.charts import sparkline
from potager.kit.errors import Invalid

SVG = "{http://www.w3.org/2000/svg}"
values = st.lists(
    st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True, width=32)), max_size=400
)


@given(values, st.booleans(), st.text(max_size=20))
def test_any_values_make_well_formed_xml_inside_the_picture(
    numbers: list[float | None], partial: bool, title: str
):
    title = "".join(letter for letter in title if letter.isprintable())
    svg = sparkline(numbers, partial=partial, title=title)
    root = ElementTree.fromstring(svg)
    assert not any("style" in element.attrib for element in root.iter())
    for path in root.iter(f"{SVG}path"):
        places = [float(number) for number in re.findall(r"-?[\d.]+", path.attrib["d"])]
        assert all(0 <= place <= 96 for place in places)


def test_a_gap_lifts_the_pen():
    root = ElementTree.fromstring(sparkline([1, 2, None, 3, 4]))
    assert root.findall(f"{SVG}path")[0].attrib["d"].count("M") == 2


def test_the_last_point_of_an_incomplete_period_is_hollow_and_joined_by_dashes():
    root = ElementTree.fromstring(sparkline([1, 2, 3], partial=True))
    kinds = [element.attrib["class"] for element in root]
    assert kinds == ["line", "line partial", "end partial"]
    assert root[2].attrib["fill"] == "none"
    assert "stroke-dasharray" in root[1].attrib


def test_band_and_target_are_drawn_on_the_same_scale():
    root = ElementTree.fromstring(sparkline([5, 5], low=[0, 0], high=[10, 10], target=10))
    target = root.find(f"{SVG}path[@class='target']")
    assert target is not None
    assert " 4.0H" in target.attrib["d"]
    assert root.find(f"{SVG}path[@class='band']") is not None
    with pytest.raises(Invalid):
        sparkline([1, 2], low=[0], high=[3])


def test_with_a_title_it_is_an_image_with_words_and_without_it_is_hidden():
    svg = ElementTree.fromstring(sparkline([554e3, 1.46e6, 1.16e6], title="Revenue <net>", unit="GBP"))
    assert svg.attrib["role"] == "img"
    assert svg.attrib["aria-label"] == "Revenue <net>: from £554k to £1.16m, highest £1.46m"
    assert svg.findtext(f"{SVG}title") == "Revenue <net>"
    assert ElementTree.fromstring(sparkline([1, 2])).attrib["aria-hidden"] == "true"
    assert "nothing known" in sparkline([None], title="x")


def test_a_long_line_keeps_its_peak_and_stays_small():
    svg = sparkline([*range(5000), 99_999, *range(5000)])
    assert len(svg) < 6000
    assert " 4.0" in svg


def test_a_hundred_lines_take_a_moment():
    started = time.process_time()
    for _ in range(100):
        sparkline(list(range(24)))
    assert time.process_time() - started < 0.2
