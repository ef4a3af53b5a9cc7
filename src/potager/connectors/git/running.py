"""Running the ``git`` program on a repository that nobody vouches for: it reads, and does nothing else.

The configuration of a clone can name programs: to watch files, to check signatures, to fetch what a partial clone
lacks. None of them may run, nothing is written, and no network is used.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from potager.kit.errors import Invalid, NotFound, Problem, Unavailable

TIMEOUT = 120
STREAM_TIMEOUT = 1800
_BLOCK = 1 << 20
# What a repository's own configuration could make git run while it reads.
_NEUTRAL = {
    "core.fsmonitor": "false", "core.hooksPath": os.devnull, "core.pager": "cat", "core.quotePath": "false",
    "log.showSignature": "false", "gpg.program": "false", "gpg.ssh.program": "false", "gpg.x509.program": "false",
    "diff.external": "", "core.sshCommand": "false", "core.alternateRefsCommand": "false", "protocol.allow": "never",
    "log.mailmap": "true", "log.follow": "false", "color.ui": "false",
}  # fmt: skip


def run(path: Path, *arguments: str, missing_is_empty: bool = False) -> str:
    """Return what git says of the repository at ``path``; with ``missing_is_empty`` nothing where it finds nothing.

    Raises :class:`NotFound` where there is no repository, :class:`Invalid` where git will not read it, and
    :class:`Unavailable` where git is not installed or takes too long.
    """
    try:
        ran = subprocess.run(  # noqa: S603 - a list of arguments, no shell; the path stands alone behind -C
            _command(path, arguments), capture_output=True, env=_environment(), timeout=TIMEOUT, check=False
        )
    except FileNotFoundError:
        raise _not_installed() from None
    except subprocess.TimeoutExpired:
        raise _too_slow(TIMEOUT) from None
    if ran.returncode == 0 or (missing_is_empty and ran.returncode == 1):
        return ran.stdout.decode("utf-8", "replace")
    raise _problem(path, ran.stderr)


def records(path: Path, *arguments: str, mark: str, timeout: float = STREAM_TIMEOUT) -> Iterator[str]:
    """Yield what git says piece by piece, each ended by ``mark``; memory does not grow with the repository.

    Raises what :func:`run` raises. Leaving the iterator ends git.
    """
    end = mark.encode()
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(  # noqa: S603 - as above
                _command(path, arguments), stdout=subprocess.PIPE, stderr=said, env=_environment()
            )
        except FileNotFoundError:
            raise _not_installed() from None
        late = threading.Event()

        def end_it() -> None:
            late.set()
            process.kill()

        watch = threading.Timer(timeout, end_it)
        watch.daemon = True
        watch.start()
        try:
            assert process.stdout is not None  # it is a pipe
            yield from _pieces(process.stdout, end)
            if process.wait():
                said.seek(0)
                raise _too_slow(timeout) if late.is_set() else _problem(path, said.read())
        finally:
            watch.cancel()
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _pieces(output: IO[bytes], end: bytes) -> Iterator[str]:
    rest = b""
    while block := output.read(_BLOCK):
        *whole, rest = (rest + block).split(end)
        for piece in whole:
            yield piece.decode("utf-8", "replace")
    if rest.strip():
        yield rest.decode("utf-8", "replace")


def _command(path: Path, arguments: tuple[str, ...]) -> list[str]:
    neutral = [word for name, value in _NEUTRAL.items() for word in ("-c", f"{name}={value}")]
    return ["git", "--no-pager", "-C", str(path), *neutral, *arguments]


def _environment() -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_ALLOW_PROTOCOL": "none",  # no protocol has this name: what a partial clone lacks is not fetched
        "GIT_NO_REPLACE_OBJECTS": "1",
        "LC_ALL": "C",
    }


def _not_installed() -> Problem:
    return Unavailable("git is not installed here.", mend="Install git, then try again.")


def _too_slow(seconds: float) -> Problem:
    return Unavailable(f"git took longer than {seconds:g} seconds.", mend="Try again on a local disk.")


def _problem(path: Path, error: bytes) -> Problem:
    said = error.decode("utf-8", "replace").strip().partition("\n")[0]
    if "not a git repository" in said:
        return NotFound(f"{path} is not a git repository.", mend="Give the folder of a clone.")
    if "dubious ownership" in said:
        return Invalid(
            f"git will not read {path}: it belongs to somebody else.",
            mend=f"If you trust it: git config --global --add safe.directory {path.resolve()}",
        )
    return Invalid(f"git cannot read {path}: {said}.", mend="See whether 'git log' works there.")
