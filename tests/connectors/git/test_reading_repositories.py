"""A git repository becomes what was shipped, with its days; nothing of it is written."""

from __future__ import annotations

import os
import subprocess
from datetime import date
from pathlib import Path

import pytest

from potager.connectors.git import read_history
from potager.kit.errors import Invalid, NotFound

DAY = 86_400
FIRST = 1_704_103_200  # 2024-01-01 10:00 UTC


def git(folder: Path, *arguments: str, at: int = FIRST) -> None:
    when = f"{at} +0000"
    who = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_NAME": "Ada",
           "GIT_COMMITTER_EMAIL": "ada@example.org", "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}  # fmt: skip
    command = ["git", "-C", str(folder), "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false", *arguments]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **who})


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with three commits, a day apart."""
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "--initial-branch=main")
    for number in range(3):
        (folder / "file").write_text(str(number))
        git(folder, "add", "file")
        git(folder, "commit", "-m", f"Change {number}\n\nWhy it was made.", at=FIRST + number * DAY)
    return folder


def test_tags_become_changes_with_their_days(clone):
    git(clone, "tag", "-a", "v1.0.0", "-m", "First\n\nGuided setup.", "HEAD~1", at=FIRST + DAY)
    git(clone, "tag", "nightly", "HEAD")
    found = read_history(clone)
    assert found.by_tags
    assert [(one.name, one.shipped_as, one.shipped_at) for one in found.shipped] == [
        ("v1.0.0", "release", date(2024, 1, 2)),
        ("nightly", "tag", date(2024, 1, 3)),
    ]
    assert found.shipped[0].author == "Ada"
    assert found.shipped[0].note == "First\n\nGuided setup."


@pytest.mark.parametrize(
    "name", ["1.2", "v3.0.1", "2024.05.1", "web@3.0.0", "api/v2.1.0-rc.1", "app-1.4.0+build5"]
)
def test_a_tag_that_names_a_version_is_a_release(clone, name):
    git(clone, "tag", name)
    assert read_history(clone).shipped[0].shipped_as == "release"


def test_without_tags_the_main_line_is_read_oldest_first(clone):
    found = read_history(clone)
    assert not found.by_tags
    assert [one.name for one in found.shipped] == ["Change 0", "Change 1", "Change 2"]
    assert len({one.reference for one in found.shipped}) == 3


def test_what_was_merged_counts_once(clone):
    git(clone, "checkout", "-b", "side")
    git(clone, "commit", "--allow-empty", "-m", "On the side", at=FIRST + 4 * DAY)
    git(clone, "checkout", "main")
    git(clone, "merge", "--no-ff", "side", "-m", "Merge the side", at=FIRST + 5 * DAY)
    assert [one.name for one in read_history(clone).shipped][-1] == "Merge the side"
    assert "On the side" not in [one.name for one in read_history(clone).shipped]


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ("https://ada:secret@example.org/shop/app.git", "https://example.org/shop/app"),
        ("git@example.org:shop/app.git", "git@example.org:shop/app"),
        ("", "shop"),
    ],
)
def test_a_repository_is_called_by_its_origin_without_credentials(clone, origin, name):
    if origin:
        git(clone, "remote", "add", "origin", origin)
    assert read_history(clone).name == name


def test_an_empty_repository_shipped_nothing(tmp_path):
    git(tmp_path, "init")
    assert read_history(tmp_path).shipped == ()


def test_a_folder_that_is_no_repository_is_said_to_be_none(tmp_path):
    with pytest.raises(NotFound, match="not a git repository"):
        read_history(tmp_path)
    with pytest.raises(NotFound, match="no folder"):
        read_history(tmp_path / "gone")


def test_a_broken_repository_is_refused_with_what_git_says(clone):
    (clone / ".git" / "config").write_text("[broken")
    with pytest.raises(Invalid, match="git cannot read"):
        read_history(clone)


def test_reading_changes_nothing(clone):
    before = sorted((path.as_posix(), path.stat().st_mtime_ns) for path in clone.rglob("*"))
    read_history(clone)
    assert sorted((path.as_posix(), path.stat().st_mtime_ns) for path in clone.rglob("*")) == before
