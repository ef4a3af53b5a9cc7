"""Definitions back out as YAML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from potager.insight.metrics.semantics.documents import SECTIONS, Document


class _Dumper(yaml.SafeDumper):
    """Writes lists indented and long text in blocks, as people do, and never an alias."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def to_yaml(documents: Sequence[Document]) -> str:
    """Return one YAML text with the definitions of all documents.

    A single document comes back as it was written, comments and all.
    """
    if len(documents) == 1 and not documents[0].source.endswith(".json"):
        return documents[0].text
    merged = {
        section: [one for document in documents for one in document.data[section]] for section in SECTIONS
    }
    kept = {section: elements for section, elements in merged.items() if elements}
    return yaml.dump(kept, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
