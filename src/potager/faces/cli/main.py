"""``potager``: the program."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import click

from potager import __version__
from potager.kit.errors import Problem

BY_HAND: dict[str, tuple[str, str]] = {
    "demo": ("potager.faces.cli.demo:demo", "Build a demonstration organization and open it."),
    "serve": ("potager.faces.cli.serving:serve", "Run web and worker."),
    "worker": ("potager.faces.cli.serving:worker", "Run the background worker alone."),
    "setup": ("potager.faces.cli.house:setup", "Create the database and its first owner."),
    "migrate": ("potager.faces.cli.house:migrate", "Bring the database to this version."),
    "doctor": ("potager.faces.cli.house:doctor", "Check the installation; a mend for each failure."),
    "backup": ("potager.faces.cli.house:backup", "Write everything into one file."),
    "restore": ("potager.faces.cli.house:restore", "Bring back what a backup holds."),
    "import": ("potager.faces.cli.importing:import_group", "Import a file, or a git repository's releases."),
    "ask": ("potager.faces.cli.daily:ask", "Ask a question in plain words."),
    "mcp": ("potager.faces.cli.serving:mcp", "Speak MCP with an assistant over standard input and output."),
    "openapi": ("potager.faces.cli.house:openapi", "Print the OpenAPI document."),
}


class Lazy(click.Group):
    """Loads a command when it is run; ``--help`` needs only the names."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the everyday commands, then the contexts of the API."""
        from potager.faces.cli.generated import contexts

        return [*BY_HAND, *(name for name in contexts() if name not in BY_HAND)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return the command called ``name``."""
        if name in BY_HAND:
            module, _, attribute = BY_HAND[name][0].partition(":")
            command: click.Command = getattr(import_module(module), attribute)
            return command
        from potager.faces.cli.generated import context_command

        return context_command(name)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list without importing what the commands import."""
        from potager.faces.cli.generated import contexts

        with formatter.section("Every day"):
            formatter.write_dl([(name, text) for name, (_, text) in BY_HAND.items()])
        with formatter.section("Everything else (from the API)"):
            formatter.write_dl([(name, text) for name, text in contexts().items() if name not in BY_HAND])


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="potager")
@click.option(
    "--data", metavar="FOLDER", help="The data folder (or POTAGER_DATA); by default ./potager-data."
)
@click.option(
    "--server", metavar="URL", envvar="POTAGER_SERVER", help="Work against a server (or POTAGER_SERVER)."
)
@click.option("--token", envvar="POTAGER_TOKEN", help="The API token for that server (or POTAGER_TOKEN).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.pass_context
def program(
    context: click.Context, data: str | None, server: str | None, token: str | None, as_json: bool
) -> None:
    """Potager, the product operating system: strategic questions answered from your own data."""
    if data:
        os.environ["POTAGER_DATA"] = data
    context.obj = {"server": server, "token": token, "json": as_json}


def main(arguments: list[str] | None = None) -> None:
    """Run the program. Exit codes: 0 done, 1 refused with a sentence, 2 wrong usage, 130 interrupted."""
    sys.exit(run(lambda: program(arguments, standalone_mode=False)))


def run(command: Callable[[], Any]) -> int:
    """Run a command and say what went wrong in a sentence; return the exit code."""
    try:
        ended = command()  # what click hands back where a command ended by Exit is the code
    except click.exceptions.Exit as left:
        return left.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return 130
    except Problem as problem:
        click.echo(f"{problem.detail}", err=True)
        for place in problem.errors:
            if place.problem not in problem.detail:
                click.echo(f"  {place.where}: {place.problem} {place.mend}".rstrip(), err=True)
        if problem.mend:
            click.echo(problem.mend, err=True)
        return 1
    except BrokenPipeError:
        return 0
    return ended if isinstance(ended, int) else 0


if __name__ == "__main__":
    main()
