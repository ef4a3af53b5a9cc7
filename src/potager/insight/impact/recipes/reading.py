"""Plain words read as questions about bets: which bet is meant, for which metric, launched when."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from potager.ground.access.actors import Actor
from potager.insight.impact import queries
from potager.insight.impact.models import Bet
from potager.insight.metrics.models import Metric
from potager.insight.metrics.periods import Period, parse_period, period_of
from potager.insight.metrics.queries import metrics as all_metrics
from potager.insight.questions.understanding import Found, Understood
from potager.kit import words

_BET = re.compile(
    r"\b(bets?|impact of|effect of|worth it|pay off|paid off|return(ed|s)?|"
    r"what (did|does|has|have) .+ (do|done|bring|brought)|did .+ (work|help|hurt))\b",
    re.IGNORECASE,
)
_MANY = re.compile(
    r"\b((product )?investments?|all (our |the )?bets|our bets|the bets|portfolio|bet ledger|r&d|roi|"
    r"product work|product teams?)\b",
    re.IGNORECASE,
)
_WEAK = re.compile(
    r"\b(weak(est)?|least (sure|certain|proven)|shak(y|iest)|doubt\w*)\b.*\b(claims?|bets?|evidence)\b"
    r"|\b(claims?|bets?)\b.*\b(weak(est)?|least (sure|certain|proven)|shak(y|iest)|doubt\w*)\b",
    re.IGNORECASE,
)
_RETURN = re.compile(r"\b(return\w*|bring|brought|pay|paid|worth|invest\w*|earn\w*|cost)\b", re.IGNORECASE)
_COMMON = {
    "the", "our", "a", "an", "bet", "bets", "did", "do", "for", "what", "of", "and", "to", "in", "on", "new", "with",
    "return", "returns", "returned", "investment", "investments", "product", "last", "year",
}  # fmt: skip


def read_impact(actor: Actor, text: str, today: date) -> Understood | None:
    """Read a question about one bet: a word of its name or key, and a word that asks what it did."""
    if not _BET.search(text) or _MANY.search(text):
        return None
    scored = _scored(actor, text)
    asks_for_bet = re.search(r"\bbets?\b", text, re.IGNORECASE)
    if not scored:
        if asks_for_bet and re.search(r"\b(did|do|impact|effect|worth|return\w*)\b", text, re.IGNORECASE):
            known = [bet.name for bet in queries.bets(actor)[:5]]
            missing = (
                f"Which bet do you mean? There are {words.listing(known)}."
                if known
                else "No bet is registered."
            )
            return Understood(text, "impact", {}, [Found("", "kind", "impact")], [missing])
        return None
    best = max(score for score, _, _ in scored)
    named = [(said, bet) for score, said, bet in scored if score == best]
    if len(named) > 1:
        which = words.listing([bet.name for _, bet in named[:5]], "or")
        return Understood(text, "impact", {}, [], [f"Which bet do you mean: {which}?"])
    said, bet = named[0]
    found = [Found(said, "bet", bet.name), Found("", "kind", "impact")]
    slots: dict[str, Any] = {"bet": bet.key}
    goal = _named_metric(actor, text, said)
    if goal is not None:
        slots["metric"] = goal.name
        found.append(Found(goal.label, "metric", goal.label))
    return Understood(text, "impact", slots, found)


def _scored(actor: Actor, text: str) -> list[tuple[int, str, Bet]]:
    """Return the bets that the words name: by key or whole name first, else by the words of the name."""
    folded = text.casefold()
    spoken = set(re.findall(r"[\w'-]+", folded)) - _COMMON
    scored = []
    for bet in queries.bets(actor):
        for whole in (bet.name.casefold(), bet.key):
            if re.search(rf"(?<![\w-]){re.escape(whole)}(?![\w-])", folded):
                scored.append((100, whole, bet))
                break
        else:
            own = set(re.findall(r"\w+", f"{bet.name} {bet.key.replace('-', ' ')}".casefold())) - _COMMON
            shared = sorted(own & spoken)
            if shared:
                scored.append((len(shared), " ".join(shared), bet))
    return scored


def _named_metric(actor: Actor, text: str, said: str) -> Metric | None:
    rest = re.sub(re.escape(said), " ", text, flags=re.IGNORECASE).casefold()
    at = re.search(r"\b(?:for|to|on)\s+(.+)$", rest)
    if at is None:
        return None
    named = [
        (len(name), metric)
        for metric in all_metrics(actor)
        for name in {metric.label, metric.name, metric.name.replace("_", " "), *metric.synonyms}
        if re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", at[1])
    ]
    return max(named, key=lambda pair: pair[0])[1] if named else None


def read_portfolio(actor: Actor, text: str, today: date) -> Understood | None:
    """Read a question about all bets: what investments returned, or which claims are weakest."""
    weak = _WEAK.search(text)
    if weak is None and not (_MANY.search(text) and _RETURN.search(text)):
        return None
    if weak is None and _scored_whole(actor, text):
        return None
    slots: dict[str, Any] = {"show": "weakest" if weak else "returns"}
    found = [Found("", "kind", "portfolio")]
    span = _spoken_period(text, today)
    if span is not None:
        slots["period"] = span[1].key
        found.append(Found(span[0], "launched", str(span[1])))
    for slot_name, field in (("team", "team_name"), ("product", "product"), ("objective", "objective")):
        for value in sorted(set(queries.bets(actor).values_list(field, flat=True)) - {""}):
            if re.search(rf"(?<!\w){re.escape(value.casefold())}(?!\w)", text.casefold()):
                slots[slot_name] = value
                found.append(Found(value, slot_name, value))
    return Understood(text, "portfolio", slots, found)


def _scored_whole(actor: Actor, text: str) -> bool:
    return any(score == 100 for score, _, _ in _scored(actor, text))


def _spoken_period(text: str, today: date) -> tuple[str, Period] | None:
    folded = text.casefold()
    if at := re.search(r"\b(last|this)\s+(year|quarter|month)\b", folded):
        present = period_of(today, at[2])  # type: ignore[arg-type]
        return at[0], present if at[1] == "this" else present.previous()
    if at := re.search(r"\b(20\d{2})-?q([1-4])\b", folded):
        return at[0], parse_period(f"{at[1]}-Q{at[2]}")
    if at := re.search(r"\b(20\d{2})\b", folded):
        return at[0], parse_period(at[1])
    return None
