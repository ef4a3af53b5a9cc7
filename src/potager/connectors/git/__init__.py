"""What a git repository says was shipped: its tags and releases with their dates, read and never written.

Words: the *history* of a repository is its name and what was shipped, oldest first. A tag that names a version is a
release. A repository without tags is read by its main line: what was merged or committed to it, one by one.
"""

from potager.connectors.git.reading import History, Shipped, read_history

__all__ = ["History", "Shipped", "read_history"]
