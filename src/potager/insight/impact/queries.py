"""Reading the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from potager.ground.access.actors import Actor
from potager.ground.records.models import RecordQuerySet
from potager.insight.impact.models import Bet, Change, Investment, Observation, Outside
from potager.kit.errors import NotFound

FILTERS = ("state", "team_name", "product", "objective", "horizon", "risk")


def bets(actor: Actor, *, search: str = "", **filters: str) -> RecordQuerySet[Bet]:
    """Return the bets the actor may see, the latest launched first."""
    rows: Any = Bet.objects.visible_to(actor).alive().select_related("metric__source", "money_metric__source")
    rows = rows.filter(**{name: value for name, value in filters.items() if value})
    for word in search.split():
        rows = rows.filter(name__icontains=word) | rows.filter(key__icontains=word)
    found: RecordQuerySet[Bet] = rows
    return found


def bet(actor: Actor, key: str) -> Bet:
    """Return one bet by its key, or say which are near."""
    found = bets(actor).filter(key=key).first()
    if found is None:
        from difflib import get_close_matches

        near = get_close_matches(key, bets(actor).values_list("key", flat=True), n=1)
        raise NotFound(
            f"There is no bet {key}.",
            mend=f"Did you mean {near[0]}?" if near else "Look at the list of bets.",
        )
    return found


def observations(actor: Actor, found: Bet | None = None, *, role: str = "") -> RecordQuerySet[Observation]:
    """Return observations, the latest window first."""
    every: Any = Observation.objects
    rows = every.visible_to(actor).select_related("bet", "metric")
    if found is not None:
        rows = rows.filter(bet=found)
    rows = rows.filter(role=role) if role else rows
    made: RecordQuerySet[Observation] = rows
    return made


def latest(actor: Actor, found: Sequence[Bet]) -> dict[Any, Observation]:
    """Return the latest observation of each bet's own metric: the longest window, then the last made."""
    rows = observations(actor, role="outcome").filter(bet__in=[one.pk for one in found])
    kept: dict[Any, Observation] = {}
    for row in rows.order_by("end", "created_at"):
        kept[row.bet_id] = row
    return kept


def investments(actor: Actor, *, key: str = "") -> RecordQuerySet[Investment]:
    """Return what was paid, for one bet where its key is given."""
    rows: RecordQuerySet[Investment] = Investment.objects.visible_to(actor).alive()
    return rows.filter(bet=key) if key else rows


def changes(actor: Actor, *, key: str = "") -> RecordQuerySet[Change]:
    """Return what was shipped, for one bet where its key is given."""
    rows: RecordQuerySet[Change] = Change.objects.visible_to(actor).alive()
    return rows.filter(bet=key) if key else rows


def outside(actor: Actor, metric: str = "") -> RecordQuerySet[Outside]:
    """Return known movements from outside, of one metric where it is named."""
    rows: RecordQuerySet[Outside] = Outside.objects.visible_to(actor).alive()
    return rows.filter(metric=metric) if metric else rows
