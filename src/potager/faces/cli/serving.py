"""Running the house: web and worker, the worker alone, and the assistants' door."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import click

from potager.faces.cli.session import caller, data_exists, prepare
from potager.kit.errors import NotFound

RESTART_SECONDS = 2.0


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8350, show_default=True, type=click.IntRange(1, 65535))
@click.option("--processes", default=2, show_default=True, type=click.IntRange(1, 64), help="Web processes.")
@click.option("--worker/--no-worker", "with_worker", default=True, help="Run the background worker too.")
def serve(host: str, port: int, processes: int, with_worker: bool) -> None:
    """Run web and worker until interrupted."""
    if not data_exists():
        raise NotFound("There is no installation yet.", mend="Run 'potager setup' or 'potager demo' first.")
    run_house(host, port, processes, with_worker=with_worker)


def run_house(host: str, port: int, processes: int, *, with_worker: bool = True) -> None:
    """Keep web and worker running; a worker that dies is started again, and both end together."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "potager.project.settings")
    web = [
        sys.executable,
        "-m",
        "uvicorn",
        "potager.project.asgi:application",
        "--host",
        host,
        "--port",
        str(port),
    ]
    web += ["--workers", str(processes), "--log-level", "warning", "--no-server-header", "--lifespan", "on"]
    commands = {"web": web}
    if with_worker:
        commands["worker"] = [sys.executable, "-m", "potager.faces.cli.main", "worker"]
    running = {name: subprocess.Popen(command) for name, command in commands.items()}  # noqa: S603 - our own
    click.echo(f"Potager listens on http://{host}:{port} (ctrl-C ends it).")

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        while True:
            time.sleep(RESTART_SECONDS)
            for name, process in running.items():
                if process.poll() is not None:
                    click.echo(
                        f"The {name} process ended ({process.returncode}); starting it again.", err=True
                    )
                    running[name] = subprocess.Popen(commands[name])  # noqa: S603 - our own
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


@click.command()
@click.option("--once", is_flag=True, help="Do what waits, then end.")
def worker(once: bool) -> None:
    """Do background work: jobs, schedules, deliveries."""
    prepare()
    from django_tasks_db.management.commands.db_worker import Worker

    from potager.ground.jobs.schedule import Ticker, tick

    loop = Worker(
        queue_names=["*"],
        interval=1,
        batch=once,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=f"potager-{os.getpid()}",
        excluded_queue_names=[],
    )
    if once:
        tick()
        loop.run()
        return
    ticker = Ticker()
    ticker.start()
    loop.configure_signals()
    loop.run()
    ticker.ended.set()


@click.command()
@click.pass_context
def mcp(context: click.Context) -> None:
    """Speak MCP with an assistant over standard input and output."""
    calling = caller(context)
    from potager.faces.mcp.server import build

    build(lambda _: calling).run("stdio")
