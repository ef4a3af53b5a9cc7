"""Serving a chart as the picture that was asked for: its form, width and theme; and naming it on a page."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse

from potager.kit.charts.chart import NARROWEST, WIDEST, Chart
from potager.kit.charts.render import FILE_WIDTH, to_json, to_png, to_svg
from potager.kit.charts.theme import theme_named
from potager.kit.errors import Invalid, NotFound

TYPES: Mapping[str, str] = {"svg": "image/svg+xml", "png": "image/png", "json": "application/json"}


def check_form(form: str) -> None:
    """Refuse a form that pictures are not made in."""
    if form not in TYPES:
        raise NotFound(f"Pictures are not made as {form[:20]}.", mend=f"Ask for {', '.join(TYPES)}.")


def served(
    request: HttpRequest, made: Chart | None, form: str, *, titled: bool = False, seconds: int = 60
) -> HttpResponse:
    """Return a chart as SVG, PNG or the page's specification; ``seconds`` is how long browsers may keep it.

    Raises NotFound for another form and where there is nothing to draw, Invalid for a width that is none.
    """
    check_form(form)
    if made is None:
        raise NotFound("There is nothing to draw here.", mend="Look at the page: it says why.")
    theme = theme_named("dark" if request.GET.get("theme") == "dark" else "light")
    asked = request.GET.get("width", "")
    content: str | bytes
    if form == "json":
        # A page asks for the width its picture happens to have.
        content = to_json(made, width=min(max(int(asked), NARROWEST), WIDEST) if asked.isdecimal() else None)
    elif form == "svg":
        content = to_svg(made, theme, _width(asked), titled=titled)
    else:
        content = to_png(made, theme=theme, width=_width(asked), titled=True)
    response = HttpResponse(content, content_type=TYPES[form])
    response["Cache-Control"] = f"private, max-age={seconds}"
    return response


def _width(asked: str) -> int:
    if not asked:
        return FILE_WIDTH
    if not asked.isdecimal() or not NARROWEST <= int(asked) <= WIDEST:
        raise Invalid(
            f"A picture cannot be {asked[:20]} pixels wide.", mend=f"Ask for {NARROWEST} to {WIDEST}."
        )
    return int(asked)


def pictured(made: Chart | None, address: str) -> dict[str, str] | None:
    """Return what the page's chart tag needs, None where there is nothing to draw.

    ``address`` is the picture's, with ``FORM`` where the form of the file stands.
    """
    if made is None:
        return None
    image, spec, png = (address.replace("FORM", form) for form in ("svg", "json", "png"))
    return {
        "image": image, "spec": spec, "png": png, "title": made.title, "alt": made.alt, "note": made.subtitle,
    }  # fmt: skip
