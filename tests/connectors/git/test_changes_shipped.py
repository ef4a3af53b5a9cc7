"""Changes shipped: what is in each release of a real repository, in order; nothing of it runs or is written."""

from __future__ import annotations

import subprocess
import time
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.connectors.git import changes_of, read_history, version_of
from potager.connectors.git.changelog import sections
from potager.connectors.git.messages import nature_of, pull_of, title_of
from potager.kit.errors import Invalid, NotFound, Unavailable
from tests.connectors.git.test_reading_repositories import DAY, FIRST, git


class Clone:
    """A repository to which things are committed, a day after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.day = folder, 0
        folder.mkdir()
        git(folder, "init", "--initial-branch=main")

    def commit(self, message: str, *files: str, text: str = "") -> None:
        self.day += 1
        for name in files:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text or f"{self.day} {message}")
            git(self.folder, "add", "--", name)
        git(self.folder, "commit", "--allow-empty", "-m", message, at=FIRST + self.day * DAY)

    def tag(self, name: str, message: str = "") -> None:
        words = ["-a", "-m", message] if message else []
        git(self.folder, "tag", *words, name, at=FIRST + self.day * DAY)

    def merge(self, branch: str, message: str, commits: int) -> None:
        git(self.folder, "checkout", "-b", branch)
        for number in range(commits):
            self.commit(f"work {number} on {branch}", f"{branch}/{number}.txt")
        git(self.folder, "checkout", "main")
        self.day += 1
        git(self.folder, "merge", "--no-ff", branch, "-m", message, at=FIRST + self.day * DAY)

    def changes(self, **asked: Any) -> list[Any]:
        return list(changes_of(self.folder, **asked))


@pytest.fixture
def made(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "shop")


def test_a_release_holds_the_commits_since_the_one_before(made: Clone) -> None:
    made.commit("feat: basket", "src/basket/a.py")
    made.commit("fix(basket): rounding", "src/basket/a.py")
    made.tag("v1.0.0", "v1.0.0")
    made.commit("fix: typo (#12)", "docs/index.md")
    made.commit("chore: tidy", "docs/other.md")
    made.tag("v1.0.1")
    first, second = made.changes()
    assert (first.title, first.version, first.kind, first.commits, first.nature) == (
        "v1.0.0", "1.0.0", "release", 2, "feature"
    )  # fmt: skip
    assert (second.commits, second.nature, second.pulls, second.shipped_at) == (
        2,
        "fix",
        ("#12",),
        date(2024, 1, 5),
    )
    assert second.paths == (("docs/", 2),)
    assert second.notes == "- chore: tidy\n- fix: typo (#12)"
    assert second.authors == ("Ada",)


def test_what_a_tag_says_is_its_title_and_notes(made: Clone) -> None:
    made.commit("one")
    made.tag("v2.0", "Guided setup\n\nFor new people.")
    (change,) = made.changes()
    assert change.title == "v2.0: Guided setup"
    assert change.notes == "Guided setup\n\nFor new people."


def test_the_changelog_tells_more_than_the_tag(made: Clone) -> None:
    text = (
        "# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - 2024-02-01\n### Added\n- Export\n\n## v1.0\n- First\n"
    )
    made.commit("one", "CHANGELOG.md", text=text)
    made.tag("v1.0.0")
    made.tag("v1.1.0", "not this")
    assert [change.notes for change in made.changes()] == ["- First", "### Added\n- Export"]


def test_a_final_version_holds_what_its_candidates_brought(made: Clone) -> None:
    for tag in ("v1.0.0", "v1.1.0-rc.1", "v1.1.0-rc.2", "v1.1.0"):
        made.commit(f"for {tag}")
        made.tag(tag)
    assert [(change.version, change.commits) for change in made.changes()] == [
        ("1.0.0", 1), ("1.1.0-rc.1", 1), ("1.1.0-rc.2", 1), ("1.1.0", 3)
    ]  # fmt: skip


def test_a_mended_old_version_does_not_count_for_the_new_line(made: Clone) -> None:
    made.commit("base")
    made.tag("v1.0.0")
    made.commit("new")
    made.tag("v2.0.0")
    git(made.folder, "checkout", "-b", "old", "v1.0.0")
    made.commit("mended")
    made.tag("v1.0.1")
    git(made.folder, "checkout", "main")
    made.commit("newer")
    made.tag("v2.0.1")
    assert {change.version: change.commits for change in made.changes()} == {
        "1.0.0": 1, "2.0.0": 1, "1.0.1": 1, "2.0.1": 1
    }  # fmt: skip


def test_packages_of_one_repository_have_lines_of_their_own(made: Clone) -> None:
    for tag in ("web@1.0.0", "api/v1.0.0", "web@1.1.0"):
        made.commit(f"for {tag}")
        made.tag(tag)
    assert {change.title: change.commits for change in made.changes()} == {
        "web@1.0.0": 1, "api/v1.0.0": 2, "web@1.1.0": 2
    }  # fmt: skip


def test_the_same_repository_read_again_gives_the_same_keys(made: Clone) -> None:
    made.commit("one")
    made.tag("v1.0")
    before = made.changes()
    assert made.changes() == before
    made.commit("two")
    made.tag("v1.1")
    assert made.changes()[:1] == before
    assert [change.key for change in made.changes()] == ["shop#tag/v1.0", "shop#tag/v1.1"]


def test_only_what_was_shipped_since_a_day(made: Clone) -> None:
    for tag in ("v1.0", "v1.1", "v1.2"):
        made.commit(tag)
        made.tag(tag)
    found = made.changes(since=date(2024, 1, 3))
    assert [(change.version, change.commits) for change in found] == [("1.1", 1), ("1.2", 1)]


def test_without_tags_what_was_merged_is_a_change(made: Clone) -> None:
    made.commit("start")
    for number, commits in ((7, 2), (8, 1), (9, 3)):
        made.merge(
            f"topic{number}",
            f"Merge pull request #{number} from ada/topic{number}\n\nTopic {number} done",
            commits,
        )
    found = made.changes()
    assert [(c.title, c.kind, c.commits, c.pulls) for c in found] == [
        ("Topic 7 done", "merge", 2, ("#7",)), ("Topic 8 done", "merge", 1, ("#8",)),
        ("Topic 9 done", "merge", 3, ("#9",)),
    ]  # fmt: skip
    assert found[0].paths == (("topic7/", 2),)


def test_without_tags_and_merges_each_month_is_a_change(made: Clone) -> None:
    for _ in range(33):
        made.commit("work", "a.txt")
    assert [(c.title, c.kind, c.commits, c.shipped_at) for c in made.changes()] == [
        ("January 2024: 30 commits", "month", 30, date(2024, 1, 31)),
        ("February 2024: 3 commits", "month", 3, date(2024, 2, 3)),
    ]


def test_how_changes_are_told_apart_can_be_said(made: Clone) -> None:
    made.commit("one")
    made.tag("v1.0")
    assert [change.kind for change in made.changes(by="months")] == ["month"]
    with pytest.raises(Invalid, match="not told apart by weeks"):
        made.changes(by="weeks")


@pytest.mark.parametrize(
    ("origin", "url"),
    [
        ("https://ada:secret@github.com/ada/shop.git", "https://github.com/ada/shop/releases/tag/v1.0"),
        ("git@gitlab.example.org:ada/shop.git", "https://gitlab.example.org/ada/shop/-/tags/v1.0"),
        ("https://code.example.org/shop.git", ""),
        ("/srv/git/shop.git", ""),
    ],
)
def test_a_change_has_its_page_where_the_host_is_known(made: Clone, origin: str, url: str) -> None:
    made.commit("one")
    made.tag("v1.0")
    git(made.folder, "remote", "add", "origin", origin)
    (change,) = made.changes()
    assert change.url == url
    assert "secret" not in repr(change)


def test_a_bare_clone_is_read_and_an_empty_one_shipped_nothing(made: Clone, tmp_path: Path) -> None:
    assert made.changes() == []
    made.commit("one", "a.txt")
    made.tag("v1.0")
    git(tmp_path, "clone", "--bare", str(made.folder), "bare.git")
    assert [change.commits for change in changes_of(tmp_path / "bare.git")] == [1]


def test_what_is_no_repository_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="not a git repository"):
        list(changes_of(tmp_path))
    with pytest.raises(NotFound, match="no folder"):
        list(changes_of(tmp_path / "gone"))


def signed(made: Clone) -> None:
    """Put a commit with a signature at the head: git would ask the configured program to check it."""
    tree = subprocess.run(
        ["git", "-C", str(made.folder), "rev-parse", "HEAD^{tree}"], capture_output=True, check=True
    )
    text = (
        b"tree "
        + tree.stdout.strip()
        + b"\nauthor a <a@b> 1704103200 +0000\ncommitter a <a@b> 1704103200 +0000\n"
        b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\nsigned\n"
    )
    written = subprocess.run(
        ["git", "-C", str(made.folder), "hash-object", "-t", "commit", "-w", "--stdin"],
        input=text, capture_output=True, check=True,
    )  # fmt: skip
    git(made.folder, "update-ref", "HEAD", written.stdout.decode().strip())


def test_no_program_that_a_clone_names_is_run(made: Clone, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "program.sh"
    program.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
    program.chmod(0o755)
    made.commit("one", "a.txt")
    (made.folder / ".gitattributes").write_text("* diff=x filter=x\n")
    git(made.folder, "add", ".gitattributes")
    made.commit("two", "a.txt")
    signed(made)
    for name in ("gpg.program", "gpg.ssh.program", "core.fsmonitor", "core.pager", "diff.external", "diff.x.textconv",
                 "diff.x.command", "filter.x.smudge", "core.sshCommand", "core.alternateRefsCommand",
                 "pager.log", "alias.log", "uploadpack.packObjectsHook"):  # fmt: skip
        git(made.folder, "config", name, str(program))
    git(made.folder, "config", "log.showSignature", "true")
    hooks = made.folder / ".git" / "hooks"
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / hook).write_text(program.read_text())
        (hooks / hook).chmod(0o755)
    git(made.folder, "tag", "v1.0")
    ran.unlink(missing_ok=True)  # git itself, called plainly above, may have run it
    for by in ("tags", "merges", "months"):
        list(changes_of(made.folder, by=by))  # type: ignore[arg-type]
    read_history(made.folder)
    git(made.folder, "tag", "-d", "v1.0")
    ran.unlink(missing_ok=True)
    read_history(made.folder)
    assert not ran.exists()


def test_what_a_partial_clone_lacks_is_not_fetched(made: Clone, tmp_path: Path) -> None:
    made.commit("one", "CHANGELOG.md", text="## 1.0\n- First\n")
    made.tag("v1.0")
    git(made.folder, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--no-checkout", "--filter=blob:none", f"file://{made.folder}", "partial")
    with pytest.raises(Invalid, match="git cannot read"):
        list(changes_of(tmp_path / "partial"))
    assert len(read_history(tmp_path / "partial").shipped) == 1


def test_reading_changes_writes_nothing(made: Clone) -> None:
    made.commit("one", "a.txt")
    made.tag("v1.0")
    before = sorted((path.as_posix(), path.stat().st_mtime_ns) for path in made.folder.rglob("*"))
    made.changes()
    made.changes(by="months")
    assert sorted((path.as_posix(), path.stat().st_mtime_ns) for path in made.folder.rglob("*")) == before


def test_names_that_look_like_options_or_hold_controls_are_only_text(made: Clone, tmp_path: Path) -> None:
    made.commit("feat: \x1b[31mred\x07", "a b;$(touch x).txt")
    git(made.folder, "update-ref", "refs/tags/--output=owned", "HEAD")
    (change,) = made.changes()
    assert change.title == "--output=owned"
    assert not list(tmp_path.rglob("owned"))
    assert change.paths == (("a b;$(touch x).txt", 1),)


def test_a_large_repository_streams(tmp_path: Path) -> None:
    """Twenty thousand commits and forty releases, made by fast-import; the first come before the rest is read."""
    folder = tmp_path / "large"
    folder.mkdir()
    git(folder, "init", "--initial-branch=main", "--bare")
    rows = []
    for number in range(1, 20_001):
        rows.append(
            f"commit refs/heads/main\nmark :{number}\ncommitter Ada <a@b> {FIRST + number * 600} +0000\n"
            f"data 8\nfix: n{number % 9:02}\nM 644 inline f{number % 50}/x\ndata 5\n{number:05}\n"
        )
        if number % 500 == 0:
            rows.append(f"reset refs/tags/v1.{number // 500}\nfrom :{number}\n\n")
    subprocess.run(
        ["git", "-C", str(folder), "fast-import", "--quiet"], input="".join(rows).encode(), check=True
    )
    begun = time.monotonic()
    stream = changes_of(folder)
    assert [change.commits for change in islice(stream, 2)] == [500, 500]
    rest = list(stream)
    assert len(rest) == 38 and {change.commits for change in rest} == {500}
    assert time.monotonic() - begun < 60
    months = list(changes_of(folder, by="months", with_paths=False))
    assert sum(change.commits for change in months) == 20_000


def test_git_that_takes_too_long_is_ended_with_a_sentence(
    made: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    from potager.connectors.git import running

    made.commit("one")
    monkeypatch.setattr(running, "_command", lambda path, arguments: ["sleep", "30"])
    with pytest.raises(Unavailable, match=r"longer than 0\.2 seconds"):
        list(running.records(made.folder, "log", mark="\x1e", timeout=0.2))


def test_without_git_there_is_a_sentence(made: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match="git is not installed"):
        made.changes()


@pytest.mark.parametrize(
    ("message", "nature"),
    [
        ("feat(cart): add", "feature"), ("fix: x", "fix"), ("feat!: drop", "breaking"), ("perf: faster", "performance"),
        ("fix: x\n\nBREAKING CHANGE: y", "breaking"), ("chore: tidy", "upkeep"), ("Add a thing", ""),
        ("Note: this is no kind", ""), ("fix:without a space", ""),
    ],
)  # fmt: skip
def test_the_kind_of_a_conventional_commit(message: str, nature: str) -> None:
    assert nature_of(message) == nature


@pytest.mark.parametrize(
    ("message", "pull", "title"),
    [
        ("Merge pull request #12 from ada/x\n\nFaster checkout", "#12", "Faster checkout"),
        ("Faster checkout (#13)", "#13", "Faster checkout (#13)"),
        ("Merge branch 'x' into 'main'\n\nFaster\n\nSee merge request shop/app!14", "!14", "Faster"),
        ("Merged in x (pull request #15)\n\nFaster", "#15", "Faster"),
        ("Mentions #16 only", "", "Mentions #16 only"),
    ],
)
def test_the_pull_request_and_what_it_is_about(message: str, pull: str, title: str) -> None:
    assert (pull_of(message), title_of(message)) == (pull, title)


def test_versions_are_ordered_as_semver_orders_them() -> None:
    """The example of semver.org, section 11."""
    words = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
             "1.0.0", "1.9.0", "1.10.0", "2.0.0", "2.1.0", "2.1.1"]  # fmt: skip
    found = [version_of(f"v{word}") for word in words]
    assert None not in found
    mixed = found[1::2] + found[::2]
    assert sorted(mixed) == found  # type: ignore[type-var]
    assert [str(one) for one in found] == words


@given(
    st.lists(st.integers(0, 99), min_size=2, max_size=4), st.sampled_from(["", "v", "web@", "api/v", "app-"])
)
def test_a_version_is_read_whatever_stands_before_it(numbers: list[int], before: str) -> None:
    found = version_of(before + ".".join(map(str, numbers)))
    assert found is not None and found.numbers == tuple(numbers)


@pytest.mark.parametrize("tag", ["nightly", "release", "7", "build-2024"])
def test_a_tag_without_a_version_names_none(tag: str) -> None:
    assert version_of(tag) is None


def test_underlined_headings_of_a_changelog_are_read_too() -> None:
    assert sections("2.0 (2024)\n==========\n\n* Big\n\n1.9.1\n-----\n* Small\n") == {
        "2.0": "* Big",
        "1.9.1": "* Small",
    }
