"""Keeping the bet ledger.

A bet as it is registered, in YAML (``register_bet(actor=…, values=…)`` takes the same mapping; ``load_bets`` takes a
list of them and does what each says, costs, launch and changes included)::

    key: guided-setup                 # a word for addresses, commands and questions; unique
    name: Guided setup
    hypothesis: Owners who are led through setup start paying from their account sooner.
    who: New owners                   # who does what, by how much, by when
    does_what: make their first payment in week one
    by_how_much: 4 to 8 points more of them
    by_when: 2025-09-30
    metric: activation_share          # the governed metric it is judged by
    unit: account                     # the entity or dimension of the metric that it reaches
    predicted:                        # locked at launch
      low: 0.03                       # of the metric, for one unit (or segment) and one period of the grain; a ratio:
      high: 0.09                      #   on the ratio itself
      level: 0.8                      # how often such ranges hold
      relative: false                 # true: as a share of what it would have been
      on: 2025-02-20                  # recorded on; today where not given
    guardrails: [tickets_per_account] # governed metrics that it must not hurt
    kill_when: The low end is still below 0 after 180 days.
    goal: Owners pay sooner           # the name of a goal, optional
    objective: Activation
    team: Onboarding
    product: App
    horizon: grow                     # run, grow, transform
    risk: safe                        # safe, bold
    money:
      metric: arr                     # where the chain ends; found in the tree where not given
      counted: yearly                 # yearly (ARR), monthly (MRR), flow (by period); else guessed from its name
      life_months: 24                 # how long an effect is counted for at most
      rate: 0.1                       # discount rate a year
    reach: treated                    # treated, everybody (who was in the test), or a number of units (ratio: a share)
    design:                           # what there is to go by; the strongest method it can carry is taken
      assignment:                     # random, on record: an experiment. `holdout:` has the same keys
        table: harbor.assignments     # a lake table with one row per unit …
        unit: account_id
        arm: arm
        on: assigned_on               # optional: who was assigned after the last day looked at is left out
        where: {experiment: guided_setup}
        treated: treatment            # … or a dimension of the metric: {dimension: arm, treated: …, control: …}
        control: control
        share: 0.5                    # planned share of the treated
        covariate: true               # the same metric before launch (CUPED)
      panel:                          # the metric by period and segment
        by: country
        grain: week
        treated: [DE, AT]             # started at launch …
        starts: {DE: 2025-03-03}      # … or each at its day; or from a lake table:
        starts_in: {table: harbor.rollouts, unit: account_id, start: started_on, where: {rollout: alerts}}
        controls: [FR, NL]            # everything else where not given
        treated_too: []               # controls known to have got it as well
        method: synthetic_control     # set beforehand; otherwise the design chooses
      series: {grain: week, controls: [visits], season: 52, trend: level, treated_controls: []}
      elasticity: {driver: docs_read} # an input metric with an estimated edge in the tree to the bet's metric
      belief: {low: 0, high: 5, level: 0.8, by: Ada}
    launched_on: 2025-03-01           # the rest only in ``load_bets``
    investments:
      - {team: Onboarding, start: 2024-12-01, end: 2025-02-28, people_months: 9, rate_low: 9000, rate: 10500,
         rate_high: 13000, tools: 2000, cloud: 1500, vendors: 0, currency: EUR}
    changes:
      - {name: Guided setup 1.0, shipped_at: 2025-03-01, shipped_as: release, reference: v3.2.0}
    observe: [30, 90, 180]            # days after launch

Every effect is kept as the design measures it (``per`` says of what: one account and month, one country and week, the
whole and week), and as what it comes to on the whole metric per period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from potager.connectors.git import read_history
from potager.ground.access.actors import Actor, require
from potager.ground.acting.action import action
from potager.ground.records.checks import keep
from potager.ground.records.models import Record
from potager.insight.impact import observing, writing
from potager.insight.impact.designing import parse_design
from potager.insight.impact.models import Bet, Change, Ending, Investment, Observation, State
from potager.insight.impact.observing import Observed
from potager.insight.metrics.compiling import layer_of
from potager.kit.clock import now, today
from potager.kit.errors import Conflict, FieldProblem, Invalid

R = TypeVar("R", bound=Record)
BESIDE = ("launched_on", "investments", "changes", "observe", "close")


@action("impact.edit")
def register_bet(*, actor: Actor, values: Mapping[str, Any]) -> Bet:
    """Register a bet: what is believed, by which metric it is judged, and the range that is predicted."""
    for needed in ("key", "name", "metric"):
        if not values.get(needed):
            problem = FieldProblem(needed, f"A bet needs a {needed}.", "Give it.")
            raise Invalid(problem.problem, mend=problem.mend, errors=[problem])
    bet = Bet(owner_id=actor.user_id)
    writing.write(actor, bet, values)
    return keep(bet)


@action("impact.edit", on="bet")
def change_bet(*, actor: Actor, bet: Bet, values: Mapping[str, Any]) -> Bet:
    """Change a bet; what was predicted and how it is judged stand once it is launched."""
    if bet.state != State.REGISTERED and (locked := sorted(set(values) & set(writing.LOCKED))):
        raise Conflict(
            f"{bet.name} was launched on {bet.launched_on}, and its {locked[0]} was locked then.",
            mend="Register another bet for another prediction.",
            errors=[FieldProblem(name, "Locked at launch.") for name in locked],
        )
    writing.write(actor, bet, values)
    return keep(bet)


@action("impact.edit", on="bet")
def set_design(*, actor: Actor, bet: Bet, design: Mapping[str, Any]) -> Bet:
    """Say how a bet is shipped and what there is to judge it by; a change after the launch shows on its page."""
    if bet.state == State.CLOSED:
        raise Conflict(f"{bet.name} is closed.", mend="Register another bet.")
    parse_design(design)
    bet.design = writing.plain(design)
    return keep(bet)


@action("impact.edit", on="bet")
def launch(*, actor: Actor, bet: Bet, on: date | None = None) -> Bet:
    """Launch a bet: its prediction, metric, guardrails and kill criteria are locked."""
    if bet.state != State.REGISTERED:
        raise Conflict(f"{bet.name} was launched on {bet.launched_on}.", mend="It is launched once.")
    day = on or today()
    if day > today():
        problem = FieldProblem("on", f"{day} is in the future.", "Launch it when it is out.")
        raise Invalid(problem.problem, mend=problem.mend, errors=[problem])
    bet.state, bet.launched_on, bet.locked_at = State.LAUNCHED, day, now()
    bet.locked = writing.prediction_of(bet, layer_of(bet.metric).definition_hash(bet.metric.name))
    return keep(bet)


@action("impact.edit", on="bet")
def close(*, actor: Actor, bet: Bet, ending: str, because: str, on: date | None = None) -> Bet:
    """Close a bet: keep what it shipped or take it back, and say why."""
    if bet.state != State.LAUNCHED:
        raise Conflict(
            f"{bet.name} is {bet.get_state_display().lower()}.", mend="Only a launched bet is closed."
        )
    if ending not in Ending.values:
        problem = FieldProblem("ending", f"There is no ending {ending}.", f"Use {', '.join(Ending.values)}.")
        raise Invalid(problem.problem, mend=problem.mend, errors=[problem])
    if not because.strip():
        problem = FieldProblem("because", "It is not said why.", "Say it in a sentence.")
        raise Invalid(problem.problem, mend=problem.mend, errors=[problem])
    bet.state, bet.ending, bet.ended_because, bet.ended_on = State.CLOSED, ending, because, on or today()
    return keep(bet)


def observe(*, actor: Actor, bet: Bet, age: int | None = None, as_of: date | None = None) -> Observation:
    """Look at what a bet did by ``age`` days after launch (None: as far as the data goes), and keep it.

    Guardrails are looked at by the same design. Reading comes first, outside any transaction.
    """
    require(actor, "impact.edit", bet)
    if bet.launched_on is None:
        raise Conflict(f"{bet.name} is not launched.", mend="Launch it first.")
    if age is not None and age < 1:
        problem = FieldProblem("age", "An effect is looked at one day after launch or later.", "Such as 90.")
        raise Invalid(problem.problem, mend=problem.mend, errors=[problem])
    if not bet.design:
        raise Conflict(
            f"Nothing says how {bet.name} was shipped, so nothing can be looked at.",
            mend="Set its design first.",
        )
    day = as_of or today()
    found = [observing.observe_outcome(actor, bet, age, day)]
    found += [observing.observe_guardrail(actor, bet, name, age, day) for name in bet.guardrails]
    return keep_observations(actor=actor, bet=bet, found=found)[0]


@action("impact.edit", on="bet")
def keep_observations(*, actor: Actor, bet: Bet, found: Sequence[Observed]) -> list[Observation]:
    """Keep what was observed of a bet, as it was found."""
    return [
        keep(
            Observation(
                owner_id=actor.user_id, team_id=bet.team_id, visibility=bet.visibility, **one.values(bet)
            )
        )
        for one in found
    ]


@action("impact.edit")
def record_investment(*, actor: Actor, values: Mapping[str, Any]) -> Investment:
    """Record what was paid in a period."""
    return _plain(Investment(owner_id=actor.user_id), _renamed(values))


@action("impact.edit")
def record_change(*, actor: Actor, values: Mapping[str, Any]) -> Change:
    """Record something that was shipped."""
    return _plain(Change(owner_id=actor.user_id), values)


def _renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"team_name" if name == "team" else name: value for name, value in values.items()}


def _plain(record: R, values: Mapping[str, Any]) -> R:
    known = {field.name for field in record._meta.concrete_fields if field.editable} - {"id", "owner", "team"}
    if unknown := sorted(set(values) - known):
        problems = [FieldProblem(name, f"A {record.noun()} has no field {name}.") for name in unknown]
        raise Invalid(
            problems[0].problem, mend=f"The fields are {', '.join(sorted(known))}.", errors=problems
        )
    for name, value in values.items():
        setattr(record, name, value)
    return keep(record)


@action("impact.edit")
def import_changes(
    *, actor: Actor, repository: str, changes: Sequence[Mapping[str, Any]], bet: str = ""
) -> tuple[int, int]:
    """Take over what a repository shipped; return how many changes were new and how many were known."""
    known = set(Change.objects.filter(repository=repository).values_list("reference", "shipped_as"))
    added = 0
    for given in changes:
        key = (given["reference"], given.get("shipped_as", "tag"))
        if key in known:
            continue
        known.add(key)
        values = {"shipped_as": "tag", **given, "repository": repository, "bet": bet}
        _plain(Change(owner_id=actor.user_id), values)
        added += 1
    return added, len(changes) - added


def import_git(*, actor: Actor, path: Path, bet: str = "") -> tuple[int, int]:
    """Take over what the git repository at a path shipped; return how many changes were new and how many known."""
    require(actor, "impact.edit")
    found = read_history(path)
    changes = [asdict(one) for one in found.shipped]
    return import_changes(actor=actor, repository=found.name, changes=changes, bet=bet)


def load_bets(*, actor: Actor, bets: Sequence[Mapping[str, Any]]) -> list[Bet]:
    """Register bets from a list such as the one above, with their costs, launches, changes and observations.

    A bet whose key is there already is left as it is. Each step is an action of its own.
    """
    made = []
    for given in bets:
        if Bet.objects.filter(key=given.get("key")).exists():
            continue
        bet = register_bet(
            actor=actor, values={name: value for name, value in given.items() if name not in BESIDE}
        )
        for cost in given.get("investments") or []:
            record_investment(actor=actor, values={**cost, "bet": bet.key})
        if given.get("launched_on"):
            bet = launch(actor=actor, bet=bet, on=_as_day(given["launched_on"]))
        for change in given.get("changes") or []:
            record_change(actor=actor, values={**change, "bet": bet.key})
        for age in given.get("observe") or []:
            observe(actor=actor, bet=bet, age=age)
            bet.refresh_from_db()
        if given.get("close"):
            bet = close(actor=actor, bet=bet, **given["close"])
        made.append(bet)
    return made


def _as_day(given: Any) -> date:
    return given if isinstance(given, date) else date.fromisoformat(str(given)[:10])
