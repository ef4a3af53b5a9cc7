"""Installs what the tests need from outside Python, where it can, and says in one sentence what will be skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser() -> str | None:
    """Return the path of a Chromium, if there is one."""
    named = os.environ.get("POTAGER_CHROMIUM")
    return named or next((path for name in BROWSERS if (path := shutil.which(name))), None)


def retail_file() -> Path | None:
    """Return the path of the real retail file, if it is here."""
    path = Path(
        os.environ.get("POTAGER_RETAIL_FILE", Path(__file__).parents[2] / "shared/data/online_retail.parquet")
    )
    return path if path.exists() else None


def install_browser() -> None:
    """Install Debian's Chromium where there is none and this user may."""
    if browser() or not shutil.which("apt-get") or os.geteuid() != 0:
        return
    print("Installing Chromium for the browser tests …")
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if done.returncode:
            return


def skipped() -> list[str]:
    """Return what will be skipped, and why."""
    found = []
    if not browser():
        found.append("the browser journeys (no Chromium; install it or set POTAGER_CHROMIUM)")
    if not retail_file():
        found.append("the tests on the real retail file (set POTAGER_RETAIL_FILE to its path)")
    if not shutil.which("java"):
        found.append("the tests of the Spark engine (no Java)")
    return found


if __name__ == "__main__":
    if "--report" not in sys.argv:
        install_browser()
    left_out = skipped()
    if left_out:
        print(f"Skipped: {'; '.join(left_out)}.")
    elif "--report" in sys.argv:
        print("Nothing was skipped: SQLite, PostgreSQL, a real browser, the real retail file and Spark.")
