"""What people type daily: import a file, begin with metrics, ask."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from potager.faces.api.calling import Caller
from potager.faces.cli.session import caller
from potager.kit import words
from potager.kit.errors import Unavailable

POLL_SECONDS = 0.4
MARKS = {"yes": ("●", "green"), "at_risk": ("◐", "yellow"), "no": ("○", "red"), "cannot_tell": ("◌", "blue")}


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--table", default="", help="Where the rows go: namespace.table.")
@click.option("--dry-run", is_flag=True, help="Only read and count; import nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before importing.")
@click.pass_context
def import_file(context: click.Context, file: Path, table: str, dry_run: bool, yes: bool) -> None:
    """Import a CSV, JSON Lines, Parquet or Excel file; the same file twice adds nothing."""
    done = bring(context, file, {"table": table} if table else {}, dry_run=dry_run, yes=yes)
    if done:
        click.echo(f"Next: potager metrics new {done['table']}")


def bring(
    context: click.Context, file: Path, given: dict[str, Any], *, dry_run: bool, yes: bool
) -> dict[str, Any] | None:
    """Upload, show, ask, import, and say what came of it; return the import where there is one."""
    calling = caller(context)
    made = calling.run("data_import_create", given, file=file)
    click.echo(f"{made['file_name']}: {made['shape']['format']}, into {made['table']}")
    for column in made["shape"]["columns"]:
        note = f"  ({column['note']})" if column["note"] else ""
        click.echo(f"  {column['source']} → {column['name']}: {column['type']}{note}")
    for problem in made["shape"]["problems"]:
        click.echo(f"  ! {problem['where']}: {problem['problem']} {problem['mend']}".rstrip())
    if not (yes or dry_run or click.confirm("Import it like this?", default=True)):
        calling.run("data_import_discard", {"key": made["id"]})
        return None
    started = calling.run("data_import_start", {"key": made["id"], "dry_run": dry_run})
    _follow(context, calling, started["job_id"])
    done = calling.run("data_import_get", {"key": made["id"]})
    if done["state"] == "failed":
        raise Unavailable(done["note"])
    click.echo(
        f"{done['rows']:,} rows {'read' if dry_run else 'in ' + done['table']}, {done['rejected']:,} set aside."
    )
    for reason, count in done["reasons"].items():
        click.echo(f"  {count:,} × {reason}")
    if done["note"]:
        click.echo(done["note"])
    return None if dry_run else done


def _follow(context: click.Context, calling: Caller, job: str) -> None:
    """Show a job's progress until it ends; on this machine, do it here instead of waiting for a worker."""
    if not (context.find_root().obj or {}).get("server"):
        from potager.ground.jobs.work import run_job

        run_job.call(job)
        return
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        task = bar.add_task("Waiting for the worker", total=None)
        while True:
            found = calling.run("jobs_job_get", {"key": job})
            bar.update(
                task,
                description=found["doing"] or found["name"],
                completed=found["done"],
                total=found["total"],
            )
            if found["state"] in {"done", "failed", "canceled"}:
                return
            time.sleep(POLL_SECONDS)


@click.command("new")
@click.argument("table")
@click.option("--publish/--show", default=None, help="Publish at once, or only show the proposal.")
@click.pass_context
def metrics_new(context: click.Context, table: str, publish: bool | None) -> None:
    """Propose metrics for TABLE from its columns, and publish them."""
    calling = caller(context)
    proposal = calling.run("metrics_source_propose", {"table": table})
    click.echo(proposal["text"])
    for note in proposal["notes"]:
        click.echo(f"• {note}", err=True)
    if publish is None:
        publish = click.confirm("Publish these definitions?", default=True)
    if publish:
        given = {name: proposal[name] for name in ("name", "namespace", "text")}
        made = calling.run("metrics_source_publish", {**given, "note": "As proposed"})
        labels = {
            metric["name"]: metric["label"]
            for metric in calling.every("metrics_metric_list")
            if metric["source_id"] == made["id"]
        }
        # In the order in which they were proposed: the first is what the table is most likely about.
        names = sorted(labels, key=lambda name: proposal["text"].find(f"- name: {name}\n    label:"))
        click.echo(f"Published {made['name']}: {', '.join(labels[name] for name in names)}.")
        if names:
            click.echo(
                f'Next: potager ask "why did {words.in_sentence(labels[names[0]])} change last month?"'
            )


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--namespace", required=True, help="The lake's namespace that ref('table') means.")
@click.option("--note", default="", help="Kept with the versions.")
@click.pass_context
def metrics_import(context: click.Context, path: Path, namespace: str, note: str) -> None:
    """Publish the definitions of a YAML file, a folder, or a dbt project (through its semantic manifest)."""
    from potager.insight.metrics.semantics.documents import read_documents

    documents = [{"name": one.source, "text": one.text} for one in read_documents(path)]
    given = {"namespace": namespace, "documents": documents, "note": note}
    for source in caller(context).run("metrics_source_import", given):
        click.echo(f"{source['name']} is at version {source['number']}.")


@click.command()
@click.argument("question", nargs=-1, required=True)
@click.option("--as-of", metavar="DAY", help="Ask as if it were this day, such as 2011-12-09.")
@click.pass_context
def ask(context: click.Context, question: tuple[str, ...], as_of: str | None) -> None:
    """Ask a QUESTION in plain words."""
    from potager.faces.cli.output import show

    calling = caller(context)
    given: dict[str, Any] = {"text": " ".join(question)}
    if as_of:
        given["as_of"] = as_of
    if (context.find_root().obj or {}).get("json"):
        show(context, calling.run("questions_answer_ask", given))
        return
    read = calling.run("questions_answer_understand", given)
    for part in read["found"]:
        if part["words"]:
            click.echo(click.style(f"{part['role']}: {part['reading']}", dim=True), err=True)
    for note in read["notes"]:
        click.echo(click.style(note, dim=True), err=True)
    answer(calling.run("questions_answer_ask", given))


def answer(found: dict[str, Any]) -> None:
    """Print an answer as people read it."""
    mark, color = MARKS[found["verdict"]]
    verdict = found["verdict"].replace("_", " ").capitalize()
    click.echo(f"{click.style(f'{mark} {verdict}', fg=color, bold=True)}  {found['statement']}")
    if found["refusal"]:
        click.echo(f"  {found['refusal']['mend']}")
    for driver in found["drivers"][:8]:
        click.echo(f"  {driver['amount']:>+14,.2f}  {driver['title']}")
    if found["confidence"]:
        click.echo(f"How sure: {found['grade']}")
        for part in found["confidence"]:
            click.echo(f"  {part['state']:<8}{part['name']}: {part['says']}")
    for line in found["would_change"]:
        click.echo(f"What would change it: {line}")
    click.echo(click.style(f"Receipt {found['receipt']['digest'][:16]}, answer {found['id']}", dim=True))
