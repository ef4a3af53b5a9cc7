"""Building a demonstration: tables into the lake, then everything through the same actions as anybody's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

from potager.connectors.files import inspect
from potager.demo.chains import bets_of_harbor, customers_of_harbor, revenue_of_harbor, usage_of_harbor
from potager.demo.harbor.generate import generate
from potager.demo.harbor.truth import BROKEN_VERIFICATION
from potager.demo.retail.columns import TABLE, plan_for
from potager.garden.glossary.resources import terms
from potager.ground.access.actors import Actor, actor_of
from potager.ground.access.models import User
from potager.ground.accounts.actions import describe_installation, set_up
from potager.ground.connecting import actions as connecting
from potager.ground.connecting.models import Import, State
from potager.ground.jobs.work import run_job
from potager.ground.lake.service import lake, warehouse
from potager.insight.goals.resources import goals
from potager.insight.metrics import actions as metrics
from potager.insight.metrics.edges import examine
from potager.insight.metrics.models import Metric
from potager.insight.metrics.periods import Period, add_months, parse_period, period_of
from potager.insight.metrics.queries import influences
from potager.insight.questions import actions as questions
from potager.insight.questions.models import Question
from potager.kit.errors import Unavailable

Says = Callable[[str], None]
EMAIL = "demo@potager.example"
HARBOR_NOTICE = "Harbor is a simulated bank: every figure on these pages is made up, the same every time."
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Built:
    """What was built: the owner, and the password that was made for them (empty where they had one)."""

    owner: User
    password: str
    questions: int


def owner_of_demo() -> tuple[User, str]:
    """Return the demonstration's owner, made with a fresh password where nobody is there yet."""
    import secrets

    found = User.objects.order_by("created_at").first()
    if found is not None:
        return found, ""
    password = secrets.token_urlsafe(12)
    return set_up(email=EMAIL, name="Demo", password=password), password


def built() -> bool:
    """Return whether a demonstration stands already."""
    return Question.objects.exists()


def harbor(through: date, says: Says) -> Built:
    """Build Harbor with data up to and including ``through``."""
    owner, password = owner_of_demo()
    actor = actor_of(owner, via="cli")
    says("Generating three years of Harbor …")
    for name, rows in generate(through).loads().items():
        says(f"Loading {name} …")
        snapshot = lake().overwrite(name, rows, load_id=f"harbor-{through}")
        says(f"  {snapshot.rows:,} rows.")
    describe_installation(actor=actor, organization="Harbor", notice=HARBOR_NOTICE)
    days = _days(through)
    _define(actor, "harbor", says)
    _harbor_targets(actor, through)
    _test_influences(actor, says)
    customers_of_harbor(actor, says)
    revenue_of_harbor(actor, through, says)
    usage_of_harbor(actor, says)
    bets_of_harbor(actor, through, says)
    count = _keep_questions(actor, "harbor", days, None)
    _ask_all(actor, says)
    return Built(owner, password, count)


def retail(path: Path, says: Says) -> Built:
    """Build the wholesaler from the file at ``path``: Parquet, Excel or CSV as it is downloaded."""
    owner, password = owner_of_demo()
    actor = actor_of(owner, via="cli")
    says(f"Reading {path.name} …")
    plan = plan_for(inspect(path)).to_dict()
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(CHUNK), b"")
        imported = connecting.upload(actor=actor, file_name=path.name, chunks=chunks, table=TABLE)
    imported = connecting.plan(actor=actor, imported=imported, table=TABLE, plan=plan)
    imported = connecting.start(actor=actor, imported=imported)
    run_job.call(str(imported.job_id))
    imported = Import.objects.get(pk=imported.pk)
    if imported.state != State.DONE:
        raise Unavailable(imported.note, mend="Is this the Online Retail file of the UCI repository?")
    says(f"{imported.rows:,} rows imported, {imported.rejected:,} set aside.")
    describe_installation(actor=actor, organization="Online retail")
    last = _last_day()
    _define(actor, "retail", says)
    count = _keep_questions(actor, "retail", _days(last), last)
    _test_influences(actor, says)
    _ask_all(actor, says)
    return Built(owner, password, count)


def _last_day() -> date:
    """Return the last day in the retail table."""
    result = warehouse().query("SELECT max(invoice_date)::DATE AS day FROM retail.order_lines")
    day = result.table["day"][0].as_py()
    if not isinstance(day, date):
        raise Unavailable(
            "The file holds no dates.", mend="Is this the Online Retail file of the UCI repository?"
        )
    return day


def _days(through: date) -> dict[str, str]:
    """Return the periods that the definitions name, counted from the last day with data."""
    month = period_of(through, "month")
    broken = through - timedelta(days=BROKEN_VERIFICATION.days_before_the_end - 1)
    return {
        "last_28": str(Period(through - timedelta(days=27), through).key),
        "before_28": str(Period(broken - timedelta(days=28), broken - timedelta(days=1)).key),
        "month": month.key if month.end > through else month.shifted(1).key,
        "last_month": (month if month.end == through else month.previous()).key,
        "last_quarter": period_of(through, "quarter").previous().key,
        "last_year": Period(add_months(through, -12), through).key,
        "next_five_years": Period(through + timedelta(days=1), add_months(through, 60)).key,
    }


def _read(organization: str, name: str) -> Any:
    text = files("potager.demo").joinpath(organization, f"{name}.yml").read_text("utf-8")
    return text if name == "semantic" else yaml.safe_load(text)


def _filled(value: Any, days: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return value.format(**days) if "{" in value else value
    if isinstance(value, list):
        return [_filled(one, days) for one in value]
    if isinstance(value, dict):
        return {key: _filled(one, days) for key, one in value.items()}
    return value


def _words(value: Any) -> Any:
    """Return rules and actions with their verdicts as words: YAML reads a bare yes and no as true and false."""
    return {
        ("yes" if key is True else "no" if key is False else key): one for key, one in (value or {}).items()
    }


@transaction.atomic
def _define(actor: Actor, organization: str, says: Says) -> None:
    says("Publishing definitions, tree, targets, goals and words …")
    text = _read(organization, "semantic")
    metrics.publish(actor=actor, name=f"{organization}.yml", namespace=organization, text=text)
    apply_tree(actor, _read(organization, "tree"))
    for goal in _read(organization, "goals"):
        goals.create(actor=actor, values=goal)
    for term in _read(organization, "glossary"):
        terms.create(actor=actor, values=term)


@transaction.atomic
def _keep_questions(actor: Actor, organization: str, days: Mapping[str, str], as_of: date | None) -> int:
    asked = _filled(_read(organization, "questions"), days)
    for given in asked:
        values = {
            **given,
            "rule": _words(given.get("rule")),
            "actions": _words(given.get("actions")),
            "as_of": as_of,
        }
        questions.keep_question(actor=actor, values=values)
    return len(asked)


def apply_tree(actor: Actor, tree: Mapping[str, Any]) -> None:
    """Govern metrics and draw their edges as a tree document says (the form that the tree is exported in)."""
    known = {metric.name: metric for metric in Metric.objects.filter(archived_at=None)}
    names = {"owner": "owner_role", "kind": "purpose"}
    for name, said in (tree.get("metrics") or {}).items():
        values = {names.get(key, key): value for key, value in said.items() if value is not None}
        metrics.govern(actor=actor, metric=known[name], values=values)
    for name, formula in (tree.get("components") or {}).items():
        metrics.set_formula(actor=actor, metric=known[name], formula=formula)
    for edge in tree.get("influences") or []:
        lag, _, grain = str(edge.get("lag", "0 month")).partition(" ")
        metrics.add_influence(
            actor=actor,
            driver=known[edge["from"]],
            outcome=known[edge["to"]],
            sign=-1 if edge.get("direction") == "-" else 1,
            lag=int(lag),
            grain=grain or "month",
            evidence=edge.get("evidence", "asserted"),
            because=edge.get("because", ""),
        )
    for target in tree.get("targets") or []:
        period = parse_period(str(target["period"]))
        metrics.set_target(
            actor=actor,
            metric=known[target["metric"]],
            value=float(target["value"]),
            low=target.get("low"),
            high=target.get("high"),
            start=period.start,
            end=period.end,
        )


def _harbor_targets(actor: Actor, through: date) -> None:
    """Set targets as Harbor's leaders would have: a little above what the same period brought a year before."""
    from potager.insight.metrics.reading import value

    month = period_of(through, "month")
    month = month if month.end > through else month.shifted(1)
    revenue, activated = (Metric.objects.get(name=name) for name in ("revenue", "activated_accounts"))
    for metric, period, growth in (
        (revenue, period_of(through, "quarter").previous(), 1.6),
        (revenue, month.previous(), 1.5),
        (revenue, month, 1.5),
        (activated, month.previous(), 1.25),
        (activated, month, 1.25),
    ):
        before, _ = value(metric, period.year_before())
        goal = float(f"{before * growth:.2g}")
        metrics.set_target(
            actor=actor, metric=metric, value=goal, low=goal * 0.95, start=period.start, end=period.end
        )


def _test_influences(actor: Actor, says: Says) -> None:
    says("Testing influences on the data …")
    for influence in influences(actor):
        metrics.keep_test(actor=actor, influence=influence, outcome=examine(influence))


def _ask_all(actor: Actor, says: Says) -> None:
    every: Any = Question.objects
    for question in every.filter(archived_at=None).order_by("created_at"):
        answer = questions.ask(actor=actor, question=question)
        says(f"  {answer.get_verdict_display()}: {question.words}")
