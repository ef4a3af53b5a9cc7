"""What all tests share: the cast, a data folder of their own, and the database they were asked to run on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("POTAGER_DATA", tempfile.mkdtemp(prefix="potager-tests-"))
os.environ.setdefault("POTAGER_SECRET_KEY", "only for tests, and long enough to be taken for a key")

from hypothesis import settings as hypothesis_settings

from potager.ground.access.roles import Role
from tests.people import Person, person
from tests.prepare import browser as chromium_path
from tests.prepare import retail_file as found_retail_file

# What is slow is measured in benchmarks, never in tests: a busy machine fails nothing.
# The same examples on every run; HYPOTHESIS_PROFILE=explore looks for new ones.
hypothesis_settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis_settings.register_profile("explore", deadline=None, max_examples=400)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(autouse=True)
def _fast_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.ALLOWED_HOSTS = ["*"]


@pytest.fixture(autouse=True)
def _hear_at_once(monkeypatch):
    """Each test runs in one transaction that is rolled back, so what waits for a commit is done at once."""
    monkeypatch.setattr("django.db.transaction.on_commit", lambda function, *given, **more: function())


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch):
    """A served request closes its connection, and with it would end the transaction that the test runs in."""
    from django.db.backends.base.base import BaseDatabaseWrapper

    monkeypatch.setattr(BaseDatabaseWrapper, "close_if_unusable_or_obsolete", lambda self: None)


@pytest.fixture
def ada(db) -> Person:
    """Ada owns the installation."""
    return person("Ada", Role.OWNER)


@pytest.fixture
def team(db):
    """The team that Bo is on."""
    from potager.ground.access.models import Team

    return Team.objects.create(name="Harbor team")


@pytest.fixture
def bo(team) -> Person:
    """Bo contributes, and is on the team."""
    return person("Bo", Role.CONTRIBUTOR, team=team)


@pytest.fixture
def vi(db) -> Person:
    """Vi looks on."""
    return person("Vi", Role.VIEWER)


@pytest.fixture
def cy(db) -> Person:
    """Cy is an outsider: an account that was closed, with a token that was theirs."""
    outsider = person("Cy", Role.VIEWER)
    outsider.user.is_active = False
    outsider.user.save()
    return outsider


@pytest.fixture(scope="session")
def retail_file() -> Path:
    """The real retail file, where there is one."""
    path = found_retail_file()
    if path is None:
        pytest.skip("The real retail file is not here; set POTAGER_RETAIL_FILE to its path.")
    return path


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A Chromium; skips with a sentence where there is none."""
    path = chromium_path()
    if path is None:
        pytest.skip("No Chromium was found; install it or set POTAGER_CHROMIUM.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield found
        found.close()
