"""Keeping the house: set up, migrate, check, back up, restore."""

from __future__ import annotations

import json
from pathlib import Path

import click

from potager.faces.cli.session import data_exists, prepare
from potager.kit.errors import Conflict, NotFound


def install() -> None:
    """Create or upgrade the database."""
    prepare()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


@click.command()
@click.option("--email", prompt="Your e-mail address")
@click.option("--name", prompt="Your name")
@click.password_option("--password", help="At least ten characters.")
def setup(email: str, name: str, password: str) -> None:
    """Create the database and its first owner."""
    install()
    from potager.ground.accounts.actions import set_up

    owner = set_up(email=email, name=name, password=password)
    click.echo(f"{owner} owns this installation. Start it with 'potager serve'.")


@click.command()
def migrate() -> None:
    """Bring the database to this version of Potager."""
    install()
    click.echo("The database is at this version.")


@click.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Check database, lake, worker, disk, permissions and versions; say how to mend what is wrong."""
    if not data_exists():
        raise NotFound("There is no installation here.", mend="Run 'potager setup' or 'potager demo'.")
    prepare()
    from potager.ground.keeping.doctor import examine

    findings = examine()
    if (context.find_root().obj or {}).get("json"):
        found = [{"check": f.check, "well": f.well, "says": f.says, "mend": f.mend} for f in findings]
        click.echo(json.dumps(found, indent=2))
    else:
        for finding in findings:
            mark = click.style("✓", fg="green") if finding.well else click.style("✗", fg="red")
            click.echo(f"{mark} {finding.check}: {finding.says}")
            if not finding.well:
                click.echo(f"  {finding.mend}")
    if not all(finding.well for finding in findings):
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
def backup(path: Path) -> None:
    """Write records, lake and key into one file, while everything runs."""
    if not data_exists():
        raise NotFound("There is no installation here.", mend="Name the data folder with --data.")
    if path.exists():
        raise Conflict(f"{path} exists already.", mend="Give another name; a backup is never overwritten.")
    prepare()
    from potager.ground.keeping.backups import write_backup

    made = write_backup(path)
    click.echo(f"{path}: {made.files} files, {made.size / 1e6:,.1f} MB.")


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def restore(path: Path) -> None:
    """Bring back what a backup holds, into a data folder that is empty or not there."""
    from potager.ground.keeping.backups import read_backup
    from potager.kit.environment import data_folder

    folder = data_folder()
    if folder.exists() and any(folder.iterdir()):
        mend = "Name an empty one with --data, or move this one away."
        raise Conflict(f"The data folder {folder} is not empty.", mend=mend)
    made = read_backup(path, folder)
    install()
    from potager.ground.search.reactions import index_everything

    index_everything()
    click.echo(f"{folder}: {made.files} files restored, every checksum equal.")


@click.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    prepare()
    from potager.faces.api.root import api

    click.echo(json.dumps(api.get_openapi_schema(), indent=1, sort_keys=True, default=str))
