"""The week in answers: as a page, as a feed, as a mail."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.mime.image import MIMEImage
from typing import Any
from xml.sax.saxutils import escape

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from potager.ground.access.actors import Actor, actor_of
from potager.ground.access.models import User
from potager.ground.jobs.schedule import every
from potager.ground.jobs.work import Work, enqueue, job_kind
from potager.insight.questions import answering, queries
from potager.insight.questions.models import Answer
from potager.insight.questions.pictures import picture, pictures_of
from potager.kit.charts.render import to_png
from potager.kit.clock import now

WEEK = timedelta(days=7)
MOST = 30
JOB = "questions.digest"


def of_week(actor: Actor, moment: datetime) -> dict[str, Any]:
    """Return what changed in the week before ``moment``, what stayed, and what could not be told."""
    latest: dict[object, Answer] = {}
    rows = queries.answers(actor).filter(
        created_at__gt=moment - WEEK, created_at__lte=moment, question__isnull=False
    )
    for answer in rows.order_by("created_at"):
        latest[answer.question_id] = answer
    changed: list[dict[str, Any]] = []
    steady: list[dict[str, Any]] = []
    for answer in latest.values():
        lines = answering.differences(answer.supersedes, answer) if answer.supersedes else []
        entry = {"answer": answer, "differences": lines}
        (
            changed
            if answer.supersedes is None or (lines and answer.supersedes.verdict != answer.verdict)
            else steady
        ).append(entry)
    return {"changed": changed[:MOST], "steady": steady[:MOST], "since": moment - WEEK, "until": moment}


def atom(actor: Actor, root: str) -> str:
    """Return the changed answers as an Atom feed (RFC 4287)."""
    root = root.rstrip("/")
    week = of_week(actor, now())
    entries = [*week["changed"], *week["steady"]]
    updated = max((entry["answer"].created_at for entry in entries), default=now())
    items = "".join(
        f"<entry><id>urn:uuid:{entry['answer'].pk}</id><title>{escape(entry['answer'].words)}</title>"
        f"<updated>{entry['answer'].created_at.isoformat()}</updated>"
        f'<link href="{root}{entry["answer"].url()}"/>'
        f"<summary>{escape(' '.join([entry['answer'].statement, *entry['differences']]))}</summary></entry>"
        for entry in entries
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{root}/questions/digest</id><title>Potager: the week in answers</title>"
        f'<author><name>Potager</name></author><link rel="self" href="{root}/questions/digest.atom"/>'
        f"<updated>{updated.isoformat()}</updated>{items}</feed>"
    )


def mail(actor: Actor, address: str, moment: datetime) -> EmailMultiAlternatives | None:
    """Return the digest as a mail with its pictures inside, or nothing in a week without answers."""
    week = of_week(actor, moment)
    entries = [*week["changed"], *week["steady"]]
    if not entries:
        return None
    for number, entry in enumerate(week["changed"][:6]):
        entry["picture"] = f"picture-{number}" if pictures_of(entry["answer"]) else ""
    context = {**week, "root": settings.POTAGER_ADDRESS}
    count = len(week["changed"])
    subject = f"{count or 'No'} {'answers' if count > 1 else 'answer'} changed this week"
    message = EmailMultiAlternatives(subject, render_to_string("questions/digest.txt", context), to=[address])
    message.attach_alternative(render_to_string("questions/digest_mail.html", context), "text/html")
    for entry in week["changed"][:6]:
        if entry.get("picture"):
            answer = entry["answer"]
            image = MIMEImage(to_png(picture(answer, pictures_of(answer)[0]), scale=1.5))
            image.add_header("Content-ID", f"<{entry['picture']}>")
            message.attach(image)
    return message


@every(timedelta(days=7), "questions.digest")
def enqueue_digest() -> bool:
    """Enqueue the weekly mail, where mail is set up."""
    from potager.ground.access.actors import machine

    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        return False
    enqueue(machine("Potager"), JOB, "Mail the weekly digest")
    return True


@job_kind(JOB)
def mail_digests(work: Work) -> dict[str, int]:
    """Mail the week in answers to everybody, each with what they may see."""
    people = list(User.objects.filter(is_active=True))
    sent = 0
    for number, person in enumerate(people):
        work.progress(number, len(people), str(person), "mails")
        message = mail(actor_of(person, via="worker"), person.email, now())
        if message is not None:
            sent += message.send()
    return {"sent": sent}
