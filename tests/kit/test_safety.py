"""What the kit keeps out: scripts, formulas, calls into the private network, settings that are wrong."""

from __future__ import annotations

import csv
import io
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.kit import environment, http
from potager.kit.clock import held, now, today
from potager.kit.errors import FieldProblem, Invalid, NotFound, Problem, Unavailable
from potager.kit.files import csv_lines
from potager.kit.ids import uuid7
from potager.kit.markdown import to_html

# Markdown


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](data:text/html;base64,PHNjcmlwdD4=)",
        "![pixel](https://elsewhere.example/p.png)",
        "<a href='x' onclick='alert(1)'>a</a>",
        "<style>body{display:none}</style>",
        "[a](vbscript:x)",
        "<iframe src=//elsewhere.example></iframe>",
    ],
)
def test_nothing_that_runs_or_calls_home_survives_markdown(text: str) -> None:
    made = to_html(text).lower()
    for bad in (
        "<script",
        "<img",
        "<iframe",
        "<style",
        'href="javascript',
        'href="data',
        'href="vbscript',
        "<a href='x'",
    ):
        assert bad not in made


@given(st.text(max_size=200))
def test_any_text_becomes_markup_without_a_handler(text: str) -> None:
    made = to_html(text)
    assert "<script" not in made.lower()


def test_markdown_that_people_write_is_shown() -> None:
    made = to_html("## Head\n\n**bold** and [a](https://example.org)\n\n|a|b|\n|-|-|\n|1|2|\n\n~~gone~~")
    for part in (
        "<h2>Head</h2>",
        "<strong>bold</strong>",
        'href="https://example.org"',
        "<td>1</td>",
        "nofollow",
    ):
        assert part in made


# CSV


@given(
    st.lists(
        st.lists(st.one_of(st.text(max_size=12), st.integers(), st.none()), min_size=2, max_size=2),
        max_size=5,
    )
)
def test_no_cell_of_a_csv_starts_a_formula_and_none_is_lost(rows: list[list[Any]]) -> None:
    text = "".join(csv_lines(["=a", "b"], rows))
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert len(read) == len(rows) + 1 and read[0] == ["'=a", "b"]
    for given_row, row in zip(rows, read[1:], strict=True):
        for cell, found in zip(given_row, row, strict=True):
            assert found.lstrip("'") == ("" if cell is None else str(cell)).lstrip("'")
            assert not isinstance(cell, str) or not found.startswith(("=", "+", "-", "@", "\t", "\r"))


# Calling addresses that people typed


def resolves(monkeypatch: Any, *addresses: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **more: found)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.7", "192.168.1.1", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:127.0.0.1",
     "0.0.0.0", "100.64.0.1"],
)  # fmt: skip
def test_no_private_address_is_called(monkeypatch: Any, address: str) -> None:
    resolves(monkeypatch, address)
    with pytest.raises(Invalid) as refused:
        http.public_address("https://inside.example/hook")
    assert "private address" in refused.value.detail and refused.value.mend


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: Any) -> None:
    resolves(monkeypatch, "93.184.216.34", "10.0.0.7")
    with pytest.raises(Invalid):
        http.public_address("https://both.example/")


def test_a_network_that_the_operator_opened_is_called(monkeypatch: Any) -> None:
    resolves(monkeypatch, "10.0.0.7")
    assert http.public_address("http://inside.example:8080/x", allowed=("10.0.0.0/8",)) == (
        "inside.example",
        "10.0.0.7",
    )


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "file:///etc/passwd",
        "https://",
        "https://u:p@a.example/",
        "http://a.example:99999/",
        "x",
    ],
)
def test_an_address_of_another_kind_is_refused(monkeypatch: Any, url: str) -> None:
    resolves(monkeypatch, "93.184.216.34")
    with pytest.raises(Invalid) as refused:
        http.public_address(url)
    assert refused.value.errors[0].where == "url"


def test_a_name_that_does_not_resolve_is_unavailable(monkeypatch: Any) -> None:
    def nobody(*given: Any, **more: Any) -> None:
        raise OSError("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(Unavailable):
        http.public_address("https://nobody.example/")


# The environment


def test_a_secret_key_is_made_once_and_read_by_its_owner_only(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("POTAGER_SECRET_KEY", raising=False)
    first = environment.secret_key(tmp_path / "data")
    assert environment.secret_key(tmp_path / "data") == first and len(first) >= 50
    assert stat.S_IMODE((tmp_path / "data" / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret-key"]
    monkeypatch.setenv("POTAGER_SECRET_KEY", "given")
    assert environment.secret_key(tmp_path / "data") == "given"


@pytest.mark.parametrize(
    ("url", "host", "port", "name", "user"),
    [
        ("postgresql://u:p%40ss@db.example:5433/garden", "db.example", "5433", "garden", "u"),
        ("postgres:///?host=/run/pg&port=6000", "/run/pg", "6000", "potager", ""),
        ("postgresql://db.example/garden?sslmode=require", "db.example", "", "garden", ""),
    ],
)
def test_a_database_address_is_taken_apart(
    monkeypatch: Any, tmp_path: Path, url: str, host: str, port: str, name: str, user: str
) -> None:
    monkeypatch.setenv("POTAGER_DATABASE_URL", url)
    found = environment.database(tmp_path)
    assert (found["HOST"], found["PORT"], found["NAME"], found["USER"]) == (host, port, name, user)
    assert environment.lake(tmp_path)["catalog_uri"].startswith("postgresql+psycopg://")
    if "%40" in url:
        assert found["PASSWORD"] == "p@ss"
    if "sslmode" in url:
        assert found["OPTIONS"] == {"sslmode": "require"}


def test_settings_that_cannot_be_used_end_with_a_sentence(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("POTAGER_DATABASE_URL", "mysql://db.example/garden")
    with pytest.raises(
        SystemExit, match="POTAGER_DATABASE_URL cannot be used: it must start with postgresql"
    ):
        environment.database(tmp_path)
    monkeypatch.setenv("POTAGER_X", "maybe")
    with pytest.raises(SystemExit, match="'maybe' is neither yes nor no"):
        environment.switched("POTAGER_X")
    with pytest.raises(SystemExit, match="POTAGER_MAIL_URL"):
        environment.mail("http://mail.example")


def test_switches_lists_and_mail_are_read(monkeypatch: Any) -> None:
    monkeypatch.setenv("POTAGER_X", " On ")
    monkeypatch.setenv("POTAGER_Y", "a, b,,c ")
    assert environment.switched("POTAGER_X") is True and environment.switched("POTAGER_NONE", True) is True
    assert environment.listed("POTAGER_Y") == ["a", "b", "c"]
    found = environment.mail("smtp+tls://me:s%2Fcret@mail.example:587")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"], found["EMAIL_HOST_PASSWORD"], found["EMAIL_USE_TLS"]) == (
        "mail.example", 587, "s/cret", True,
    )  # fmt: skip
    assert environment.mail("smtps://mail.example")["EMAIL_PORT"] == 465
    assert environment.mail("")["EMAIL_BACKEND"].endswith("console.EmailBackend")


# Time, keys, problems


def test_a_held_clock_stands_still_and_goes_on_afterwards() -> None:
    from datetime import UTC, date, datetime

    late = datetime(2024, 2, 29, 23, 30, tzinfo=UTC)
    with held(late):
        assert now() == late == now()
        assert (today(), today("Europe/Zurich"), today("America/New_York")) == (
            date(2024, 2, 29), date(2024, 3, 1), date(2024, 2, 29),
        )  # fmt: skip
        with held(datetime(2000, 1, 1, tzinfo=UTC)):
            assert now().year == 2000
        assert now() == late
    assert now() > late


def test_keys_sort_by_the_time_they_were_made() -> None:
    import time

    made = []
    for _ in range(5):
        made.append(uuid7())
        time.sleep(0.002)
    assert made == sorted(made) and len(set(made)) == 5
    assert all(key.version == 7 and key.variant == "specified in RFC 4122" for key in made)


def test_a_problem_is_a_document_that_says_what_and_how_to_mend_it() -> None:
    problem = NotFound(
        "There is no metric x.", mend="Look at the list.", errors=[FieldProblem("name", "x", "y")]
    )
    assert problem.document("/metrics/x") == {
        "type": "urn:potager:problem:not-found", "title": "There is nothing here", "status": 404,
        "detail": "There is no metric x.", "instance": "/metrics/x", "mend": "Look at the list.",
        "errors": [{"where": "name", "problem": "x", "mend": "y"}],
    }  # fmt: skip
    kinds = Problem.__subclasses__()
    assert len({kind.type for kind in kinds}) == len(kinds)
    assert all(400 <= kind.status < 600 and kind.title for kind in kinds)
