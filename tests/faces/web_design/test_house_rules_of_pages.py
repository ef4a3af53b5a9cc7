"""What every template and every vendored file must keep, read from the files themselves."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

import potager
from tests.faces.web_design.entrance import ENTRANCE, entrance_page
from tests.faces.web_design.site import PAGES, STATIC, WEB, page

TEMPLATES = sorted(Path(potager.__file__).parent.rglob("templates/**/*.html"))
VENDOR = STATIC / "potager/vendor"
FORBIDDEN = {
    "an inline style": re.compile(r"<[a-z][^>]*\sstyle\s*=", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "an inline handler": re.compile(r"<[a-z][^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "an inline script": re.compile(r"<script\b(?![^>]*(?:\ssrc=|application/(?:ld\+)?json))", re.IGNORECASE),
    "a script address": re.compile(r"javascript:|hx-on|hx-vals=['\"]js:", re.IGNORECASE),
    "a foreign address": re.compile(r"<(?:script|link|img)\b[^>]*(?:src|href)[^=]*=\s*['\"](?:https?:)?//", re.I),
}  # fmt: skip


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_has(what: str) -> None:
    guilty = [str(file) for file in TEMPLATES if FORBIDDEN[what].search(file.read_text())]
    assert guilty == []


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_rendered_page_has(what: str) -> None:
    pages = [page(template, context()) for template, context in PAGES.values()]
    pages += [entrance_page(template) for template in ENTRANCE]
    assert not any(FORBIDDEN[what].search(html) for html in pages)


def test_pages_stand_with_nothing_given() -> None:
    for template in ("shell.html", "plain.html", "answer.html", "problem.html", "500.html"):
        html = page(template, {"messages": []})
        assert "</html>" in html
        assert "None" not in re.sub(r"<[^>]*>", "", html)


def test_vendored_files_are_the_ones_that_were_recorded() -> None:
    told = dict(
        re.findall(
            r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE
        )
    )
    there = {
        str(file.relative_to(VENDOR))
        for file in VENDOR.rglob("*")
        if file.is_file() and file.name != "README.md"
    }
    assert set(told) == there
    for name, digest in told.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_no_static_file_asks_for_one_that_is_not_there() -> None:
    for file in [*STATIC.rglob("*.css"), *STATIC.rglob("*.js")]:
        text = file.read_text()
        assert "sourceMappingURL=" not in text, file
        for found in (
            re.findall(r"url\(\"([^\"]+)\"\)|(?:from|import) \"(\.[^\"]+)\"", text)
            if file.parent != VENDOR
            else []
        ):
            assert (file.parent / "".join(found)).resolve().is_file(), (file, found)


def test_what_pages_need_at_first_is_small() -> None:
    first = [*STATIC.rglob("css/*.css"), *STATIC.rglob("js/*.js"), VENDOR / "htmx.min.js"]
    assert sum(file.stat().st_size for file in first) < 150_000


def test_every_tag_and_include_is_in_the_guide() -> None:
    guide = (Path(potager.__file__).parents[2] / "docs/reference/design-system.md").read_text()
    tags = (WEB / "templatetags/potager_ui.py").read_text()
    names = re.findall(
        r"@register\.(?:simple_tag|filter|inclusion_tag)\(?(?:[^)]*?name=\"(\w+)\")?[^\n]*\ndef (\w+)", tags
    )
    missing = [given or name for given, name in names if f"{given or name}" not in guide]
    assert missing == []
