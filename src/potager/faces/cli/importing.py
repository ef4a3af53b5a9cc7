"""``potager import``: a file, or what a source such as a git repository holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from potager.faces.cli.daily import bring, import_file
from potager.faces.cli.session import caller

AT_ONCE = 500
MOST_SHOWN = 10


class Importing(click.Group):
    """Takes the name of a source, or else a file: ``potager import orders.csv`` needs no word between."""

    usual = "file"

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Read a first word that names no source as a file."""
        if args and args[0] not in {*self.commands, "--help", "-h"}:
            args = [self.usual, *args]
        return super().parse_args(context, args)


@click.group("import", cls=Importing)
def import_group() -> None:
    """Import a file (CSV, JSON Lines, Parquet, Excel), or what a source holds.

    \b
    potager import orders.csv
    potager import stripe subscriptions.json
    potager import git PATH
    """


import_group.add_command(import_file, Importing.usual)


@import_group.command("stripe")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--table", default="", help="Where the rows go: namespace.table.")
@click.option("--dry-run", is_flag=True, help="Only read and count; import nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before importing.")
@click.pass_context
def import_stripe(context: click.Context, file: Path, table: str, dry_run: bool, yes: bool) -> None:
    """Import subscriptions or currency rates from FILE: Stripe's objects, events or exports, or any table of them."""
    given = {"reader": "stripe", **({"table": table} if table else {})}
    done = bring(context, file, given, dry_run=dry_run, yes=yes)
    if done:
        what = "rates" if done["plan"]["kind"] == "rates" else "terms"
        click.echo(
            f"Next: potager revenue book create --name Main --{what}-table {done['table']} …, then load it"
        )


@import_group.command("git")
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--bet", default="", help="The key of the bet that all of it was shipped for.")
@click.option("--dry-run", is_flag=True, help="Only read and list; import nothing.")
@click.pass_context
def import_git(context: click.Context, path: Path, bet: str, dry_run: bool) -> None:
    """Take over the tags and releases of the git repository at PATH as changes shipped, with their dates.

    The repository is read here and never written; the same again adds nothing.
    """
    from potager.connectors.git import read_history

    found = read_history(path)
    what = "releases and tags" if found.by_tags else "commits of the main line (it has no tags)"
    click.echo(f"{found.name}: {len(found.shipped):,} {what}")
    for change in found.shipped[-MOST_SHOWN:]:
        click.echo(f"  {change.shipped_at}  {change.name}")
    if len(found.shipped) > MOST_SHOWN:
        click.echo(f"  and {len(found.shipped) - MOST_SHOWN:,} before")
    if dry_run:
        click.echo("Nothing was imported.")
        return
    calling, added, known = caller(context), 0, 0
    for start in range(0, len(found.shipped), AT_ONCE):
        changes = [
            {**asdict(change), "shipped_at": str(change.shipped_at)}
            for change in found.shipped[start : start + AT_ONCE]
        ]
        given: dict[str, Any] = {"repository": found.name, "changes": changes, "bet": bet}
        made = calling.run("impact_change_import", given)
        added, known = added + made["added"], known + made["known"]
    click.echo(f"{added:,} changes are new and {known:,} were known. Next: potager impact change list")
