"""California's Proposition 99: packs of cigarettes per head in 39 states, 1970 to 2000 (Abadie et al. 2010).

The table is read from the package ``synthdid-py`` (BSD-3-Clause), which carries it as the authors of synthetic
difference-in-differences published it; nothing of the package is run.
"""

from __future__ import annotations

import csv
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from potager.engines.causal import Panel

START = 19  # 1989


def proposition_99() -> Panel:
    """Return the panel, or skip the test where the package is not installed."""
    try:
        files = metadata.files("synthdid-py") or []
    except metadata.PackageNotFoundError:
        pytest.skip("The package synthdid-py, which carries the Proposition 99 table, is not installed.")
    path = next(Path(str(file.locate())) for file in files if file.name == "california_prop99.csv")
    with path.open(newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter=";"))
    states = sorted({row["State"] for row in rows})
    years = sorted({row["Year"] for row in rows})
    outcomes = np.full((len(states), len(years)), np.nan)
    for row in rows:
        outcomes[states.index(row["State"]), years.index(row["Year"])] = float(row["PacksPerCapita"])
    return Panel(tuple(states), tuple(years), outcomes, {"California": START})
