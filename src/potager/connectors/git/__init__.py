"""What a git repository says was shipped: its tags and releases with their dates, read and never written.

Words: the *history* of a repository is its name and what was shipped, oldest first. A tag that names a version is a
release. A repository without tags is read by its main line: what was merged or committed to it, one by one. A *change*
says more: the commits since the one before it, who made them, what they touched, and its notes. Exports of feature
flags become changes too. The clone's own configuration runs nothing here, and nothing is fetched.
"""

from potager.connectors.git.changes import Change, changes_of
from potager.connectors.git.flags import flag_changes
from potager.connectors.git.reading import History, Shipped, read_history
from potager.connectors.git.versions import Version, version_of

__all__ = [
    "Change", "History", "Shipped", "Version", "changes_of", "flag_changes", "read_history", "version_of",
]  # fmt: skip
