"""Answers in the shape that ``answer.html`` and the lists draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from potager.insight.questions.models import Answer, Question
from potager.insight.questions.pictures import picture, pictures_of
from potager.insight.questions.rules import could_matter

_GRADES = {"good": "high", "fair": "medium", "poor": "low", "unknown": "none"}
_SURE = {
    "A": "Everything that was looked at is in order.",
    "B": "Nearly everything that was looked at is in order.",
    "C": "Something that was looked at is weak; see which.",
    "D": "Several things that were looked at are weak; rely on it only for what they do not touch.",
}


def card(answer: Answer | None, question: Question) -> dict[str, Any]:
    """Return an answer as a row of a list."""
    if answer is None:
        return {
            "verdict": "",
            "statement": "",
            "question": question.words,
            "url": question.url(),
            "as_of": None,
        }
    values = answer.figures.get("values", []) if "time" in pictures_of(answer) else []
    return {
        "verdict": answer.verdict,
        "statement": answer.statement,
        "question": question.words,
        "url": question.url(),
        "as_of": answer.as_of,
        "spark": values[-13:] if len(values) > 2 else [],
        "unit": answer.unit,
        "partial": answer.figures.get("partial", False),
    }


def page(answer: Answer, question: Question | None, history: Sequence[Answer]) -> dict[str, Any]:
    """Return an answer as its page draws it."""
    receipt = answer.receipt
    shown = {
        "question": answer.words,
        "verdict": answer.verdict,
        "statement": answer.statement,
        "low": answer.low if answer.low != answer.high else None,
        "high": answer.high if answer.low != answer.high else None,
        "unit": answer.unit,
        "as_of": answer.as_of,
        "data_through": answer.data_through,
        "expires_at": answer.expires_at,
        "decider": question.decider if question else "",
        "decision": question.decision if question else "",
        "refusal": answer.refusal,
        "drivers": answer.drivers if len(answer.drivers) > 1 else [],
        "change": answer.estimate,
        "confidence": _confidence(answer),
        "would_change": [*answer.would_change, *_hints(question)],
        "next_questions": [
            {"title": words, "url": f"{reverse('ask')}?{urlencode({'q': words})}"}
            for words in answer.next_questions
        ],
        "metrics": [
            {"title": metric["label"], "version": metric["version"], "url": f"/metrics/{metric['name']}"}
            for metric in answer.metrics
        ],
        "sql": "\n\n".join(f"-- {query['for']}\n{query['sql']};" for query in receipt.get("queries", [])),
        "engine": receipt.get("engine", ""),
        "receipt": _receipt(answer),
        "history": [_past(one) for one in history if one.pk != answer.pk][:12],
        "next": {"text": answer.action, "owner": question.decider} if answer.action and question else None,
        "checks": answer.checks,
        "evidence_class": answer.evidence_class,
    }
    names = pictures_of(answer)
    if names:
        shown["chart"] = chart(answer, names[0])
        shown["more_charts"] = [chart(answer, name) for name in names[1:]]
    return shown


def chart(answer: Answer, name: str) -> dict[str, Any]:
    """Return one picture's addresses and words."""
    made = picture(answer, name)
    image = reverse("answer-picture", args=[answer.pk, name, "svg"])
    return {
        "image": image,
        "title": made.title,
        "alt": made.alt,
        "spec": reverse("answer-picture", args=[answer.pk, name, "json"]),
        "png": reverse("answer-picture", args=[answer.pk, name, "png"]),
        "note": made.subtitle,
        "table": {
            "title": made.title,
            "columns": [
                {"title": column.name, "number": number > 0}
                for number, column in enumerate(made.table.columns)
            ],
            "rows": [
                [{"text": _cell(cell), "number": number > 0} for number, cell in enumerate(row)]
                for row in made.table.rows
            ],
        },
    }


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def _confidence(answer: Answer) -> dict[str, Any]:
    parts = [
        {"name": part["name"], "grade": _GRADES[part["state"]], "words": part["says"]}
        for part in answer.confidence
    ]
    return {"grade": answer.grade, "words": _SURE.get(answer.grade, ""), "parts": parts} if parts else {}


def _hints(question: Question | None) -> list[str]:
    hint = could_matter(question.rule, question.recipe, question.actions) if question else ""
    return [hint] if hint else []


def _receipt(answer: Answer) -> list[dict[str, Any]]:
    receipt = answer.receipt
    pairs = [
        ("Asked as of", receipt.get("as_of")),
        ("Engine", receipt.get("engine")),
        ("Snapshots", ", ".join(f"{table} @ {pin}" for table, pin in receipt.get("snapshots", {}).items())),
        (
            "Definitions",
            ", ".join(f"{name} {digest[:12]}" for name, digest in receipt.get("definitions", {}).items()),
        ),
        ("Hash", receipt.get("digest", "")[:24]),
        ("Potager", receipt.get("potager")),
    ]
    return [{"key": key, "value": value} for key, value in pairs if value]


def _past(answer: Answer) -> dict[str, Any]:
    return {
        "as_of": answer.as_of,
        "verdict": answer.verdict,
        "statement": answer.statement,
        "url": answer.url(),
    }
