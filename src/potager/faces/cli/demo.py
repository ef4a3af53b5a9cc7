"""``potager demo``: an organization to look at, in a minute."""

from __future__ import annotations

import socket
import time
import webbrowser
from datetime import timedelta
from pathlib import Path

import click

from potager.kit.errors import Conflict


@click.command()
@click.argument("which", type=click.Choice(["harbor", "retail"]), default="harbor")
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--port", default=8350, show_default=True, type=click.IntRange(1, 65535))
@click.option("--build-only", is_flag=True, help="Build it and end, without starting web and worker.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
def demo(which: str, file: Path | None, port: int, build_only: bool, no_browser: bool) -> None:
    """Build a demonstration organization, start web and worker, and open its answered questions.

    harbor (simulated) needs nothing. retail needs the UCI Online Retail FILE as it is downloaded (xlsx, CSV, Parquet).
    """
    if which == "retail" and file is None:
        raise click.UsageError("retail needs a file: potager demo retail online_retail.xlsx")
    from potager.faces.cli.house import install

    started = time.monotonic()
    install()
    from potager.demo import loading
    from potager.kit.clock import today

    def says(line: str) -> None:
        click.echo(line)

    if not loading.built():
        if which == "retail" and file is not None:
            made = loading.retail(file, says)
        else:
            made = loading.harbor(today() - timedelta(days=1), says)
        click.echo(f"{made.questions} questions answered in {time.monotonic() - started:.0f} s.")
        if made.password:
            click.echo(
                f"Sign in as {made.owner.email} with the password {made.password} (written down nowhere else)."
            )
    elif file is not None:
        mend = "Name another folder with --data."
        raise Conflict("A demonstration stands in this data folder already.", mend=mend)
    if build_only:
        return
    _open(port, no_browser=no_browser)


def _open(port: int, *, no_browser: bool) -> None:
    from potager.faces.cli.serving import run_house
    from potager.ground.access.models import User
    from potager.ground.accounts.pages import door_of

    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise Conflict(f"Something listens on port {port} already.", mend="Give another --port.")
    owner = User.objects.order_by("created_at").first()
    assert owner is not None
    address = f"http://127.0.0.1:{port}"
    door = f"{address}{door_of(owner)}?next=/questions/"
    click.echo(f"Open {door}\n(it signs you in for the next ten minutes; afterwards: {address})")
    if not no_browser:
        import threading

        threading.Timer(3.0, webbrowser.open, [door]).start()
    run_house("127.0.0.1", port, processes=1)
