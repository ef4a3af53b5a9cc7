"""The policies a book may be counted by: those of the engine, and an organization's own, each with its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from potager.engines.finance import CALENDAR_WEEK, PAYROLL_WEEK, POLICIES
from potager.engines.finance import Policy as Counting
from potager.insight.revenue.models import Policy
from potager.kit.errors import Invalid

_MEANS: Mapping[str, Mapping[str, Any]] = {
    "weeks_a_month": {"payroll": PAYROLL_WEEK, "calendar": CALENDAR_WEEK},
    "discounts": {
        "all": frozenset({"once", "repeating", "forever"}),
        "forever": frozenset({"forever"}),
        "none": frozenset(),
    },
}
_YES_OR_NO = {"yes": True, "no": False}


def policies() -> dict[str, Counting]:
    """Return every policy by its name: the engine's, then an organization's own that are in use."""
    return {**POLICIES, **{own.name: policy_of(own) for own in Policy.objects.filter(archived_at=None)}}


def policy_named(name: str) -> Counting:
    """Return a policy; one that was put away still counts the books that name it. Invalid for a name that is none."""
    if name in POLICIES:
        return POLICIES[name]
    own = Policy.objects.filter(name=name).first()
    if own is None:
        raise Invalid(f"There is no policy {name[:60]}.", mend=f"There are {', '.join(policies())}.")
    return policy_of(own)


def policy_of(own: Policy) -> Counting:
    """Return an organization's own policy as the engine takes it: the one it is based on, with its settings."""
    changed: dict[str, Any] = {}
    for knob in Policy.KNOBS:
        said = getattr(own, knob)
        if said:
            changed[knob] = _MEANS.get(knob, _YES_OR_NO).get(said, said)
    sources = dict.fromkeys(changed, own.because or "As this organization decided.")
    return replace(POLICIES[own.based_on], name=own.name, sources=sources, **changed)
