"""Renders the design system's pages without the rest of Potager, and serves them under the real policy.

Run it to look at them: ``python -m tests.faces.web_design.site``.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import allauth
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest
from django.template.loader import get_template
from django.test import RequestFactory, override_settings

import potager.faces.web
from potager.kit.charts.render import to_svg
from potager.kit.charts.theme import theme_named
from potager.kit.clock import held
from tests.faces.web_design import content

WEB = Path(potager.faces.web.__file__).parent
STATIC = WEB / "static"
POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'"
KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".woff2": "font/woff2",
}
FOUND = [
    {
        "group": "Records",
        "title": "Net revenue",
        "hint": "metric, strategic",
        "url": "/metrics/1",
        "keys": "",
    },
    {
        "group": "Records",
        "title": "Will net revenue reach £9.5m this year?",
        "hint": "question",
        "url": "/questions/1",
    },
    {
        "group": "Do",
        "title": "New metric",
        "hint": "from the columns of a table",
        "url": "/metrics/new",
        "keys": "n",
    },
    {"group": "Do", "title": "Import a file", "hint": "CSV, JSON Lines, Parquet, Excel", "url": "/import"},
]


TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [WEB / "templates", Path(allauth.__file__).parent / "templates"],
        "OPTIONS": {
            "libraries": {
                "potager_ui": "potager.faces.web.templatetags.potager_ui",
                "allauth": "allauth.templatetags.allauth",
                "account": "allauth.account.templatetags.account",
                "socialaccount": "tests.faces.web_design.no_providers",
            }
        },
    }
]
_one_at_a_time = threading.Lock()  # settings are overridden for the whole process


def page(template: str, context: dict[str, Any], *, theme: str = "", path: str = "/") -> str:
    """Return a page as the browser gets it."""
    request: HttpRequest = RequestFactory().get(path)
    messages = [Message(constants.SUCCESS, "The import is undone: 541,909 lines are out again.")]
    everything = {"theme": theme, "request": request, "csrf_token": "token", "messages": messages, **context}
    changed = {
        "ROOT_URLCONF": "tests.faces.web_design.urls",
        "STATIC_URL": "/static/",
        "TEMPLATES": TEMPLATES,
    }
    with _one_at_a_time, held(content.NOW), override_settings(**changed):
        return get_template(template).render(everything)


def home() -> dict[str, Any]:
    """Return what the home page shows."""
    return {
        **content.gallery(),
        "page_title": "Home",
        "crumbs": [],
        "beds": content.BEDS,
        "under": content.UNDER,
        "chain_up": [],
        "chain_down": [],
    }


def first_home() -> dict[str, Any]:
    """Return what the home page of a new installation shows."""
    steps = {
        "insight": "Bring in a file, and ask the question that is asked every month.",
        "voice": "Put one customer’s words in. One sentence is enough.",
        "practice": "Write down the process that everybody complains about, with its hours.",
    }
    beds = [
        {
            **bed,
            "lines": [],
            "first": {
                "text": steps[bed["key"]],
                "action": "Start here",
                "url": "/",
                "main": bed["key"] == "insight",
            },
        }
        for bed in content.BEDS
    ]
    return {**home(), "beds": beds, "under": [], "needs": []}


def answer() -> dict[str, Any]:
    """Return what an answer's page shows."""
    shown = content.gallery()
    return {
        **shown,
        "answer": {**content.ANSWER, "chart": shown["chart"]},
        "page_title": "Net revenue 2011",
        "crumbs": [{"title": "Questions", "url": "/questions"}],
    }


def problem() -> dict[str, Any]:
    """Return what a problem's page shows."""
    from potager.kit.errors import Changed

    return {
        **content.gallery(),
        "page_title": "Somebody changed this meanwhile",
        "problem": Changed(
            "Bo changed “Net revenue” two minutes ago, after you opened it.",
            mend="Load the page again: what you typed is kept, and shown beside Bo’s text.",
        ),
    }


def form() -> dict[str, Any]:
    """Return what the page of a form shows."""
    return {
        **content.gallery(),
        "form": content.MetricForm(),
        "page_title": "New metric",
        "submit": "Keep the metric",
        "cancel_url": "/",
        "keep": "metric",
    }


PAGES: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "/": ("gallery.html", content.gallery),
    "/home": ("gallery_home.html", home),
    "/first": ("gallery_home.html", first_home),
    "/answer": ("answer.html", answer),
    "/problem": ("problem.html", problem),
    "/form": ("form.html", form),
}


class Site(BaseHTTPRequestHandler):
    """Answers with pages, static files, the chart and the palette."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        theme = query.get("theme", "")
        if address.path in PAGES:
            template, context = PAGES[address.path]
            self._say(
                page(template, context(), theme=theme, path=self.path).encode(), "text/html; charset=utf-8"
            )
        elif address.path == "/poll":
            self._say(b'<p id="polled">All 541,909 rows are in.</p>', "text/html")
        elif address.path == "/part":
            self._say(b'<p id="part" data-toast="Opened">Ada Ltd</p>', "text/html")
        elif address.path == "/chart.json":
            spec = content.CHART.at(int(query["width"])) if "width" in query else content.CHART.spec
            self._say(json.dumps(spec).encode(), "application/json")
        elif address.path == "/chart.svg":
            picture = to_svg(content.CHART, theme_named(theme or "light"), titled=False)
            self._say(picture.encode(), "image/svg+xml")
        elif address.path == "/palette":
            wanted = query.get("q", "").lower()
            self._say(
                json.dumps([item for item in FOUND if wanted in str(item["title"]).lower()]).encode(),
                "application/json",
            )
        elif (
            address.path.startswith("/static/")
            and (file := STATIC / address.path.removeprefix("/static/")).is_file()
        ):
            self._say(file.read_bytes(), KINDS.get(file.suffix, "application/octet-stream"))
        elif address.path.startswith("/auth/"):
            from tests.faces.web_design.entrance import entrance_page

            self._say(
                entrance_page(address.path.removeprefix("/auth/"), theme).encode(), "text/html; charset=utf-8"
            )
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        self._say(b"", "text/plain")

    def _say(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@contextmanager
def serving(port: int = 0) -> Iterator[str]:
    """Serve the pages while inside, and give their address."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _alone() -> None:
    """Serve until interrupted, with settings of its own."""
    import os

    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.faces.web_design.settings"
    django.setup()
    with serving(8399) as address:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        threading.Event().wait()


__all__ = ["PAGES", "page", "serving"]

if __name__ == "__main__":
    _alone()
