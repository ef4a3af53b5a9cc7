"""People, as pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse

from potager.ground.access.actors import Actor, may, require
from potager.ground.acting.action import expecting
from potager.ground.audit.queries import history
from potager.ground.links.margin import margin
from potager.ground.records.queries import found_in
from potager.ground.serving.rendering import problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.customers import actions, queries
from potager.insight.customers.files import person_lines
from potager.insight.customers.forms import PersonForm
from potager.insight.customers.models import EMAIL, Account, Noun, Person
from potager.insight.customers.pages import home
from potager.kit import words
from potager.kit.errors import Problem
from potager.kit.paging import page_of


class EraseForm(forms.Form):
    """That somebody means it."""

    sure = forms.BooleanField(label="Yes, erase this person for good")


def _rows(request: HttpRequest, who: Actor) -> Any:
    internal = {"yes": True, "no": False}.get(request.GET.get("internal", ""))
    account = request.GET.get("account", "")
    held = found_in(Account.objects.visible_to(who), pk=account).pk if account else None
    member_of = home.asked_segment(request, who, Noun.PEOPLE)
    return queries.people(
        who, search=request.GET.get("q", ""), member_of=member_of, internal=internal, account=held
    )


@signed_in
def listing(request: HttpRequest) -> HttpResponse:
    """Show the people: searched, filtered, sorted."""
    who = actor(request)
    require(who, "customers.read")
    order = queries.order_of(request.GET.get("sort", ""))
    found = page_of(_rows(request, who), cursor=request.GET.get("cursor", ""), limit=50, order=order)
    shown = {
        "page_title": "People",
        "page_about": _how_many(found.total, asked=bool(request.GET)),
        "crumbs": home.trail(),
        "tabs": home.tabs("customer-people"),
        "found": found,
        "search": request.GET.get("q", ""),
        "kept": home.kept(request),
        "asked": bool(request.GET),
        **_filters(request, who),
        "csv_url": f"{reverse('customer-people-csv')}?{request.GET.urlencode()}",
        "edits": may(who, "customers.edit"),
        "syncs": may(who, "customers.sync"),
    }
    return render(request, "customers/people.html", shown)


def _how_many(total: int, *, asked: bool) -> str:
    if not total and not asked:
        return "Who uses what you make and who speaks for their company, colleagues among them."
    verb = "matches" if total == 1 else "match"
    return f"{words.counted(total, 'people')} {verb}." if asked else f"{words.counted(total, 'people')}."


def _filters(request: HttpRequest, who: Actor) -> dict[str, Any]:
    on, choices = [], []
    if request.GET.get("account"):
        account = found_in(Account.objects.visible_to(who), pk=request.GET["account"])
        on.append(home.filter_of(request, "account", "Account", account.title))
    if request.GET.get("internal"):
        said = "a colleague" if request.GET["internal"] == "yes" else "not a colleague"
        on.append(home.filter_of(request, "internal", "Person", said))
    else:
        choices.append(home.choice_of(request, "internal", "yes", "Colleagues"))
    segment = home.asked_segment(request, who, Noun.PEOPLE)
    if segment is not None:
        on.append({**home.filter_of(request, "in", "Segment", segment.name), "joint": "in"})
    else:
        some = queries.segments(who).filter(noun_kind=Noun.PEOPLE).order_by("name")[:8]
        choices += [home.choice_of(request, "in", str(one.pk), f"In “{one.name}”") for one in some]
    return {"filters": on, "filter_choices": choices, "clear_url": reverse("customer-people")}


@signed_in
def as_csv(request: HttpRequest) -> HttpResponseBase:
    """Download the people as they are filtered."""
    who = actor(request)
    require(who, "customers.read")
    return home.download(person_lines(_rows(request, who)), "people.csv")


def _found(request: HttpRequest, key: UUID) -> Person:
    rows = Person.objects.visible_to(actor(request)).select_related("merged_into", "account", "owner")
    return found_in(rows.prefetch_related("handles"), pk=key)


def _trail(person: Person, *more: tuple[str, str]) -> list[dict[str, str]]:
    return home.trail(("People", reverse("customer-people")), *more)


@signed_in
def one(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show one person: where they are, how they are reached, what is known."""
    who, person = actor(request), _found(request, key)
    merges = list(queries.merges(who, person).filter(kept_id=person.pk, undone_at=None))
    by_id = Person.objects.visible_to(who).in_bulk([merge.merged_id for merge in merges])
    shown = {
        "page_title": person.title,
        "page_about": _sentence(person),
        "crumbs": _trail(person),
        "person": person,
        "handles": [handle for handle in person.handles.all() if handle.origin != EMAIL],
        "pairs": [
            {"key": name.replace("_", " ").capitalize(), "value": value}
            for name, value in sorted(person.traits.items())
        ],
        "merges": [{"merge": merge, "record": by_id.get(merge.merged_id)} for merge in merges],
        "history": history(who, person)[:20],
        "edits": may(who, "customers.edit", person) and person.erased_at is None,
        "merges_allowed": may(who, "customers.merge", person) and person.erased_at is None,
        "discloses": may(who, "customers.disclose", person),
        "erases": may(who, "customers.erase", person) and person.erased_at is None,
        **margin(who, person),
    }
    return render(request, "customers/person.html", shown)


def _sentence(person: Person) -> str:
    if person.erased_at is not None:
        return f"This person was erased on {words.day(person.erased_at.date())}; the record only keeps counts right."
    at = f" at {person.account}" if person.account else ""
    what = "a colleague" if person.internal else "a person"
    reached = words.listing(person.emails) if person.emails else ""
    return f"{person.title} is {what}{at}{f', reached at {reached}' if reached else ''}."


@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Add a person."""
    require(actor(request), "customers.edit")
    return _write(request, None)


@signed_in
def edit(request: HttpRequest, key: UUID) -> HttpResponse:
    """Change a person."""
    person = _found(request, key)
    require(actor(request), "customers.edit", person)
    return _write(request, person)


def _write(request: HttpRequest, person: Person | None) -> HttpResponse:
    who = actor(request)
    form = PersonForm(request.POST or None, initial=PersonForm.initial_of(person) if person else None)
    if request.method == "POST" and form.is_valid():
        try:
            values, named = form.values(), form.cleaned_data["account_key"].strip()
            values["account"] = queries.account_of(who, named) if named else None
            if person is None:
                written = actions.create_person(actor=who, **values)
            else:
                values["key"] = values["key"] or person.key
                with expecting(person.version):
                    written = actions.change_person(actor=who, person=person, **values)
        except Problem as problem:
            problems_on(form, problem)
        else:
            messages.success(request, f"{written.title} was kept.")
            return redirect("customer-person", written.pk)
    shown = {
        "page_title": f"Edit {person.title}" if person else "Add a person",
        "crumbs": home.trail(("People", reverse("customer-people"))),
        "form": form,
        "cancel_url": person.url() if person else reverse("customer-people"),
    }
    return render(request, "form.html", shown, status=422 if form.errors else 200)


@signed_in
def everything(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """Download everything known of a person. Asked by POST, because that somebody asked is written down."""
    person = _found(request, key)
    if request.method != "POST":
        return redirect("customer-person", key)
    told = actions.disclose(actor=actor(request), person=person)
    answer = JsonResponse(told, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="person-{person.pk}.json"'
    return answer


@signed_in
def erase(request: HttpRequest, key: UUID) -> HttpResponse:
    """Ask whether a person is to be erased, and do it."""
    who, person = actor(request), _found(request, key)
    require(who, "customers.erase", person)
    form, receipt = EraseForm(request.POST if request.method == "POST" else None), None
    if request.method == "POST" and form.is_valid():
        try:
            receipt = actions.erase(actor=who, person=person)
        except Problem as problem:
            problems_on(form, problem)
    shown = {
        "page_title": "Erased" if receipt else f"Erase {person.title}",
        "crumbs": home.trail(("People", reverse("customer-people"))),
        "form": form,
        "person": person,
        "receipt": receipt,
    }
    return render(request, "customers/erase.html", shown, status=422 if form.errors else 200)
