"""Where a repository and its changes can be looked at on the web, from the address it was cloned from."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

_SHORT = re.compile(r"^(?:[\w.-]+@)?(?P<host>[\w.-]+):(?!//)(?P<path>\S+)$")
# How the hosts write the addresses of tags and commits; of a host that is none of them, none is guessed.
_HOSTS = (
    ("github", "/releases/tag/{}", "/commit/{}"),
    ("gitlab", "/-/tags/{}", "/-/commit/{}"),
    ("bitbucket", "/src/{}", "/commits/{}"),
    ("codeberg", "/releases/tag/{}", "/commit/{}"),
    ("gitea", "/releases/tag/{}", "/commit/{}"),
)


def web_address(origin: str) -> str:
    """Return the https address of a repository's page, without user and password; empty where it has none."""
    parts = urlsplit(origin)
    if parts.scheme in {"https", "http", "ssh", "git"} and parts.hostname:
        host, path = parts.hostname, parts.path
    elif short := _SHORT.match(origin):
        host, path = short["host"], short["path"]
    else:
        return ""
    return f"https://{host}/{path.strip('/').removesuffix('.git')}" if "." in host else ""


def tag_address(web: str, tag: str) -> str:
    """Return the address of a tag's page; empty where the host's way of writing it is not known."""
    return _address(web, 1, tag)


def commit_address(web: str, commit: str) -> str:
    """Return the address of a commit's page; empty where the host's way of writing it is not known."""
    return _address(web, 2, commit)


def _address(web: str, place: int, name: str) -> str:
    host = urlsplit(web).hostname or ""
    for known in _HOSTS:
        if known[0] in host:
            return web + known[place].format(quote(name))
    return ""
