"""Which Potager a command speaks to: a server with a token, or the data folder of this machine."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from potager.faces.api.calling import Caller
from potager.kit.errors import NotFound

if TYPE_CHECKING:
    from potager.ground.access.actors import Actor


def prepare() -> None:
    """Set Django up for work in this process."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "potager.project.settings")
    django.setup()
    # What the server would log of a refusal is said to whoever asked; here that is the same person.
    logging.getLogger("django.request").addFilter(lambda record: record.levelno >= logging.ERROR)


def data_exists() -> bool:
    """Return whether the data folder holds an installation, without making one."""
    from potager.kit.environment import data_folder

    return bool(os.environ.get("POTAGER_DATABASE_URL")) or (data_folder() / "potager.sqlite3").exists()


def local_actor(via: str = "cli") -> Actor:
    """Return the actor of commands on this machine: ``POTAGER_USER``, or the first owner."""
    from potager.ground.access.actors import actor_of
    from potager.ground.access.models import User
    from potager.ground.access.roles import Role

    wanted = os.environ.get("POTAGER_USER", "")
    people = User.objects.filter(is_active=True)
    found = (
        people.filter(email__iexact=wanted).first()
        if wanted
        else people.filter(role=Role.OWNER).order_by("created_at").first()
    )
    if found is None:
        who = (
            f"{wanted} is not a person of this installation."
            if wanted
            else "This installation has no owner yet."
        )
        raise NotFound(who, mend="Run 'potager setup', or set POTAGER_USER to somebody's e-mail address.")
    return actor_of(found, via=via)


def caller(context: click.Context) -> Caller:
    """Return what runs operations for this command."""
    said = context.find_root().obj or {}
    if said.get("server"):
        if not said.get("token"):
            raise click.UsageError("A server needs a token: give --token or set POTAGER_TOKEN.")
        return Caller.remote(said["server"], said["token"], face="cli")
    if not data_exists():
        from potager.kit.environment import data_folder

        folder: Path = data_folder()
        mend = "Run 'potager setup' or 'potager demo' first, or name a --server or another --data folder."
        raise NotFound(f"There is no installation in {folder}.", mend=mend)
    prepare()
    return Caller.local(local_actor())
