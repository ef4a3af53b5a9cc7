"""What a repository shipped, change by change: what is in each release, who made it, and what its notes say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from potager.connectors.git.addresses import commit_address, tag_address, web_address
from potager.connectors.git.changelog import is_changelog, sections
from potager.connectors.git.messages import nature_of, pull_of, title_of, weightiest
from potager.connectors.git.reading import repository_name
from potager.connectors.git.running import records, run
from potager.connectors.git.versions import Rank, Version, version_of
from potager.kit.errors import Invalid, NotFound

Kind = Literal["release", "tag", "merge", "month", "flag"]
By = Literal["tags", "merges", "months"]
MOST_NOTES, MOST_SUBJECTS, MOST_NAMED, MOST_CHANGELOG = 20_000, 100, 50, 4 << 20
LEAST_MERGES = 3
_FIELD, _RECORD, _FILES = "\x1f", "\x1e", "\x1d"
_TAGS = _FIELD.join(
    (
        "%(refname:strip=2)", "%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)",
        "%(if)%(*objecttype)%(then)%(*objecttype)%(else)%(objecttype)%(end)", "%(objecttype)",
        "%(creatordate:unix)", "%(taggername)", "%(contents)",
    )
)  # fmt: skip
_COMMIT = _FIELD.join(("%H", "%P", "%ct", "%aN", "%B"))


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was shipped.

    ``key`` is the same whenever the repository is read again. ``kind`` is how it was shipped, ``nature`` what its
    commits say of it (breaking, feature, fix …; empty where they follow no convention). ``commits`` counts those since
    the change before it; ``authors`` are named from the busiest, ``paths`` are the folders it touched with how many
    files, ``pulls`` the pull or merge requests. ``notes`` are the changelog's, else the tag's, else the commits.
    """

    key: str
    title: str
    shipped_at: date
    kind: Kind
    version: str = ""
    commits: int = 0
    authors: tuple[str, ...] = ()
    notes: str = ""
    url: str = ""
    nature: str = ""
    pulls: tuple[str, ...] = ()
    paths: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Tag:
    name: str
    commit: str
    annotated: bool
    moment: int
    tagger: str
    message: str
    version: Version | None


@dataclass(slots=True)
class _Gathered:
    """Commits as they are counted together; what is kept of them is bounded."""

    commits: int = 0
    authors: Counter[str] = field(default_factory=Counter)
    natures: set[str] = field(default_factory=set)
    pulls: dict[str, None] = field(default_factory=dict)
    subjects: list[str] = field(default_factory=list)
    folders: Counter[str] = field(default_factory=Counter)
    last: int = 0

    def add(self, author: str, message: str, moment: int, files: Iterable[str] = ()) -> None:
        self.commits += 1
        self.authors[author] += 1
        self.natures.add(nature_of(message))
        self.last = max(self.last, moment)
        if (pull := pull_of(message)) and len(self.pulls) < MOST_SUBJECTS:
            self.pulls[pull] = None
        if len(self.subjects) < MOST_SUBJECTS:
            self.subjects.append(title_of(message))
        self.folders.update(_folder(path) for path in files if path)

    def within(self, change: Change) -> Change:
        """Return the change with what its commits say."""
        more = self.commits - len(self.subjects)
        listed = "\n".join(f"- {subject}" for subject in self.subjects) + (
            f"\n- and {more:,} more" if more > 0 else ""
        )
        return replace(
            change, commits=self.commits, nature=weightiest(self.natures), pulls=tuple(self.pulls),
            authors=tuple(name for name, _ in self.authors.most_common(MOST_NAMED)),
            paths=tuple(self.folders.most_common(MOST_NAMED)),
            notes=(change.notes or listed)[:MOST_NOTES],
        )  # fmt: skip


def changes_of(
    path: Path, *, by: By | None = None, since: date | None = None, with_paths: bool = True
) -> Iterator[Change]:
    """Yield what the repository at ``path`` shipped, oldest first, without network and without writing to it.

    ``by`` says what a change is: a tag, something merged to the main line, or a month of it; None takes tags where
    there are any, else merges where the main line is made of them, else months. Changes before ``since`` are left
    out. ``with_paths`` compares what was changed, which takes the longest. Raises :class:`NotFound` where there is no
    repository, :class:`Invalid` where git will not read it or ``by`` is none of these, and :class:`Unavailable` where
    git is not installed or takes too long.
    """
    if by not in {None, "tags", "merges", "months"}:
        raise Invalid(f"Changes are not told apart by {by}.", mend="Use tags, merges or months.")
    if not path.is_dir():
        raise NotFound(f"There is no folder {path}.", mend="Give the folder of a clone.")
    run(path, "rev-parse", "--git-dir")
    repository = _Repository(path, with_paths)
    if by == "tags" or (by is None and repository.tags):
        found = repository.by_tags(since)
    elif not repository.head:
        return
    elif by == "merges" or (by is None and repository.is_merged()):
        found = repository.by_merges()
    else:
        found = repository.by_months()
    for change in found:
        if since is None or change.shipped_at >= since:
            yield change


class _Repository:
    """A repository being read."""

    def __init__(self, path: Path, with_paths: bool) -> None:
        self._path, self._with_paths = path, with_paths
        self.name = repository_name(path)
        self._web = web_address(
            run(path, "config", "--get", "remote.origin.url", missing_is_empty=True).strip()
        )
        self.head = run(
            path, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", missing_is_empty=True
        ).strip()
        self.tags = sorted(
            self._read_tags(), key=lambda tag: (tag.moment, tag.version is None, _rank(tag), tag.name)
        )

    def _read_tags(self) -> Iterator[_Tag]:
        for record in records(
            self._path, "for-each-ref", "refs/tags", f"--format={_TAGS}{_RECORD}", mark=_RECORD
        ):
            cells = record.lstrip("\n").split(_FIELD, 6)
            if len(cells) != 7 or cells[2] != "commit" or not cells[4]:
                continue  # a tag of a tree or a blob ships nothing, and has no day
            name, commit, _, kind, moment, tagger, message = cells
            yield _Tag(name, commit, kind == "tag", int(moment), tagger, message.strip(), version_of(name))

    # -- by tags ----------------------------------------------------------------------------------------------------

    def by_tags(self, since: date | None) -> Iterator[Change]:
        """Yield a change for each tag, with the commits since the one before it in its family."""
        told = self._changelog()
        earlier: list[_Tag] = []
        for tag in self.tags:
            before = _before(tag, earlier)
            earlier.append(tag)
            if since is None or _day(tag.moment) >= since:
                yield self._of_tag(tag, before, told)

    def _of_tag(self, tag: _Tag, before: _Tag | None, told: dict[Rank, str]) -> Change:
        gathered = _Gathered()
        reach = [tag.commit, *([f"^{before.commit}"] if before else [])]
        for _, _, moment, author, message, _ in self._log(*reach):
            gathered.add(author, message, moment)
        if self._with_paths and (before is None or before.commit != tag.commit):
            gathered.folders.update(
                map(_folder, self._compared(before.commit if before else None, tag.commit))
            )
        subject = tag.message.partition("\n")[0].strip() if tag.annotated else ""
        version = str(tag.version) if tag.version else ""
        notes = told.get(tag.version.rank, "") if tag.version and not tag.version.family else ""
        says_more = subject and subject.lstrip("vV") != tag.name.lstrip("vV")
        return gathered.within(
            Change(
                key=f"{self.name}#tag/{tag.name}",
                title=f"{tag.name}: {_clean(subject)}"[:200] if says_more else tag.name[:200],
                shipped_at=_day(tag.moment),
                kind="release" if tag.version else "tag",
                version=version,
                notes=notes or (tag.message if tag.annotated else ""),
                url=tag_address(self._web, tag.name),
            )
        )

    def _changelog(self) -> dict[Rank, str]:
        """Return the sections of the changelog at the head, by version."""
        if not self.head:
            return {}
        listed = run(self._path, "ls-tree", "-z", "--name-only", self.head).split("\0")
        name = next((name for name in sorted(listed) if is_changelog(name)), None)
        if name is None:
            return {}
        size = run(self._path, "cat-file", "-s", f"{self.head}:{name}", missing_is_empty=True).strip()
        if not size.isdigit() or int(size) > MOST_CHANGELOG:
            return {}
        found = sections(run(self._path, "cat-file", "blob", f"{self.head}:{name}"))
        named = ((version_of(version), text) for version, text in found.items())
        return {version.rank: text for version, text in named if version}

    def _compared(self, before: str | None, after: str) -> Iterator[str]:
        if before is None:
            return records(self._path, "ls-tree", "-r", "-z", "--name-only", after, mark="\0")
        options = ("-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", "--no-textconv")
        return records(self._path, "diff-tree", *options, before, after, mark="\0")

    # -- by the main line -------------------------------------------------------------------------------------------

    def is_merged(self) -> bool:
        """Whether the main line is made of what was merged: by merges, or by pull requests squashed into it."""
        merged = 0
        for _, parents, _, _, message, _ in self._log("--first-parent", "--max-count=200", self.head):
            merged += len(parents) > 1 or bool(pull_of(message))
        return merged >= LEAST_MERGES

    def by_merges(self) -> Iterator[Change]:
        """Yield a change for each merge or squashed pull request of the main line, with the commits it brought."""
        brought = self._brought()
        for commit, parents, moment, author, message, files in self._log(
            "--first-parent", "--reverse", *self._names("first-parent"), self.head
        ):
            commits, authors = brought.pop(commit, (1, Counter({author: 1})))
            if len(parents) < 2 and not pull_of(message):
                continue
            gathered = _Gathered()
            gathered.add(author, message, moment, files)
            change = gathered.within(
                Change(
                    key=f"{self.name}#commit/{commit}",
                    title=_clean(title_of(message))[:200] or commit[:12],
                    shipped_at=_day(moment),
                    kind="merge",
                    notes=message.strip(),
                    url=commit_address(self._web, commit),
                )
            )
            yield replace(
                change, commits=commits, authors=tuple(name for name, _ in authors.most_common(MOST_NAMED))
            )

    def _brought(self) -> dict[str, tuple[int, Counter[str]]]:
        """Return for each commit of the main line how many commits it brought, and by whom.

        A merge does not count itself. Only the graph is held, about 200 bytes for a commit.
        """
        parents: dict[str, tuple[str, ...]] = {}
        authors: dict[str, str] = {}
        names: dict[str, str] = {}
        form = f"--format={_FIELD.join(('%H', '%P', '%aN'))}{_RECORD}"
        for record in records(self._path, "log", form, self.head, mark=_RECORD):
            commit, above, author = record.lstrip("\n").split(_FIELD, 2)
            parents[commit] = tuple(above.split())
            authors[commit] = names.setdefault(author, author)
        line = [self.head]
        while above_it := parents.get(line[-1]):
            line.append(above_it[0])
        seen: set[str] = set()
        found: dict[str, tuple[int, Counter[str]]] = {}
        for commit in reversed(line):
            new: list[str] = []
            waiting = [commit]
            while waiting:
                one = waiting.pop()
                if one in seen or one not in parents:
                    continue
                seen.add(one)
                new.append(one)
                waiting += parents[one]
            if len(parents.get(commit, ())) > 1 and len(new) > 1:
                new.remove(commit)
            found[commit] = (len(new), Counter(authors[one] for one in new))
        return found

    def by_months(self) -> Iterator[Change]:
        """Yield a change for each month in which something was committed to the main line."""
        months: dict[str, _Gathered] = {}
        for _, _, moment, author, message, files in self._log(
            "--first-parent", "--reverse", *self._names("first-parent"), self.head
        ):
            month = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m")
            months.setdefault(month, _Gathered()).add(author, message, moment, files)
        for month, gathered in sorted(months.items()):
            commits = "1 commit" if gathered.commits == 1 else f"{gathered.commits:,} commits"
            yield gathered.within(
                Change(
                    key=f"{self.name}#month/{month}",
                    title=f"{datetime.strptime(month + '-01', '%Y-%m-%d').replace(tzinfo=UTC):%B %Y}: {commits}",
                    shipped_at=_day(gathered.last),
                    kind="month",
                )
            )

    def _names(self, merges: str) -> tuple[str, ...]:
        return ("--name-only", "--no-renames", f"--diff-merges={merges}") if self._with_paths else ()

    def _log(self, *arguments: str) -> Iterator[tuple[str, list[str], int, str, str, list[str]]]:
        """Yield commits: id, parents, moment, author, message and the files where they are asked for."""
        options = ("--no-show-signature", "--no-ext-diff", "--no-textconv", "--no-color")
        form = f"--format={_RECORD}{_COMMIT}{_FILES}"
        for record in records(self._path, "log", *options, form, *arguments, "--", mark=_RECORD):
            told, _, files = record.partition(_FILES)
            cells = told.split(_FIELD, 4)
            if len(cells) == 5:
                commit, parents, moment, author, message = cells
                yield commit, parents.split(), int(moment), _clean(author), message, files.split("\n")


def _before(tag: _Tag, earlier: list[_Tag]) -> _Tag | None:
    """Return the tag that a tag follows: the highest lower version of its family that was there; else the last tag.

    A final version follows the last final one, so that what its candidates brought counts for it.
    """
    if tag.version is None:
        return next(
            (one for one in reversed(earlier) if one.version is None), earlier[-1] if earlier else None
        )
    lower = [
        one
        for one in earlier
        if one.version and one.version.family == tag.version.family and one.version < tag.version
    ]
    final = [one for one in lower if one.version and not one.version.before]
    return max((final if not tag.version.before and final else lower), key=_rank, default=None)


def _rank(tag: _Tag) -> tuple[object, ...]:
    return tag.version.rank if tag.version else ()


def _day(moment: int) -> date:
    return datetime.fromtimestamp(moment, UTC).date()


def _folder(path: str) -> str:
    """Return the two upper folders of a file, or its name where it stands at the root; empty for no file."""
    parts = path.strip().split("/")
    return "/".join(parts[:2]) + "/" if len(parts) > 2 else parts[0] + "/" * (len(parts) > 1)


def _clean(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
