"""YAML read so that it can do no harm and every element keeps its line.

The text is turned into events by libyaml and assembled here without recursion: nesting is bounded, an alias that
contains itself is refused, and so is one that multiplies into more than a person could have written ("billion
laughs"). Duplicate keys and tags that would construct objects are refused too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from potager.insight.metrics.semantics.findings import Finding, refuse

Path = tuple[str | int, ...]

MOST_CHARACTERS = 2_000_000
MOST_DEPTH = 60
MOST_EXPANDED = 200_000
_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")
)
# A date stays the text that was written: definitions hold no moments, and JSON has no other way to say it.
_TEXT_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("timestamp", "value", "merge"))
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Node:
    """One YAML node: ``value`` is a scalar, a list of nodes, or a mapping from key to (key's line, node)."""

    line: int
    kind: str
    value: Any = None
    size: int = 1
    depth: int = 1
    closed: bool = True


@dataclass(slots=True)
class _Assembly:
    source: str
    stack: list[Node] = field(default_factory=list)
    keys: list[tuple[str, int] | None] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    roots: list[Node] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    expanded: int = 0

    def refuse(self, line: int, message: str, mend: str) -> None:
        refuse([Finding(self.source, line, "error", message, mend)])

    def open(self, node: Node, anchor: str | None) -> None:
        node.closed = False
        if anchor:
            self.anchors[anchor] = node
        if len(self.stack) >= MOST_DEPTH:
            self.refuse(
                node.line, f"The nesting is deeper than {MOST_DEPTH} levels.", "Flatten the document."
            )
        self.stack.append(node)
        self.keys.append(None)

    def close(self) -> None:
        node = self.stack.pop()
        self.keys.pop()
        node.closed = True
        self.add(node)

    def add(self, node: Node) -> None:
        """Put a finished node into its parent, or make it a document's root."""
        if not self.stack:
            self.roots.append(node)
            return
        parent = self.stack[-1]
        if parent.kind == "sequence":
            parent.value.append(node)
        else:
            key = self.keys[-1]
            if key is None:
                self.keys[-1] = self.key(node)
                return
            self.pair(parent, key, node)
            self.keys[-1] = None
        parent.size += node.size
        parent.depth = max(parent.depth, node.depth + 1)

    def alias(self, target: Node, line: int) -> None:
        """Put an anchored node in once more, as long as the whole stays of a size a person could have written."""
        self.expanded += target.size
        if self.expanded > MOST_EXPANDED or len(self.stack) + target.depth > MOST_DEPTH:
            self.refuse(
                line,
                "The document's anchors and aliases multiply into more than can be read.",
                "Write the repeated parts out, or use fewer aliases.",
            )
        self.add(target)

    def key(self, node: Node) -> tuple[str, int]:
        if node.kind != "scalar" or not isinstance(node.value, str | int | float | bool):
            self.refuse(node.line, "A key must be plain text.", "Write the key as a word, such as `name:`.")
        return str(node.value), node.line

    def pair(self, parent: Node, key: tuple[str, int], node: Node) -> None:
        name, line = key
        if name == "<<":
            self.merge(parent, node)
            return
        earlier, _ = parent.value.get(name, (0, None))
        # A negative line marks an entry that came by a merge; what is written out takes its place.
        if earlier > 0:
            self.findings.append(
                Finding(
                    self.source,
                    line,
                    "error",
                    f"The key `{name}` appears twice; it is already on line {earlier}.",
                    "Keep one of the two.",
                )
            )
            return
        parent.value[name] = (line, node)

    def merge(self, parent: Node, node: Node) -> None:
        for part in node.value if node.kind == "sequence" else [node]:
            if part.kind != "mapping":
                self.refuse(node.line, "`<<` merges mappings only.", "Point it at an anchor on a mapping.")
            for name, (line, child) in part.value.items():
                parent.value.setdefault(name, (-abs(line), child))


def compose(text: str, source: str, *, most_characters: int = MOST_CHARACTERS) -> list[Node]:
    """Return the root node of every document in ``text``; raise :class:`Invalid` with line and mend."""
    assembly = _Assembly(source)
    if len(text) > most_characters:
        assembly.refuse(
            1,
            f"The document is longer than {most_characters:,} characters.",
            "Split it into several files.",
        )
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            _take(assembly, event)
    except yaml.YAMLError as error:
        line, message, mend = _explain(error, text)
        assembly.refuse(line, message, mend)
    refuse(assembly.findings)
    return assembly.roots


def _take(assembly: _Assembly, event: Any) -> None:
    line = event.start_mark.line + 1
    if isinstance(event, yaml.ScalarEvent):
        node = Node(line, "scalar", _scalar(assembly, event, line))
        if event.anchor:
            assembly.anchors[event.anchor] = node
        assembly.add(node)
    elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
        if event.tag is not None and event.tag not in _PLAIN_TAGS:
            assembly.refuse(line, f"The tag `{event.tag}` is not allowed.", "Remove the tag.")
        kind = "sequence" if isinstance(event, yaml.SequenceStartEvent) else "mapping"
        assembly.open(Node(line, kind, [] if kind == "sequence" else {}), event.anchor)
    elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
        assembly.close()
    elif isinstance(event, yaml.AliasEvent):
        target = assembly.anchors.get(str(event.anchor))
        if target is None:
            assembly.refuse(
                line, f"The alias `*{event.anchor}` has no anchor.", f"Define `&{event.anchor}` first."
            )
        elif not target.closed:
            assembly.refuse(line, f"The alias `*{event.anchor}` contains itself.", "Remove the loop.")
        else:
            assembly.alias(target, line)
    elif isinstance(event, yaml.DocumentStartEvent):
        assembly.anchors.clear()


def _scalar(assembly: _Assembly, event: Any, line: int) -> str | int | float | bool | None:
    tag = event.tag
    if tag is None or tag == "!":
        if not event.implicit[0]:
            return str(event.value)
        tag = _resolver.resolve(yaml.ScalarNode, event.value, (True, False))
    if tag in _TEXT_TAGS or tag == "tag:yaml.org,2002:str":
        return str(event.value)
    if tag not in _PLAIN_TAGS:
        assembly.refuse(line, f"The tag `{tag}` is not allowed.", "Remove the tag.")
    constructed: str | int | float | bool | None
    try:
        constructed = _constructor.construct_object(yaml.ScalarNode(tag, event.value))
    except (ValueError, yaml.YAMLError):
        constructed = str(event.value)
    return constructed


_resolver: Any = yaml.resolver.Resolver()
_constructor = yaml.constructor.SafeConstructor()


def _explain(error: yaml.YAMLError, text: str) -> tuple[int, str, str]:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or error).strip().splitlines()[0]
    line = mark.line + 1 if mark is not None else 1
    written = text.splitlines()[line - 1 : line]
    if "cannot start any token" in problem and written and "\t" in written[0]:
        return line, "A tab is used where YAML wants spaces.", "Indent with two spaces."
    if "unacceptable" in problem or "special characters" in problem or "control characters" in problem:
        return line, "The document holds a control character.", "Save it as plain UTF-8 text."
    mends = {
        "mapping values": "Put text that holds a colon in quotes.",
        "did not find expected": "Check the indentation and the dashes of the lines just above.",
        "found unexpected end": "Close the quote or the bracket that is still open.",
    }
    mend = next(
        (advice for words, advice in mends.items() if words in problem), "Check the indentation and quotes."
    )
    return line, f"This is not valid YAML: {problem}.", mend


def plain(node: Node) -> tuple[Any, dict[Path, int]]:
    """Return the node as plain data, with the line of every element by its path."""
    lines: dict[Path, int] = {}
    return _plain(node, (), lines), lines


def _plain(node: Node, path: Path, lines: dict[Path, int]) -> Any:
    lines.setdefault(path, node.line)
    if node.kind == "scalar":
        return node.value
    if node.kind == "sequence":
        return [_plain(child, (*path, position), lines) for position, child in enumerate(node.value)]
    mapping = {}
    for name, (line, child) in node.value.items():
        lines[(*path, name)] = abs(line)
        mapping[name] = _plain(child, (*path, name), lines)
    return mapping


def up(path: Path) -> Iterator[Path]:
    """Yield ``path`` and then its ever shorter beginnings."""
    for length in range(len(path), -1, -1):
        yield path[:length]
