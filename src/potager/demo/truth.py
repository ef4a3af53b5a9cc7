"""What is planted in Harbor. The generator and the tests read this; nothing else may."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """An app version that breaks identity verification from a day on."""

    platform: str
    app_version: str
    days_before_the_end: int
    verified_before: float
    verified_after: float


BROKEN_VERIFICATION = Cause("android", "7.4", 42, 0.86, 0.41)
