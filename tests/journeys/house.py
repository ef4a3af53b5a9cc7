"""A house of its own: a data folder, the real program, a web server, a browser that listens to the console."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOOR = """
import django; django.setup()
from potager.ground.access.models import User
from potager.ground.accounts.pages import door_of
print(door_of(User.objects.order_by("created_at").first()))
"""
TOKEN = """
import django; django.setup()
from potager.ground.access.actors import actor_of
from potager.ground.access.models import User
from potager.ground.accounts.actions import make_token
owner = User.objects.order_by("created_at").first()
print(make_token(actor=actor_of(owner, via="cli"), name="test", scopes=["write"], days=1)[1])
"""


@dataclass
class House:
    """An installation in a folder of its own, and where its server listens."""

    folder: Path
    address: str = ""
    said: str = ""

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("POTAGER_")}
        settings = {"DJANGO_SETTINGS_MODULE": "potager.project.settings", "POTAGER_DATA": str(self.folder)}
        return {**kept, **settings, "NO_COLOR": "1"}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "potager.faces.cli.main", "--data", str(self.folder), *words]

    def run(self, *words: str, given: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the program as people do; the exit code must be the one expected."""
        done = subprocess.run(
            self.command(*words),
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done

    def python(self, text: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", text],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout.strip()

    def door(self, onward: str = "/") -> str:
        """Return an address that signs the owner in."""
        return f"{self.address}{self.python(DOOR)}?next={onward}"

    def token(self) -> str:
        """Return an API token of the owner."""
        return self.python(TOKEN)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(house: House) -> subprocess.Popen[str]:
    """Start the house's web server and wait until it answers."""
    port = free_port()
    house.address = f"http://127.0.0.1:{port}"
    log = (house.folder / "server.log").open("w")
    process = subprocess.Popen(
        house.command("serve", "--port", str(port), "--no-worker", "--processes", "1"),
        env=house.environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{house.address}/account/login/", timeout=10).close()
            return process
        except (urllib.error.URLError, OSError):
            if process.poll() is not None:
                break
            time.sleep(0.25)
    process.terminate()
    raise AssertionError((house.folder / "server.log").read_text())


class Looked:
    """A page with everything that its console complained about."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, line: Any) -> None:
        if line.type in {"error", "warning"}:
            self.complaints.append(line.text)


def stream_of(page: Any) -> str:
    """Return the address of the one stream of events that is there; the page is moved to the list of them."""
    page.goto("/usage/")
    address = page.locator("main a[href^='/usage/0']").first.get_attribute("href")
    return "/".join(str(address).split("/")[:3])
