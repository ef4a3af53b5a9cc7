"""Finding: permissions first, then the words, then the order."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from potager.ground.access.actors import Actor, may
from potager.ground.access.models import Grant
from potager.ground.access.roles import Role
from potager.ground.records.models import Card, Visibility, record_kinds
from potager.ground.search.models import SearchEntry

_WORD = re.compile(r"\w+", re.UNICODE)
MOST_WORDS = 12
FUSION = 60.0  # k of reciprocal rank fusion (Cormack, Clarke & Büttcher 2009)


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that was found, and why."""

    card: Card
    why: str


Arm = Callable[["QuerySet[SearchEntry]", str, int], Sequence[int]]


def entries(actor: Actor, kinds: Sequence[str] = ()) -> QuerySet[SearchEntry]:
    """Return the entries of all records the actor may see."""
    readable = [
        model.kind()
        for model in record_kinds()
        if (not kinds or model.kind() in kinds) and may(actor, f"{model._meta.app_label}.read")
    ]
    rows = SearchEntry.objects.filter(record_kind__in=readable)
    if actor.role is not None and actor.role >= Role.OWNER:
        return rows
    grants = Grant.objects.filter(
        Q(user_id=actor.user_id) | Q(team_id__in=actor.teams),
        record_kind=OuterRef("record_kind"),
        record_id=OuterRef("record_id"),
    )
    seen = Q(visibility=Visibility.ORGANIZATION) | Q(visibility=Visibility.TEAM, team_id__in=actor.teams)
    if actor.user_id is not None:
        seen |= Q(owner_id=actor.user_id) | Q(Exists(grants))
    return rows.filter(seen)


def find(actor: Actor, text: str, *, kinds: Sequence[str] = (), limit: int = 20) -> list[Hit]:
    """Return the best hits for ``text`` among what the actor may see."""
    if actor.role is None or not _WORD.search(text):
        return []
    allowed = entries(actor, kinds)
    scores: dict[int, float] = {}
    for arm in ARMS:
        for rank, key in enumerate(arm(allowed, text, limit * 3)):
            scores[key] = scores.get(key, 0.0) + 1 / (FUSION + rank)
    best = sorted(scores, key=lambda key: -scores[key])[:limit]
    found = SearchEntry.objects.in_bulk(best)
    return [Hit(_card(found[key]), _why(found[key], text)) for key in best]


def by_words(allowed: QuerySet[SearchEntry], text: str, limit: int) -> list[int]:
    """Return the keys of the entries that hold all the words, the last one as a beginning, best first (BM25)."""
    words = _WORD.findall(text)[:MOST_WORDS]
    try:
        if connection.vendor == "sqlite":
            query, parameters = _in_sqlite(allowed)
            sought = " ".join(f'"{word}"' for word in words) + "*"
        else:
            query, parameters = _in_postgres(allowed)
            sought = " & ".join(words) + ":*"
    except EmptyResultSet:  # no entry can be meant, as when a kind is asked for that there is not
        return []
    with connection.cursor() as cursor:
        cursor.execute(query, [sought, *parameters, limit])
        return [row[0] for row in cursor.fetchall()]


def _in_sqlite(allowed: QuerySet[SearchEntry]) -> tuple[str, Sequence[Any]]:
    """Return the query that asks the index first and then looks at each match alone.

    With ``rowid IN (…)`` SQLite would ask the index anew for every row that may be seen, however many match.
    """
    compiler = allowed.query.get_compiler(connection=connection)
    try:
        seen, parameters = compiler.compile(allowed.query.where)
    except FullResultSet:
        seen, parameters = "1", ()
    query = f"""
        SELECT search_words.rowid FROM search_words
        CROSS JOIN search_searchentry ON search_searchentry.id = search_words.rowid
        WHERE search_words MATCH %s AND {seen}
        ORDER BY bm25(search_words, 10.0, 4.0, 1.0) LIMIT %s"""  # noqa: S608 - made by the ORM
    return query, parameters


def _in_postgres(allowed: QuerySet[SearchEntry]) -> tuple[str, Sequence[Any]]:
    inside, parameters = allowed.values("pk").query.sql_with_params()
    query = f"""
        SELECT id FROM search_searchentry, to_tsquery('simple', %s) AS sought
        WHERE vector @@ sought AND id IN ({inside})
        ORDER BY ts_rank_cd(vector, sought) DESC, id LIMIT %s"""  # noqa: S608 - made by the ORM
    return query, parameters


ARMS: list[Arm] = [by_words]


def _card(entry: SearchEntry) -> Card:
    return Card(entry.record_kind, entry.record_id, entry.noun, entry.title, entry.summary, entry.url)


def _why(entry: SearchEntry, text: str) -> str:
    words = {word.casefold() for word in _WORD.findall(text)}
    for place, content in (("title", entry.title), ("summary", entry.summary)):
        if any(word in content.casefold() for word in words):
            return f"in its {place}"
    return "in its text"
