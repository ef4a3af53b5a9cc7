"""What messages of commits say: their kind (conventionalcommits.org 1.0), and the pull or merge request they close."""

from __future__ import annotations

import re
from collections.abc import Iterable

# From the weightiest: a release with one feature and ten fixes is a feature.
NATURES = ("breaking", "feature", "fix", "performance", "refactoring", "upkeep")
_WORDS = {
    "feat": "feature", "feature": "feature", "fix": "fix", "bugfix": "fix", "hotfix": "fix", "perf": "performance",
    "refactor": "refactoring", "revert": "fix", "build": "upkeep", "chore": "upkeep", "ci": "upkeep",
    "docs": "upkeep", "style": "upkeep", "test": "upkeep", "tests": "upkeep", "deps": "upkeep",
}  # fmt: skip
_CONVENTIONAL = re.compile(r"^(?P<type>[A-Za-z]+)(?:\([^()\r\n]*\))?(?P<breaking>!)?:\s+\S")
_BREAKING = re.compile(r"^BREAKING[ -]CHANGE: ", re.MULTILINE)
_MERGE = re.compile(r"^(?:Merge|Merged) (?:pull request|branch|in\b|remote-tracking branch|PR\b)")
_PULLS = (
    re.compile(r"^Merge(?:d)? (?:pull request|PR) #?(\d+)\b"),  # GitHub, Azure
    re.compile(r"\(pull request #(\d+)\)"),  # Bitbucket
    re.compile(r"\(#(\d+)\)\s*$"),  # GitHub, squashed
)
_MERGE_REQUEST = re.compile(r"^See merge request \S*!(\d+)\s*$", re.MULTILINE)


def nature_of(message: str) -> str:
    """Return the kind of a commit whose message follows Conventional Commits; empty where it does not."""
    first = message.strip().partition("\n")[0]
    found = _CONVENTIONAL.match(first)
    word = _WORDS.get(found["type"].lower(), "") if found else ""
    if found and (found["breaking"] or (word and _BREAKING.search(message))):
        return "breaking"
    return word


def weightiest(natures: Iterable[str]) -> str:
    """Return the kind that a change with commits of these kinds has."""
    found = set(natures)
    return next((nature for nature in NATURES if nature in found), "")


def pull_of(message: str) -> str:
    """Return the pull request (#12) or merge request (!12) that a commit closes; empty where it names none."""
    first = message.strip().partition("\n")[0]
    for pattern in _PULLS:
        if found := pattern.search(first):
            return f"#{found[1]}"
    found = _MERGE_REQUEST.search(message)
    return f"!{found[1]}" if found else ""


def title_of(message: str) -> str:
    """Return what a commit is about: its first line, or what follows where that only says that something was merged."""
    first, _, rest = message.strip().partition("\n")
    if _MERGE.match(first):
        for line in rest.splitlines():
            if line.strip() and not line.startswith(("See merge request", "Approved-by", "Co-authored-by")):
                return line.strip()
    return first.strip()
