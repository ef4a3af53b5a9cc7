"""Definitions as people bring them: YAML files, folders of them, or a dbt project's compiled manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path as FilePath
from typing import Any

from potager.insight.metrics.semantics.findings import Finding, refuse
from potager.insight.metrics.semantics.yaml_tree import Path, compose, plain, up
from potager.kit.errors import Invalid, NotFound

MOST_FILES = 2_000
MOST_MANIFEST_CHARACTERS = 20_000_000
_SKIPPED_FOLDERS = frozenset({"target", "dbt_packages", "node_modules"})
# The sections Potager reads. Other keys of a dbt file (models, sources, seeds …) belong to dbt and are passed over.
SECTIONS = ("semantic_models", "metrics", "saved_queries")
_SINGULAR = {"semantic_model": "semantic_models", "metric": "metrics", "saved_query": "saved_queries"}


@dataclass(frozen=True)
class Document:
    """One source of definitions: its text, its data, and the line of every element by its path.

    ``data`` has the keys of :data:`SECTIONS`, each a list of mappings; ``passed_over`` names the other top-level
    keys with their lines.
    """

    source: str
    text: str
    data: Mapping[str, list[Any]]
    lines: Mapping[Path, int] = field(repr=False)
    passed_over: Mapping[str, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """Return the line of the element at ``path``, or of the nearest element that holds it."""
        return next((self.lines[part] for part in up(path) if part in self.lines), 1)

    @cached_property
    def hash(self) -> str:
        """Return a hash of what the document says, blind to its layout and comments."""
        return sha256(json.dumps(self.data, sort_keys=True, default=str).encode()).hexdigest()


def content_hash(documents: Sequence[Document]) -> str:
    """Return one hash over all documents, whatever their order."""
    return sha256("".join(sorted(document.hash for document in documents)).encode()).hexdigest()


def parse(text: str, source_name: str) -> Document:
    """Return the definitions in ``text`` (YAML, or JSON as dbt writes it).

    Raises :class:`~potager.kit.errors.Invalid` whose errors say ``orders.yml line 12`` for text that is no YAML,
    loops, multiplies, is too long, has tabs or duplicate keys, or whose top level is not what it should be.
    """
    is_json = text.lstrip()[:1] == "{" and source_name.endswith(".json")
    limit = {"most_characters": MOST_MANIFEST_CHARACTERS} if is_json else {}
    data: dict[str, list[Any]] = {name: [] for name in SECTIONS}
    lines: dict[Path, int] = {}
    passed_over: dict[str, int] = {}
    findings: list[Finding] = []
    for root in compose(text.removeprefix("\ufeff"), source_name, **limit):
        content, at = plain(root)
        if content is None:
            continue
        if not isinstance(content, dict):
            message = (
                f"The document is {_kind(content)}, not a mapping with `semantic_models:` and `metrics:`."
            )
            findings.append(
                Finding(source_name, root.line, "error", message, "Begin with `semantic_models:`.")
            )
            continue
        for key, value in content.items():
            section = _SINGULAR.get(key, key)
            if section not in data:
                passed_over[key] = at[(key,)]
                continue
            elements = [value] if key in _SINGULAR else ([] if value is None else value)
            if not isinstance(elements, list):
                message = f"`{key}` is {_kind(value)}; it should be a list."
                findings.append(
                    Finding(source_name, at[(key,)], "error", message, "Begin each element with a dash.")
                )
                continue
            _append(data[section], elements, section, _moved(at, key, singular=key in _SINGULAR), lines)
    for section in SECTIONS:
        for position, element in enumerate(data[section]):
            if not isinstance(element, dict):
                message = (
                    f"An element of `{section}` is {_kind(element)}; it should be a mapping with a `name:`."
                )
                line = lines.get((section, position), 1)
                findings.append(Finding(source_name, line, "error", message, "Write it as `- name: …`."))
    refuse(findings)
    return Document(source_name, text, data, lines, passed_over)


def _moved(at: Mapping[Path, int], key: str, *, singular: bool) -> Iterator[tuple[Path, int]]:
    """Yield the lines below ``key`` with paths that begin at the position in its list."""
    for path, line in at.items():
        if path[:1] == (key,) and (singular or len(path) > 1):
            yield ((0, *path[1:]) if singular else path[1:]), line


def _append(
    target: list[Any],
    elements: list[Any],
    section: str,
    moved: Iterator[tuple[Path, int]],
    lines: dict[Path, int],
) -> None:
    offset = len(target)
    target.extend(elements)
    for path, line in moved:
        position = path[0]
        lines[(section, offset + int(position), *path[1:])] = line


def _kind(value: Any) -> str:
    names = {dict: "a mapping", list: "a list", str: "text", bool: "a yes/no value", type(None): "empty"}
    return names.get(type(value), "a number")


def read_documents(path: str | FilePath) -> list[Document]:
    """Return the documents of a file, of a folder of ``.yml`` and ``.yaml`` files, or of a dbt project.

    A folder that holds ``target/semantic_manifest.json`` is read through that file, which dbt has already resolved.
    Raises :class:`NotFound` when there is nothing at ``path`` and :class:`Invalid` for what cannot be read.
    """
    root = FilePath(path)
    if root.is_file():
        return [parse(_text(root), root.name)]
    if not root.is_dir():
        raise NotFound(f"There is no file or folder at {root}.", mend="Check the path.")
    manifest = root / "target" / "semantic_manifest.json"
    if manifest.is_file():
        return [parse(_text(manifest), manifest.name)]
    files = sorted(
        file
        for file in root.rglob("*")
        if file.suffix in {".yml", ".yaml"} and file.is_file() and not _skipped(file.relative_to(root))
    )
    if not files:
        raise NotFound(
            f"The folder {root} holds no .yml or .yaml file.",
            mend="Name the folder that holds your semantic models, or a dbt project after `dbt parse`.",
        )
    if len(files) > MOST_FILES:
        raise Invalid(f"The folder {root} holds more than {MOST_FILES} files.", mend="Name a smaller folder.")
    documents = [parse(_text(file), file.relative_to(root).as_posix()) for file in files]
    return [document for document in documents if any(document.data.values())] or documents[:1]


def _skipped(relative: FilePath) -> bool:
    return any(part.startswith(".") or part in _SKIPPED_FOLDERS for part in relative.parts)


def _text(file: FilePath) -> str:
    if file.stat().st_size > 4 * MOST_MANIFEST_CHARACTERS:
        raise Invalid(f"{file.name} is too large to be a definition.", mend="Split it into several files.")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(f"{file.name} is not UTF-8 text.", mend="Save it as UTF-8.") from error
