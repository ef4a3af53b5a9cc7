"""What holds for every picture: valid, whole, at home in a page, a file and a notebook, and fetching nothing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from potager.kit.charts import DARK, LIGHT, Chart, svg_to_png, table_of, themed, to_json, to_png, to_svg
from potager.kit.charts.chart import VEGA_LITE_MEDIA_TYPE
from potager.kit.charts.render import refuse_addresses
from potager.kit.errors import Invalid
from tests.kit.charts.samples import CHARTS

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=CHARTS, name="chart")
def chart_of_each_kind(request: pytest.FixtureRequest) -> Chart:
    made: Chart = CHARTS[request.param]()
    return made


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def test_every_picture_is_valid_vega_lite(chart: Chart):
    import altair

    altair.Chart.from_dict(chart.spec, validate=True)
    altair.Chart.from_dict(themed(chart, DARK, 340), validate=True)


def test_a_file_is_exactly_as_wide_as_asked_for_and_says_its_words(chart: Chart):
    svg = ElementTree.fromstring(to_svg(chart, LIGHT, 640))
    assert float(svg.attrib["width"]) == pytest.approx(640, abs=1)
    words = "".join(element.text or "" for element in svg.iter(f"{SVG}text"))
    assert chart.title.split()[0] in words
    assert len(words) > len(chart.title)


def test_no_layer_leaves_a_narrow_picture(chart: Chart):
    svg = ElementTree.fromstring(to_svg(chart, LIGHT, 340))
    assert float(svg.attrib["width"]) == pytest.approx(340, abs=1)
    assert chart.at(340)["width"] >= 80


def test_every_picture_has_a_table_words_and_a_sentence(chart: Chart):
    table = table_of(chart)
    assert table.rows
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert len({column.name for column in table.columns}) == len(table.columns)
    assert table.records()[0][table.columns[0].name] == table.rows[0][0]
    assert table.arrow().num_rows == len(table.rows)
    assert chart.alt.endswith(".")
    assert chart.title in themed(chart)["title"]["text"][0] or len(themed(chart)["title"]["text"]) > 1


def test_the_page_fits_its_column_and_colors_are_left_to_it(chart: Chart):
    spec = json.loads(to_json(chart))
    assert spec["width"] == "container"
    assert spec["description"] == chart.alt
    assert not {"config", "title", "padding"} & set(spec)


def test_expressions_can_be_interpreted_without_evaluating_code(chart: Chart):
    """Axis labels are look-ups in lists of words: nothing but literals, a member and one function of Vega's."""
    for layer in chart.spec["layer"]:
        for channel in layer["encoding"].values():
            axis = (channel.get("axis") or {}) if isinstance(channel, dict) else {}
            if "labelExpr" in axis:
                said, place = axis["labelExpr"].rsplit("[indexof(", 1)
                assert len(ast.literal_eval(said)) == len(axis["values"])
                assert place == f"{json.dumps(axis['values'])}, datum.value)]"


def test_a_picture_has_no_two_ticks_that_say_the_same(chart: Chart):
    for layer in chart.spec["layer"]:
        axis = (layer["encoding"].get("y", {}) or {}).get("axis") or {}
        if "labelExpr" in axis:
            said = ast.literal_eval(axis["labelExpr"].rsplit("[indexof(", 1)[0])
            assert len(set(said)) == len(said)


def test_no_picture_loads_anything(chart: Chart):
    refuse_addresses(chart.spec)
    refuse_addresses(themed(chart))


@pytest.mark.parametrize(
    "part",
    [
        {"data": {"url": "https://example.org/a.csv"}},
        {"layer": [{"mark": {"type": "image"}, "encoding": {"url": {"field": "picture"}}}]},
        {"layer": [{"mark": "bar", "encoding": {"href": {"value": "https://example.org"}}}]},
    ],
)
def test_addresses_in_a_picture_are_refused(part: dict[str, object]):
    with pytest.raises(Invalid, match="refers to"):
        refuse_addresses(part)


def test_rows_may_have_a_column_called_like_an_address():
    refuse_addresses({"data": {"values": [{"url": "/metrics/1"}]}})


def test_a_picture_is_drawn_as_png_in_both_themes_at_the_scale_asked_for():
    chart = CHARTS["partial_line"]()
    light, dark = to_png(chart, 1.0, LIGHT, 600), to_png(chart, 2.0, DARK, 600)
    assert size_of(light)[0] == 600
    assert size_of(dark) == (1200, size_of(light)[1] * 2)
    with pytest.raises(Invalid):
        to_png(chart, 9.0)
    with pytest.raises(Invalid):
        chart.at(20)


def test_letters_appear_in_a_drawn_picture():
    """A title in a font that is not there must still leave ink."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40">{}</svg>'
    from potager.kit.charts.theme import FILE_SANS, FILE_SERIF

    empty = svg_to_png(svg.format(""), 1.0)
    for family in (FILE_SANS, FILE_SERIF):
        written = f"<text x='10' y='25' font-size='20' font-family='{family}'>Revenue</text>"
        assert len(svg_to_png(svg.format(written), 1.0)) > len(empty) + 200


def test_a_notebook_gets_the_interactive_picture_an_image_and_words():
    chart = CHARTS["movement"]()
    bundle = chart._repr_mimebundle_()
    assert bundle[VEGA_LITE_MEDIA_TYPE]["config"]["background"] == LIGHT.paper
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["text/plain"] == chart.alt
    assert set(chart._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert chart.altair().to_dict()["description"] == chart.alt


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, potager.kit.charts as c; c.time_series; c.page_tree; "
        "print([m for m in ('altair','vl_convert','numpy','pyarrow','django','duckdb') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_name_the_package_does_not_have_is_an_attribute_error():
    import potager.kit.charts as charts

    assert set(charts.__all__) <= {name for name in charts.__all__ if getattr(charts, name) is not None}
    with pytest.raises(AttributeError):
        _ = charts.pie_chart
