"""The reference says what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml
from docs.write_reference import requirements

ROOT = Path(__file__).parents[2]


def test_the_reference_is_up_to_date() -> None:
    writer = [sys.executable, ROOT / "docs/write_reference.py", "--check"]
    done = subprocess.run(writer, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}Run 'make reference'."


def test_every_dependency_has_a_line_and_none_too_many() -> None:
    words = yaml.safe_load((ROOT / "docs/dependencies.yml").read_text("utf-8"))
    wanted = requirements()
    for key in ("run", "test"):
        assert set(words[key]) == set(wanted[key])
        assert all(one["for"] and one["instead"] for one in words[key].values())


def test_every_setting_has_a_line_and_none_too_many() -> None:
    described = set(yaml.safe_load((ROOT / "docs/configuration.yml").read_text("utf-8")))
    read = set()
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text("utf-8")
        read |= set(
            re.findall(
                r"""(?:environ(?:\.get|\.setdefault)?[(\[]|envvar=|(?:listed|switched|counted)\()\s*["'](POTAGER_\w+)""",
                text,
            )
        )
    assert read == described
