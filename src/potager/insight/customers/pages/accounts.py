"""Accounts, as pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from potager.ground.access.actors import Actor, may, require
from potager.ground.acting.action import expecting
from potager.ground.audit.queries import history
from potager.ground.links.margin import margin
from potager.ground.records.queries import found_in
from potager.ground.serving.rendering import problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.customers import actions, lakes, queries
from potager.insight.customers.files import account_lines
from potager.insight.customers.forms import AccountForm
from potager.insight.customers.models import DOMAIN, Account, Noun
from potager.insight.customers.pages import home
from potager.kit import words
from potager.kit.clock import today
from potager.kit.errors import Problem
from potager.kit.paging import page_of

FILTERS = (("plan", "Plan"), ("segment", "Segment"), ("tier", "Tier"))


def _rows(request: HttpRequest, who: Actor) -> Any:
    asked = {name: request.GET.get(name, "") for name, _ in FILTERS}
    internal = {"yes": True, "no": False}.get(request.GET.get("internal", ""))
    member_of = home.asked_segment(request, who, Noun.ACCOUNTS)
    search = request.GET.get("q", "")
    return queries.accounts(who, search=search, member_of=member_of, internal=internal, **asked)


@signed_in
def listing(request: HttpRequest) -> HttpResponse:
    """Show the accounts: searched, filtered, sorted."""
    who = actor(request)
    require(who, "customers.read")
    rows, order = _rows(request, who), queries.order_of(request.GET.get("sort", ""))
    found = page_of(rows, cursor=request.GET.get("cursor", ""), limit=50, order=order)
    counts = queries.people_in(who, [account.pk for account in found.items])
    revenue = _revenue(found.items)
    shown = {
        "page_title": "Customers",
        "page_about": _how_many(found.total, asked=bool(request.GET)),
        "tabs": home.tabs("customers"),
        "found": found,
        "lines": [(one, counts.get(one.pk, 0), revenue.get(one.key)) for one in found.items],
        "paid": bool(revenue),
        "search": request.GET.get("q", ""),
        "kept": home.kept(request),
        "asked": bool(request.GET),
        **_filters(request, who),
        "csv_url": f"{reverse('accounts-csv')}?{request.GET.urlencode()}",
        "edits": may(who, "customers.edit"),
        "syncs": may(who, "customers.sync"),
    }
    return render(request, "customers/accounts.html", shown)


def _how_many(total: int, *, asked: bool) -> str:
    if asked:
        verb = "matches" if total == 1 else "match"
        return f"{words.counted(total, 'accounts')} {verb}."
    if not total:
        return "Every company and team, under the one key that all tables know it by."
    return f"{words.counted(total, 'accounts')}, under the one key that all tables know them by."


def _revenue(accounts: Sequence[Account]) -> dict[str, tuple[float, str]]:
    """Return what each account pays a month, with what was merged into it."""
    if not lakes.has_revenue():
        return {}
    under = queries.keys_under(accounts)
    paid = lakes.revenue_as_of([key for keys in under.values() for key in keys], today())
    found = {}
    for key, keys in under.items():
        amounts = [paid[one] for one in keys if one in paid]
        if amounts:
            found[key] = (sum(amount for amount, _ in amounts), amounts[0][1])
    return found


def _filters(request: HttpRequest, who: Actor) -> dict[str, Any]:
    on, choices = [], []
    for name, title in FILTERS:
        value = request.GET.get(name, "")
        if value:
            on.append(home.filter_of(request, name, title, value))
        else:
            choices += [
                home.choice_of(request, name, each, f"{title}: {each}")
                for each in queries.values_of(who, name, most=6)
            ]
    if request.GET.get("internal"):
        said = "ours" if request.GET["internal"] == "yes" else "not ours"
        on.append(home.filter_of(request, "internal", "Account", said))
    else:
        choices.append(home.choice_of(request, "internal", "yes", "Our own teams"))
    segment = home.asked_segment(request, who, Noun.ACCOUNTS)
    if segment is not None:
        on.append({**home.filter_of(request, "in", "Segment", segment.name), "joint": "in"})
    else:
        some = queries.segments(who).filter(noun_kind=Noun.ACCOUNTS).order_by("name")[:8]
        choices += [home.choice_of(request, "in", str(one.pk), f"In “{one.name}”") for one in some]
    return {"filters": on, "filter_choices": choices, "clear_url": reverse("customers")}


@signed_in
def as_csv(request: HttpRequest) -> HttpResponseBase:
    """Download the accounts as they are filtered."""
    who = actor(request)
    require(who, "customers.read")
    return home.download(account_lines(_rows(request, who)), "accounts.csv")


@signed_in
def one(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show one account: who they are, what they pay and use, who is in it."""
    who = actor(request)
    rows = Account.objects.visible_to(who).select_related("merged_into", "owner")
    account = found_in(rows.prefetch_related("handles"), pk=key)
    people = queries.people(who, account=account.pk)
    total = people.count()
    keys = queries.keys_under([account])[account.key]
    revenue, usage = lakes.revenue_of(keys, today()), lakes.usage_of(keys, today())
    shown = {
        "page_title": account.title,
        "page_about": _sentence(account, total, revenue, usage),
        "crumbs": home.trail(),
        "account": account,
        "domains": [handle.value for handle in account.handles.all() if handle.origin == DOMAIN],
        "handles": [handle for handle in account.handles.all() if handle.origin != DOMAIN],
        "pairs": [
            {"key": name.replace("_", " ").capitalize(), "value": _shown(value)}
            for name, value in sorted(account.traits.items())
        ],
        "revenue": revenue,
        "usage": usage,
        "people": people.order_by("name", "pk")[:20],
        "people_total": total,
        "merges": _merges(who, account),
        "history": history(who, account)[:20],
        "edits": may(who, "customers.edit", account),
        "merges_allowed": may(who, "customers.merge", account),
        **margin(who, account),
    }
    return render(request, "customers/account.html", shown)


def _merges(who: Actor, account: Account) -> list[dict[str, Any]]:
    found = list(queries.merges(who, account).filter(kept_id=account.pk, undone_at=None))
    by_id = Account.objects.visible_to(who).in_bulk([merge.merged_id for merge in found])
    return [{"merge": merge, "record": by_id.get(merge.merged_id)} for merge in found]


def _shown(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return words.grouped(value) if isinstance(value, float) else value


def _sentence(account: Account, people: int, revenue: lakes.Strip | None, usage: lakes.Strip | None) -> str:
    """Return who they are in one sentence: what they pay, how many they are, how much they use it."""
    parts = []
    if revenue is not None and revenue.latest is not None:
        paid = words.human(revenue.latest, revenue.unit)
        parts.append(f"pays {paid} a month" if revenue.latest else "pays nothing now")
    on = f" on {account.plan}" if account.plan else ""
    if on and parts:
        parts[0] += on
    elif on:
        parts.append(f"is{on}")
    parts.append(f"has {words.counted(people, 'people')}" if people else "has no people yet")
    if usage is not None and usage.latest is not None:
        parts.append(f"made {words.counted(int(usage.latest), 'events')} last week")
    who = f"{account.title}, a team of our own," if account.internal else account.title
    return f"{who} {words.listing(parts)}."


@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Add an account."""
    who = actor(request)
    require(who, "customers.edit")
    return _write(request, None)


@signed_in
def edit(request: HttpRequest, key: UUID) -> HttpResponse:
    """Change an account."""
    who = actor(request)
    account = found_in(Account.objects.visible_to(who).prefetch_related("handles"), pk=key)
    require(who, "customers.edit", account)
    return _write(request, account)


def _write(request: HttpRequest, account: Account | None) -> HttpResponse:
    who = actor(request)
    form = AccountForm(request.POST or None, initial=AccountForm.initial_of(account) if account else None)
    if request.method == "POST" and form.is_valid():
        try:
            if account is None:
                written = actions.create_account(actor=who, **form.values())
            else:
                with expecting(account.version):
                    written = actions.change_account(actor=who, account=account, **form.values())
        except Problem as problem:
            problems_on(form, problem)
        else:
            messages.success(request, f"{written.title} was kept.")
            return redirect("account", written.pk)
    shown = {
        "page_title": f"Edit {account.title}" if account else "Add an account",
        "crumbs": home.trail(*([(account.title, account.url())] if account else [])),
        "form": form,
        "cancel_url": account.url() if account else reverse("customers"),
    }
    return render(request, "form.html", shown, status=422 if form.errors else 200)
