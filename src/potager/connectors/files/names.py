"""Names of columns: unique labels for what the file says, and clean names for the lake."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

LONGEST_NAME = 63  # PostgreSQL's limit, the tightest of the engines that read the lake


def labels_of(header: Sequence[str | None]) -> list[str]:
    """Return a unique label for each header cell: ``amount``, ``amount (2)``; an empty cell becomes ``column 3``.

    The labels depend on the header alone, so a plan finds its columns again in next month's file.
    """
    labels: list[str] = []
    taken: set[str] = set()
    for position, cell in enumerate(header, start=1):
        base = " ".join((cell or "").split()) or f"column {position}"
        label, count = base, 1
        while label in taken:
            count += 1
            label = f"{base} ({count})"
        taken.add(label)
        labels.append(label)
    return labels


def clean_name(label: str, position: int) -> str:
    """Return ``label`` in lower snake case and ASCII; what has no such letters becomes ``column_<position>``.

    No double underscore is left: it separates entity and dimension in the metric layer.
    """
    text = unicodedata.normalize(
        "NFKD", label.replace("ß", "ss").replace("%", " percent ").replace("#", " number ")
    )
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:LONGEST_NAME].rstrip("_")
    if not name:
        return f"column_{position}"
    return f"column_{name}"[:LONGEST_NAME] if name[0].isdigit() else name


def clean_names(labels: Iterable[str]) -> list[str]:
    """Return a clean, unique name for each label: names that collide get ``_2``, ``_3`` …"""
    names: list[str] = []
    taken: set[str] = set()
    for position, label in enumerate(labels, start=1):
        base = name = clean_name(re.sub(r" \((\d+)\)$", "", label), position)
        count = 1
        while name in taken:
            count += 1
            name = f"{base[: LONGEST_NAME - len(str(count)) - 1]}_{count}"
        taken.add(name)
        names.append(name)
    return names
