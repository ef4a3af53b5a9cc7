"""Domains, addresses, segments, and what the lake knows of accounts."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.ground.lake.service import lake
from potager.insight.customers import actions, lakes, queries
from potager.insight.customers.conditions import parse
from potager.insight.customers.domains import company_domains, domain_of, email_of, is_public
from potager.insight.customers.models import Account
from potager.kit.errors import Conflict, Invalid, NotFound

TODAY = date(2026, 3, 18)


@pytest.mark.parametrize(
    "domain", ["gmail.com", "yahoo.co.uk", "hotmail.fr", "outlook.com.br", "gmx.at", "web.de", "qq.com"]
)
def test_a_public_mail_domain_says_nothing_about_a_company(domain):
    assert is_public(domain) and company_domains(f"somebody@{domain}") == []


@pytest.mark.parametrize("domain", ["acme.com", "gmail.acme.com", "mail.acme.co.uk", "yahoo-inc.com"])
def test_other_domains_may_be_a_companys(domain):
    assert not is_public(domain) and company_domains(f"x@{domain}")[0] == domain


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("Ada@Acme.COM", "ada@acme.com"),
        (" mailto:a.b+c@x.example ", "a.b+c@x.example"),
        ("k@münchen.example", "k@xn--mnchen-3ya.example"),
    ],
)
def test_an_address_is_kept_in_one_form(given_, kept):
    assert email_of(given_) == kept


@pytest.mark.parametrize(
    "text", ["", "a", "@b.c", "a@", "a b@c.de", "a@b", "a@b..c", "a@1.2.3.4", f"{'x' * 65}@b.de"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(Invalid):
        email_of(text)


def test_a_web_address_gives_its_domain():
    assert domain_of("https://www.Acme.com/about?x=1") == "acme.com"
    with pytest.raises(Invalid):
        domain_of("acme")


@given(st.text(max_size=60))
def test_any_text_is_an_address_in_its_one_form_or_refused(text):
    try:
        kept = email_of(text)
    except Invalid:
        return
    assert email_of(kept) == kept


@pytest.fixture
def five(ada):
    """Five accounts that differ in plan, seats and country."""
    said = {
        "a": ("pro", {"seats": 12, "country": "DE"}),
        "b": ("pro", {"seats": 3, "country": "AT"}),
        "c": ("free", {"seats": 40}),
        "d": ("", {"country": "DE", "in": "x"}),
        "e": ("PRO", {"seats": "12", "paying": True}),
    }
    for key, (plan, traits) in said.items():
        domains = [f"{key}.example"] if key in "ab" else []
        actions.create_account(
            actor=ada.actor, key=key, name=key * 3, plan=plan, traits=traits, domains=domains
        )
    return said


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("condition", "keys"),
    [
        ("plan is pro", "abe"),
        ("plan is not pro", "c"),
        ("plan is unknown", "d"),
        ("plan is known", "abce"),
        ("seats >= 12", "ac"),
        ("seats < 12", "b"),
        ("seats is 12", "ae"),
        ("seats is unknown", "d"),
        ("country is one of DE, AT", "abd"),
        ("country is not DE", "b"),
        ("country is not one of DE, AT", ""),
        ("paying is yes", "e"),
        ("in is x", "d"),
        ("name contains bb", "b"),
        ("key starts with A", "a"),
        ("domain is a.example", "a"),
        ("domain is known", "ab"),
        ("domain is unknown", "cde"),
        ("domain is not a.example", "b"),
        ("internal is no", "abcde"),
        ("plan is pro\ncountry is AT", "b"),
    ],
)
def test_a_condition_holds_for_whom_it_says(five, ada, condition, keys):
    segment = actions.create_segment(actor=ada.actor, name="S", condition=condition)
    found = queries.members(ada.actor, segment)
    assert "".join(sorted(account.key for account in found)) == keys
    assert queries.how_many(ada.actor, segment) == len(keys)


@pytest.mark.parametrize(
    "line", ["plan", "seats >= many", "plan >= 3", "account.colour is red", "is pro", "a = "]
)
def test_a_condition_that_cannot_be_read_names_its_line(line):
    with pytest.raises(Invalid, match="Line 2"):
        parse(f"plan is pro\n{line}", "accounts")


@pytest.mark.django_db
def test_people_are_found_by_their_accounts_traits_of_plan(ada):
    pro = actions.create_account(actor=ada.actor, key="p", plan="pro")
    actions.create_person(actor=ada.actor, key="x", account=pro)
    actions.create_person(actor=ada.actor, key="y", emails=["y@z.example"])
    by_plan = actions.create_segment(
        actor=ada.actor, name="P", noun="people", condition="account.plan is pro"
    )
    by_mail = actions.create_segment(
        actor=ada.actor, name="M", noun="people", condition="email contains z.ex"
    )
    assert [person.key for person in queries.members(ada.actor, by_plan)] == ["x"]
    assert [person.key for person in queries.members(ada.actor, by_mail)] == ["y"]


@pytest.mark.django_db
def test_a_fixed_list_counts_who_is_known_and_follows_merges(five, ada):
    segment = actions.create_segment(
        actor=ada.actor, name="F", keys=["a", "b", "later", "a"], source="a funnel"
    )
    assert (queries.how_many(ada.actor, segment), queries.nobody_has(ada.actor, segment)) == (2, 1)
    a, b, c = (Account.objects.get(key=key) for key in "abc")
    actions.merge_accounts(actor=ada.actor, kept=c, merged=a)
    assert {account.key for account in queries.members(ada.actor, segment)} == {"b", "c"}
    c.refresh_from_db()
    actions.merge_accounts(actor=ada.actor, kept=c, merged=b)
    assert queries.how_many(ada.actor, segment) == 1
    actions.create_account(actor=ada.actor, key="later")
    assert queries.how_many(ada.actor, segment) == 2


@pytest.mark.django_db
def test_a_segment_has_a_condition_or_a_list(ada):
    with pytest.raises(Invalid, match="not both"):
        actions.create_segment(actor=ada.actor, name="S", condition="plan is pro", keys=["a"])
    with pytest.raises(Invalid, match="needs a condition"):
        actions.create_segment(actor=ada.actor, name="S")


@pytest.mark.django_db
def test_meeting_an_address_makes_the_person_and_their_company_once(ada):
    first = actions.meet(actor=ada.actor, email="Ann@eu.acme.example", name="Ann")
    assert (first.account.key, first.key) == ("eu.acme.example", "ann@eu.acme.example")
    assert actions.meet(actor=ada.actor, email="ann@EU.acme.example") == first
    assert actions.meet(actor=ada.actor, email="bob@gmail.com").account is None


@pytest.mark.django_db
def test_the_nearest_domain_wins(ada):
    actions.create_account(actor=ada.actor, key="wide", domains=["acme.example"])
    actions.create_account(actor=ada.actor, key="near", domains=["eu.acme.example"])
    assert queries.company_of(ada.actor, "x@mail.eu.acme.example").key == "near"
    assert queries.company_of(ada.actor, "x@us.acme.example").key == "wide"
    assert queries.company_of(ada.actor, "x@gmail.com") is None


@pytest.mark.django_db
def test_a_key_an_address_a_domain_and_a_sources_id_all_resolve(ada):
    account = actions.create_account(actor=ada.actor, key="k", domains=["k.example"], handles={"crm": "77"})
    person = actions.create_person(actor=ada.actor, emails=["p@k.example"], handles={"segment": "u1"})
    for text in ("k", "k.example"):
        assert queries.resolve(ada.actor, text) == account
    assert queries.resolve(ada.actor, "77", origin="crm") == account
    assert queries.resolve(ada.actor, "P@K.example") == person
    assert queries.resolve(ada.actor, "u1", origin="segment") == person
    with pytest.raises(NotFound):
        queries.resolve(ada.actor, "nobody")


@pytest.mark.django_db
def test_one_domain_or_address_or_id_belongs_to_one(ada):
    actions.create_account(actor=ada.actor, key="a", domains=["a.example"], handles={"crm": "1"})
    actions.create_person(actor=ada.actor, key="p", emails=["p@a.example"])
    with pytest.raises(Conflict, match="domain of a already"):
        actions.create_account(actor=ada.actor, key="b", domains=["a.example"])
    with pytest.raises(Conflict, match="crm 1 is a already"):
        actions.create_account(actor=ada.actor, key="b", handles={"crm": "1"})
    with pytest.raises(Conflict, match="an address of"):
        actions.create_person(actor=ada.actor, key="q", emails=["P@a.example"])
    with pytest.raises(Invalid, match="says nothing about a company"):
        actions.create_account(actor=ada.actor, key="b", domains=["gmail.com"])


@pytest.mark.django_db
def test_a_trait_that_no_condition_could_name_is_refused(ada):
    for traits in ({"Two words": 1}, {"a__b": [1]}, {"x": {"y": 1}}):
        with pytest.raises(Invalid, match="trait"):
            actions.create_account(actor=ada.actor, key="k", traits=traits)


@pytest.mark.django_db
def test_revenue_is_read_where_the_lake_has_it(lake_folder, ada):
    assert lakes.revenue_of(["a"], TODAY) is None and lakes.revenue_as_of(["a"], TODAY) == {}
    months = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    rows = {
        "book": ["main"] * 3 + ["other"] * 3,
        "policy": ["stripe"] * 6,
        "month": months * 2,
        "customer": ["a"] * 6,
        "currency": ["EUR"] * 6,
        "end_cents": [10_000, 12_050, 13_000, 1, 1, 1],
    }
    lake().append("revenue.months", pa.table(rows).to_reader(), load_id="r")
    strip = lakes.revenue_of(["a"], TODAY)
    assert strip.unit == "EUR" and strip.values == (100.0, 120.5, 130.0)
    # On 18 March the month is not over: what stood at the end of February counts.
    assert lakes.revenue_as_of(["a", "it's"], TODAY) == {"a": (120.5, "EUR")}
    assert lakes.revenue_as_of(["a"], date(2026, 3, 31)) == {"a": (130.0, "EUR")}
    assert lakes.revenue_of(["b'; DROP"], TODAY) is None


@pytest.mark.django_db
def test_usage_is_counted_by_week_where_a_table_has_events(lake_folder, ada):
    assert lakes.usage_of(["a"], TODAY) is None
    monday = datetime(2026, 3, 16, 9)
    times = [monday, monday - timedelta(days=3), monday - timedelta(days=4), monday - timedelta(weeks=3)]
    rows = {"account_id": ["a"] * 4, "event": ["x"] * 4, "occurred_at": pa.array(times, pa.timestamp("us"))}
    lake().append("app.events", pa.table(rows).to_reader(), load_id="e")
    strip = lakes.usage_of(["a"], TODAY)
    assert strip.values[-4:] == (1.0, 0.0, 2.0, 1.0) and strip.partial and strip.latest == 2.0
    assert lakes.usage_of(["b"], TODAY) is None


@pytest.mark.django_db
def test_what_was_paid_under_a_merged_key_counts_for_what_it_became(lake_folder, ada):
    rows = {"month": [date(2026, 2, 1)] * 3, "customer": list("abc"), "end_cents": [100, 200, 400]}
    lake().append("revenue.months", pa.table(rows).to_reader(), load_id="r")
    a, b, c = (actions.create_account(actor=ada.actor, key=key) for key in "abc")
    actions.merge_accounts(actor=ada.actor, kept=b, merged=a)
    b.refresh_from_db()
    actions.merge_accounts(actor=ada.actor, kept=c, merged=b)
    keys = queries.keys_under([c])["c"]
    assert sorted(keys) == ["a", "b", "c"] and lakes.revenue_of(keys, TODAY).values == (7.0,)
