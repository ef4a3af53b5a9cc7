"""The tags say numbers, verdicts and addresses right, escape what people typed, and stand what is missing."""

# ruff: noqa: E501 - rows of tables stay on one line

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.template import engines
from django.test import RequestFactory, override_settings
from hypothesis import given
from hypothesis import strategies as st

from potager.faces.web.templatetags import drawing
from potager.kit.clock import held
from tests.faces.web_design.content import NOW
from tests.faces.web_design.site import TEMPLATES


def render(text: str, path: str = "/", **context: Any) -> str:
    with held(NOW), override_settings(TEMPLATES=TEMPLATES):
        shown = (
            engines["django"]
            .from_string("{% load potager_ui %}" + text)
            .render({"request": RequestFactory().get(path), **context})
        )
    return re.sub(r"\s+", " ", shown).replace("\u00a0", " ").replace("−", "-")


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


@pytest.mark.parametrize(
    ("given", "word"),
    [("yes", "Yes"), ("at_risk", "At risk"), ("AT RISK", "At risk"), ("no", "No"), ("cannot-tell", "Cannot tell"), ("", "Cannot tell"), ("nonsense", "Cannot tell")],
)  # fmt: skip
def test_a_verdict_has_a_word_a_shape_and_a_color(given: str, word: str) -> None:
    html = render("{% verdict v %}", v=given)
    assert words_of(html) == word
    assert "<svg" in html
    assert f"verdict-{word.lower().replace(' ', '-')}" in html


def test_the_four_shapes_differ_without_color() -> None:
    assert len({drawing.verdict_shape(verdict) for verdict in ("yes", "at_risk", "no", "cannot_tell")}) == 4


def test_a_number_is_short_with_the_exact_one_on_hover() -> None:
    assert (
        render('{% value 1061234.5 "GBP" %}')
        == '<data class="num" value="1061234.5" title="£1,061,234.50">£1.06m</data>'
    )
    assert "title" not in render("{% value 4 'days' %}")
    assert words_of(render("{% value x 'GBP' full=True %}", x=Decimal("1234.50"))) == "£1,234.50"


@pytest.mark.parametrize("missing", [None, "", float("nan"), float("inf"), "soon"])
def test_a_missing_number_is_unknown_and_never_zero(missing: Any) -> None:
    for tag in ('{% value x "GBP" %}', "{% change x %}", '{{ x|human:"GBP" }}'):
        assert words_of(render(tag, x=missing)) == "unknown"
    assert words_of(render("{% value x.y.z %}")) == "unknown"
    assert words_of(render("{% range x x %}", x=missing)) == "range unknown"


@pytest.mark.parametrize(("amount", "good", "tone"), [(0.1, "up", "welcome"), (0.1, "down", "unwelcome"), (-0.1, "down", "welcome"), (-0.1, "", ""), (0, "up", "")])  # fmt: skip
def test_a_change_is_colored_only_where_somebody_said_what_is_welcome(
    amount: float, good: str, tone: str
) -> None:
    html = render("{% change x good=good %}", x=amount, good=good)
    found = re.search(r'class="change num ?(\w*)"', html)
    assert found is not None
    assert found[1] == tone


def test_dates_are_said_and_exact_on_hover() -> None:
    assert 'title="Saturday, 10 December 2011, 05:30 UTC"' in render(
        "{% ago x %}", x=NOW - timedelta(hours=3)
    )
    assert words_of(render("{% ago x %}", x=date(2011, 12, 9))) == "yesterday"
    assert (
        words_of(render("{% ago x %} {% ago y 'not yet' %} {% day x %}", x=None, y=None))
        == "never not yet no date"
    )


def test_what_people_typed_is_escaped_everywhere() -> None:
    bad = "<script>alert(1)</script>"
    row = {"title": bad, "amount": 1, "note": bad, "url": '"><b>'}
    html = render(
        "{% verdict 'yes' x %}{% grade 'high' x %}{% icon x x %}{% code x %}{% empty x x x x %}{% drivers rows %}{% sort_head 'a' x %}"
        "{% chart x x alt=x note=x %}{% progress .5 text=x %}{% query_link a=x %}{% value 1 x %}",
        x=bad, rows=[row],
    )  # fmt: skip
    assert "<script" not in html
    assert '"><b>' not in html


def test_query_link_changes_one_parameter_and_starts_at_the_first_page() -> None:
    at = "/list?sort=-name&owner=ada&cursor=abc&page=3"
    assert render('{% query_link owner="bo" %}', at) == "?sort=-name&amp;owner=bo"
    assert render("{% query_link owner=None %}", at) == "?sort=-name"
    assert render('{% query_link cursor="def" %}', at) == "?sort=-name&amp;owner=ada&amp;cursor=def"
    assert render("{% query_link tag=tags %}", "/list", tags=["a", "b"]) == "?tag=a&amp;tag=b"
    assert render("{% query_link a=1 %}", request=None) == "?a=1"


def test_a_head_sorts_up_then_down_and_says_so() -> None:
    assert 'href="?sort=name"' in render('{% sort_head "name" "Name" %}', "/l")
    up = render('{% sort_head "name" "Name" %}', "/l?sort=name")
    assert 'aria-sort="ascending"' in up
    assert 'href="?sort=-name"' in up
    assert 'aria-sort="descending"' in render('{% sort_head "r" "R" number=True first="-r" %}', "/l")


def test_pages_say_of_how_many() -> None:
    assert (
        words_of(render('{% pages 50 4339 "customers" next_cursor="n" %}'))
        == "1 to 50 of 4,339 customers Next"
    )
    assert words_of(
        render('{% pages 50 4339 "customers" next_cursor="n" previous="p" start=51 %}')
    ).startswith("51 to 100 of")
    assert words_of(render('{% pages 3 3 "customers" %}')) == "3 customers"
    assert words_of(render('{% pages 50 noun="customers" next_cursor="n" %}')) == "50 customers Next"


def test_progress_without_a_measure_is_indeterminate() -> None:
    assert "value=" not in render("{% progress None text='Waiting' %}")
    assert 'value="62"' in render("{% progress 31 50 %}")
    assert 'value="100"' in render("{% progress 70 50 %}")


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12))
def test_bars_of_a_waterfall_touch_and_end_at_the_sum(amounts: list[float]) -> None:
    steps, zero = drawing.waterfall(amounts)
    at, ends = zero, [0.0]
    for step, amount in zip(steps, amounts, strict=True):
        left, right = step.x, step.x + step.width
        assert min(abs(at - left), abs(at - right)) < 1e-6
        assert -1e-9 <= left <= right <= 100 + 1e-6
        at = step.end
        ends.append(ends[-1] + amount)
    spread = (max(ends) - min(ends)) or 1.0
    assert at - zero == pytest.approx(ends[-1] / spread * 100, abs=1e-6)


def test_drivers_that_cancel_out_do_not_divide_by_zero() -> None:
    html = render(
        "{% drivers rows 'GBP' %}", rows=[{"title": "a", "amount": 5}, {"title": "b", "amount": -5}]
    )
    assert "+£5" in html
    assert render("{% drivers rows %}", rows=[]).count("<tr") == 2


@given(
    st.lists(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)), max_size=15), st.booleans()
)
def test_a_sparkline_stays_in_its_box(values: list[float | None], partial: bool) -> None:
    svg = drawing.sparkline(
        [value if value is None or abs(value) < 1e300 else None for value in values], partial=partial
    )
    for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", svg):
        assert -0.1 <= float(x) <= 96.1
        assert -0.1 <= float(y) <= 24.1
    assert "nan" not in svg


def test_an_incomplete_period_is_hatched_and_not_drawn_as_a_fall() -> None:
    svg = drawing.sparkline([10, 11, 12, 1], partial=True)
    assert "hatch" in svg
    assert svg.count("L") - svg.split("hatch")[1].count("L") == 2


class Form(forms.Form):
    name = forms.CharField(help_text="As people say it.")
    note = forms.CharField(required=False)
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    token = forms.CharField(widget=forms.HiddenInput)


def test_a_field_says_who_reads_it_and_is_wired_for_screen_readers() -> None:
    form = Form({"token": ""})
    html = render(
        '{% field form.name reader="the weekly review" %}{% field form.note %}{% field form.kind %}',
        form=form,
    )
    assert "Read by the weekly review" in html
    assert 'aria-describedby="id_name_reader id_name_help id_name_error"' in html
    assert 'aria-invalid="true"' in html
    for name in ("reader", "help", "error"):
        assert f'id="id_name_{name}"' in html
    assert html.count("optional") == 2  # the class and the word, once
    assert "<legend>Kind" in html
    summary = render("{% form_errors form %}", form=form)
    assert "3 things to mend" in summary
    assert 'href="#id_name"' in summary
    assert render("{% form_errors form %}", form=Form()).strip() == ""


def test_a_menu_names_the_person() -> None:
    request = RequestFactory().get("/")

    class Ruth:
        email = "ruth@harbor.example"

        def get_full_name(self) -> str:
            return "Ruth Adeyemi"

    request.user = Ruth()  # type: ignore[assignment]
    assert (
        render("{% person as p %}{{ p.name }} {{ p.initial }} {{ p.email }}", request=request)
        == "Ruth Adeyemi R ruth@harbor.example"
    )
    assert render("{% person as p %}{{ p.initial }}") == "?"


def test_small_filters() -> None:
    assert (
        render(
            "{{ 1|counted:'orders' }}, {{ 125|duration }}, {{ 840|file_size }}, {{ x|how_many }}, {{ 3|how_many }}",
            x=[1, 2],
        )
        == "1 order, 2 min 5 s, 840 bytes, 2, 3"
    )
    assert render("{{ x|duration }}", x=None) == "unknown"


def test_evidence_is_named_by_rank_or_word() -> None:
    assert (
        words_of(render("{% evidence 4 %} {% evidence 'correlated' %} {% evidence None %}"))
        == "quasi-experimental correlated unproven"
    )


def test_a_chart_follows_the_theme_that_was_chosen() -> None:
    assert render("{% chart '/c.svg' 'Revenue rose' %}", theme="dark").count("<source") == 0
    assert "/c.svg?a=1&amp;theme=dark" in render("{% chart '/c.svg?a=1' 'Revenue rose' %}", theme="dark")
    assert "prefers-color-scheme: dark" in render("{% chart '/c.svg' 'Revenue rose' %}")
