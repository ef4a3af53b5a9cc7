"""The kind of question that revenue answers: why is our figure not the one that other rules come to?"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

from potager.engines.answers import CannotTell
from potager.engines.finance import PolicyDifference
from potager.engines.statistics import Part
from potager.ground.access.actors import Actor
from potager.ground.lake.service import warehouse
from potager.insight.metrics.reading import Ran
from potager.insight.questions.models import Answer
from potager.insight.questions.recipes.draft import Asked, Check, Draft, Driver
from potager.insight.questions.recipes.registry import Kind, register
from potager.insight.questions.rules import judge
from potager.insight.questions.understanding import Found, Understood
from potager.insight.revenue import queries, why, why_pictures
from potager.insight.revenue.models import Book
from potager.insight.revenue.policies import policies
from potager.kit.charts.chart import Chart
from potager.kit.charts.waterfall import UNEXPLAINED, End, Movement, waterfall
from potager.kit.currencies import amount
from potager.kit.errors import FieldProblem, Invalid

# A load tells of the days up to its own, so the last of them belongs to a receipt as snapshots do.
THROUGH = "counted through"
_SPOKEN = {"chartmogul": r"chart ?mogul", "profitwell": r"profit ?well", "list_price": r"list[ _-]prices?"}
_FIGURE = r"(?:mrr|arr|(?:recurring )?revenue|numbers?|figures?|ours?)"
_TELLS = r"(?:say|show|report|tell|count|have|has|see|come|get)(?:s|es)?"
_OTHER = r"(?:something else|another|other|otherwise|differ\w*|disagree\w*|more|less|fewer|higher|lower)"
_NUMBER = r"\d[\d,]*(?:\.\d+)?\s?[km]?\b"
# "Stripe says 3 customers left" is no amount: one has its sign, or ends the question, or names the figure.
_MONEY = rf"(?P<stated>[£$€]\s?{_NUMBER}|{_NUMBER}(?=\s*(?:[?!]|\.?$|mrr\b|eur\b|usd\b|gbp\b)))"
_AGREES = r"\b(?:match|agree|equal|reconcile|differ|disagree)\w*\b"
_ASKS = re.compile(r"\b(?:why|how come|explain\w*|reconcil\w*|differ\w*|compare)\b", re.IGNORECASE)
_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


def _spoken(name: str) -> str:
    return _SPOKEN.get(name, re.sub(r"[_-]", "[ _-]", re.escape(name).replace(r"\-", "-")))


@lru_cache(maxsize=32)
def _unlike(names: tuple[str, ...]) -> re.Pattern[str]:
    """Return how people say that a figure is not the one by some policy."""
    policy = f"(?:{'|'.join(map(_spoken, names))})"
    return re.compile(
        # not Stripe's; not that by Stripe; not the number that Stripe shows
        r"(?:\bnot|n['’]t)\s+(?:(?:our|the|that|this|same|as|of|by|from|in|what|one|equal|to|like|"
        rf"{_FIGURE})\s+)*{policy}\b"
        # does ChartMogul say something else
        rf"|\b{policy}(?:['’]s)?\s+(?:\w+\s+){{0,3}}?{_TELLS}\s+(?:\w+\s+){{0,3}}?{_OTHER}\b"
        # does our MRR not match Stripe's; differ from ChartMogul's; reconcile with ProfitWell
        rf"|\b{_FIGURE}\b.*{_AGREES}.*\b{policy}\b|\b{policy}\b.*{_AGREES}.*\b{_FIGURE}\b"
        rf"|\breconcile\b.*\b{policy}\b"
        # does Stripe say €12,300
        rf"|\b{policy}(?:['’]s)?\s+(?:\w+\s+){{0,3}}?{_TELLS}\s+(?:\w+\s+){{0,3}}?{_MONEY}",
        re.IGNORECASE,
    )


def read(actor: Actor, text: str, today: date) -> Understood | None:
    """Return how the words are read as a question of two policies; None where they are not of this kind."""
    if not _ASKS.search(text):
        return None
    known = tuple(policies())
    said = _named(text, known)
    unlike = _unlike(known).search(text)
    both = len(said) > 1 and re.search(rf"\b{_FIGURE}\b", text, re.IGNORECASE)
    if not said or (unlike is None and not both):
        return None
    books = list(queries.books(actor)[:20])
    found = [Found(unlike.group(0) if unlike else "", "kind", "reconcile")]
    found += [Found(spoken, "policy", name) for name, spoken in said[:2]]
    missing: list[str] = []
    slots: dict[str, Any] = {}
    book = _book(books, text)
    if book is not None:
        slots["book"] = str(book.pk)
        found.append(Found(book.name if book.name.casefold() in text.casefold() else "", "book", book.name))
    elif books:
        missing.append(f"Which book do you mean: {', '.join(one.name for one in books)}?")
    names = [name for name, _ in said]
    if len(names) > 1:
        slots |= {"first": names[0], "second": names[1]}
    else:
        slots["second"] = names[0]
    stated = unlike.group("stated") if unlike else None
    if stated:
        slots["stated"] = stated.strip()
        found.append(Found(stated, "their own page", stated.strip()))
    day = _DAY.search(text)
    if day:
        slots["on"] = day.group(0)
        found.append(Found(day.group(0), "day", day.group(0)))
    return Understood(text, "reconcile", slots, found, missing, (), [])


def _named(text: str, known: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the policies that are named, each once, in the order of the words, and how they were spoken."""
    hits = [
        (hit.start(), name, hit.group(0))
        for name in known
        if (hit := re.search(rf"\b(?:{_spoken(name)})\b", text, re.IGNORECASE))
    ]
    return [(name, spoken) for _, name, spoken in sorted(hits)]


def _book(books: list[Book], text: str) -> Book | None:
    named = [one for one in books if re.search(rf"(?<!\w){re.escape(one.name)}(?!\w)", text, re.IGNORECASE)]
    if len(named) == 1:
        return named[0]
    return books[0] if len(books) == 1 else None


def _book_of(asked: Asked) -> Book | None:
    if asked.slots.get("book"):
        return queries.book(asked.actor, str(asked.slots["book"]))
    books = list(queries.books(asked.actor)[:2])
    if len(books) > 1:
        problem = FieldProblem("book", "The question does not say which book.")
        raise Invalid(problem.problem, mend="Give the slot 'book' the id of one.", errors=[problem])
    return books[0] if books else None


def _day_of(asked: Asked, book: Book, through: date) -> date:
    given = asked.slots.get("on")
    if given:
        try:
            return date.fromisoformat(str(given))
        except ValueError as error:
            problem = FieldProblem("on", f"'{str(given)[:40]}' is not a day.")
            mend = "Write it as 2024-09-30."
            raise Invalid(problem.problem, mend=mend, errors=[problem]) from error
    pinned = (asked.at or {}).get(THROUGH)
    return min(asked.as_of, date.fromisoformat(pinned) if pinned else through)


def answer(asked: Asked) -> Draft:
    """Answer why MRR by one policy is not MRR by another, every cent by the rule behind it.

    Slots: ``book`` (id), ``first`` and ``second`` (policies; the book's own and the next), ``on`` (a day), ``stated``
    (what the second's own page shows, an amount in the book's currency; no where some of it is not explained).
    """
    draft = Draft("cannot_tell", "", [], evidence_class="exact arithmetic")
    book = _book_of(asked)
    if book is None:
        mend = "Describe a book over a table of subscription terms and load it."
        return draft.refused(CannotTell("incomplete", "There is no book of revenue.", mend))
    if book.through is None:
        return draft.refused(CannotTell("incomplete", f"{book.name} was not loaded yet.", "Load it first."))
    first, second = why.pair(book, str(asked.slots.get("first") or ""), str(asked.slots.get("second") or ""))
    draft = replace(draft, unit=book.currency)
    stated = asked.slots.get("stated")
    theirs = None if stated in (None, "") else why.minor(str(stated), book.currency)
    if first == second and theirs is None:
        because = f"{book.name} is counted by {first} already, so no rule tells the two apart."
        mend = "Name two policies; or compare the day, the currency and the settings of the account there."
        return draft.refused(CannotTell("undefined", because, mend))
    began = time.perf_counter()
    on = _day_of(asked, book, book.through)
    found = why.difference(book, first, second, on, asked.at)
    pins = {name: (asked.at or {}).get(name, pin) for name, pin in book.snapshots.items()}
    through = (asked.at or {}).get(THROUGH, book.through.isoformat())
    ran = [
        Ran(
            f"what {book.name} is counted from",
            "\n".join(f"SELECT * FROM {name}" for name in pins),  # noqa: S608 - names of ours
            {**pins, THROUGH: through},
            warehouse().engine,
            time.perf_counter() - began,
        )
    ]
    return _told(asked, replace(draft, ran=ran), book, found, theirs)


def _told(asked: Asked, draft: Draft, book: Book, found: PolicyDifference, theirs: int | None) -> Draft:
    currency = book.currency
    reached = found.second.get(currency, 0) if theirs is None else theirs
    first, second = amount(found.first.get(currency, 0), currency), amount(reached, currency)
    knobs = why_pictures.knobs(found, currency)
    parts = [one for one in knobs if one["cents"]]
    rest = reached - found.first.get(currency, 0) - sum(one["cents"] for one in parts)
    drivers = [Driver(one["says"].capitalize(), one["amount"], note=one["second"]) for one in parts]
    if rest:
        drivers.append(Driver("Unexplained", amount(rest, currency), unexplained=True))
    values = {
        "difference": second - first,
        "relative": (second - first) / first if first else None,
        "unexplained": abs(amount(rest, currency)),
    }
    checks = [
        Check(
            "adds up",
            not rest,
            f"{len(parts)} of {len(found.knobs)} rules that differ move MRR; together they are the whole difference."
            if not rest
            else f"{why_pictures.money(rest, currency)} is explained by no rule.",
        ),
        Check(
            "same terms",
            True,
            f"Both figures are counted from the same snapshots, over {found.table.num_rows:,} movements that differ.",
        ),
    ]
    order = {knob: place for place, knob in enumerate(found.knobs)}
    return replace(
        draft,
        verdict=judge(asked.rule or {"yes": "unexplained = 0"}, values),
        statement=why_pictures.sentence(found, currency, theirs),
        estimate=second - first,
        low=second - first,
        high=second - first,
        checks=checks,
        parts=[Part("agreement", "good" if not rest else "poor", "It is arithmetic over the same terms.")],
        drivers=drivers,
        figures={
            "book": book.name,
            "on": found.on.isoformat(),
            "first": [found.first_policy, first],
            "second": [found.second_policy, second],
            "stated": theirs is not None,
            "parts": [
                [why_pictures.short(one["knob"]), one["amount"]]
                for one in sorted(parts, key=lambda one: order[one["knob"]])
            ],
            "movements": found.table.num_rows,
            "pictures": ["bridge"] if drivers else [],
        },
        would_change=_settings(book, found, parts, bool(rest)),
        next_questions=_next(found),
    )


def _settings(book: Book, found: PolicyDifference, parts: list[dict[str, Any]], rest: bool) -> list[str]:
    """Return what to do: count by both, and look at the settings behind the largest parts there."""
    lines = []
    if rest:
        lines.append(
            "What no rule explains lies in the data or in the account there: compare the day and its time zone, the "
            "currency, the account's settings, and the customers that only one side has."
        )
    if found.second_policy not in book.policies:
        lines.append(
            f"Count {book.name} by {found.second_policy} as well, and both stand side by side each month."
        )
    for one in parts[:2]:
        said = next((each["says"] for each in one["sources"] if each["policy"] == found.second_policy), "")
        if said:
            lines.append(f"{one['says'].capitalize()}, by {found.second_policy}: {said}")
    return lines


def _next(found: PolicyDifference) -> list[str]:
    others = [name for name in policies() if name not in {found.first_policy, found.second_policy}]
    return [f"Why is MRR by {found.first_policy} not that by {name}?" for name in others[:1]]


def bridge(answer: Answer) -> Chart:
    """Draw the bridge from MRR by the first policy over each rule to MRR by the second."""
    figures = answer.figures
    (first, before), (second, after) = figures["first"], figures["second"]
    return waterfall(
        End(f"MRR by {why_pictures.named(first)}", before),
        [Movement(name, value) for name, value in figures["parts"]],
        End(f"{'shown' if figures['stated'] else 'MRR'} by {why_pictures.named(second)}", after),
        title=f"From MRR by {why_pictures.named(first)} to MRR by {why_pictures.named(second)}",
        unit=answer.unit,
        as_of=date.fromisoformat(figures["on"]),
    )


register(
    Kind(
        "reconcile",
        "Why is it not the other number?",
        answer,
        about="Why MRR by one set of rules is not MRR by another, every cent by the rule behind it.",
        read=read,
        pictures={"bridge": bridge},
        variables={
            "difference": "the second figure less the first",
            "relative": "the difference as a share of the first",
            UNEXPLAINED: "what no rule explains",
        },
    )
)
