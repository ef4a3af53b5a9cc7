"""Random numbers by topic: each topic has a stream of its own, so a new table leaves the others as they are."""

from __future__ import annotations

from contextvars import ContextVar

import numpy as np

SEED = 20_240_229
seed: ContextVar[int] = ContextVar("seed", default=SEED)


def stream(topic: str) -> np.random.Generator:
    """Return the generator of random numbers for a topic; the same seed and topic give the same numbers."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed.get(), *topic.encode()])))
