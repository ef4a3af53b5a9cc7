"""What traits may be called: a condition has to be able to name them."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError

MOST_TRAITS = 200
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


def trait_name(text: str) -> str:
    """Return a text as a trait can be called: ``Monthly seats`` becomes ``monthly_seats``."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60].rstrip("_")
    return name if name[:1].isalpha() else f"trait_{name}".rstrip("_")


def named_traits(traits: Any) -> None:
    """Refuse traits that no condition could name, or that are no plain values."""
    if not isinstance(traits, dict):
        raise ValidationError("Traits are names with values, such as seats: 12.")
    if len(traits) > MOST_TRAITS:
        raise ValidationError(f"There are {len(traits)} traits; {MOST_TRAITS} are the most.")
    for name, value in traits.items():
        if not _NAME.fullmatch(str(name)):
            raise ValidationError(
                f"A trait cannot be called {name!r}: write lower-case letters, digits and underscores."
            )
        if not isinstance(value, str | int | float | bool | None):
            raise ValidationError(f"The trait {name} is not a text, a number, yes or no.")
