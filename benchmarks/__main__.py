"""Runs the measurements and writes ``docs/reference/benchmarks.md``; names on the command line choose sections.

What a section measured is kept beside the page, so that one section can be measured again without the others.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

os.environ["POTAGER_DATA"] = tempfile.mkdtemp(prefix="potager-bench-")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "potager.project.settings")

import django

django.setup()

import duckdb  # noqa: E402

from benchmarks.measure import Row  # noqa: E402

PAGE = Path(__file__).parents[1] / "docs/reference/benchmarks.md"
KEPT = Path(__file__).parent / "measured.json"
SECTIONS = {
    "house": "The house",
    "money": "Revenue",
    "behavior": "Usage",
    "impact": "Impact",
    "harbor": "Harbor",
}


def page(measured: dict[str, list[Row]]) -> str:
    """Return the page of everything measured."""
    lines = [
        "# Benchmarks",
        "",
        "Measured by `make bench`; peers run in the same minute on the same data. Ratios are what to look at: the machine was",
        f"a shared one with {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, DuckDB {duckdb.__version__}.",
    ]
    for section, title in SECTIONS.items():
        if rows := measured.get(section):
            lines += ["", f"## {title}", "", "| what | measured | goal | |", "|---|---|---|---|"]
            lines += [
                f"| {row.what} | {row.figure} | {row.goal} | {'met' if row.met else '**missed**'} |"
                for row in rows
            ]
            lines += [f"\n{row.note}" for row in rows if row.note]
    return "\n".join([*lines, ""])


def main(names: list[str]) -> None:
    """Measure the sections named, or all."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    kept = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    measured = {section: [Row(**row) for row in rows] for section, rows in kept.items()}
    for section in names or SECTIONS:
        measured[section] = import_module(f"benchmarks.{section}").rows()
        text = json.dumps({name: [asdict(row) for row in rows] for name, rows in measured.items()}, indent=1)
        KEPT.write_text(text + "\n", "utf-8")
        PAGE.write_text(page(measured), "utf-8")
    print(PAGE.read_text("utf-8"))


if __name__ == "__main__":
    main(sys.argv[1:])
