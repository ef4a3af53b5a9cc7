"""Fails when the engines or the ground are covered less than they must be."""

from __future__ import annotations

import json
import sys
from pathlib import Path

FLOORS = {"src/potager/engines/": 95.0, "src/potager/ground/": 95.0}


def main() -> int:
    """Add lines and branches up by folder, and compare with the floor."""
    files = json.loads(Path(".coverage.json").read_text("utf-8"))["files"]
    low = False
    for folder, floor in FLOORS.items():
        sums = [found["summary"] for name, found in files.items() if name.startswith(folder)]
        covered = sum(found["covered_lines"] + found["covered_branches"] for found in sums)
        total = sum(found["num_statements"] + found["num_branches"] for found in sums)
        share = 100 * covered / max(total, 1)
        low = low or share < floor
        print(f"{folder}: {share:.1f} % covered, at least {floor:g} %")
    return int(low)


if __name__ == "__main__":
    sys.exit(main())
