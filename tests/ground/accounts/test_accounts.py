"""Coming in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from potager.ground.access.actors import NOBODY, actor_of_token
from potager.ground.access.models import ApiToken, User
from potager.ground.access.roles import Role
from potager.ground.accounts import actions
from potager.kit import clock
from potager.kit.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.people import PASSWORD

pytestmark = pytest.mark.django_db


def test_the_first_run_makes_the_owner_and_only_once():
    owner = actions.set_up(email="ada@example.org", name="Ada", password=PASSWORD)
    assert owner.role == Role.OWNER
    with pytest.raises(Conflict, match="owner already"):
        actions.set_up(email="eve@example.org", name="Eve", password=PASSWORD)


@pytest.mark.parametrize(
    ("given", "where"),
    [({"email": "nonsense"}, "email"), ({"password": "short"}, "password"), ({"name": "  "}, "name")],
)
def test_a_wrong_set_up_says_where(given, where):
    with pytest.raises(Invalid) as refused:
        actions.set_up(**{"email": "ada@example.org", "name": "Ada", "password": PASSWORD, **given})
    assert refused.value.errors[0].where == where


def test_an_invitation_makes_one_person_once(ada, team):
    invitation, secret = actions.invite(
        actor=ada.actor, email="di@example.org", role=Role.CONTRIBUTOR, team=team
    )
    assert secret not in invitation.digest
    di = actions.accept_invitation(secret=secret, name="Di", password=PASSWORD)
    assert (di.role, list(di.teams.all())) == (Role.CONTRIBUTOR, [team])
    with pytest.raises(NotFound):
        actions.accept_invitation(secret=secret, name="Di again", password=PASSWORD)


def test_an_invitation_expires_and_can_be_taken_back(ada):
    invitation, secret = actions.invite(actor=ada.actor, email="di@example.org")
    with clock.held(clock.now() + timedelta(days=8)), pytest.raises(NotFound, match="expired"):
        actions.open_invitation(secret)
    actions.revoke_invitation(actor=ada.actor, invitation=invitation)
    with pytest.raises(NotFound):
        actions.open_invitation(secret)


def test_a_second_invitation_replaces_the_first(ada):
    _, first = actions.invite(actor=ada.actor, email="di@example.org")
    _, second = actions.invite(actor=ada.actor, email="DI@example.org")
    with pytest.raises(NotFound):
        actions.open_invitation(first)
    assert actions.open_invitation(second)


def test_nobody_invites_to_a_higher_role_than_their_own(ada, bo):
    with pytest.raises(NotAllowed):
        actions.invite(actor=bo.actor, email="di@example.org")
    actions.change_role(actor=ada.actor, person=bo.user, role=Role.MAINTAINER)
    with pytest.raises(NotAllowed, match="higher role"):
        actions.invite(actor=bo.actor, email="di@example.org", role=Role.OWNER)


def test_somebody_always_owns_the_installation(ada, bo):
    for lose in (
        lambda: actions.change_role(actor=ada.actor, person=ada.user, role=Role.VIEWER),
        lambda: actions.close_account(actor=ada.actor, person=ada.user),
    ):
        with pytest.raises(Conflict, match="Somebody has to own"):
            lose()
    actions.change_role(actor=ada.actor, person=bo.user, role=Role.OWNER)
    assert actions.change_role(actor=ada.actor, person=ada.user, role=Role.VIEWER).role == Role.VIEWER


def test_a_closed_account_opens_nothing_and_can_be_opened_again(ada, bo):
    actions.close_account(actor=ada.actor, person=bo.user)
    assert actor_of_token(bo.secret) is NOBODY
    assert actions.open_account(actor=ada.actor, person=bo.user).is_active


def test_a_token_is_kept_as_a_digest_and_expires(bo):
    token, secret = actions.make_token(actor=bo.actor, name="script", scopes=["read"], days=1)
    assert secret not in str(ApiToken.objects.filter(pk=token.pk).values())
    assert actor_of_token(secret).user_id == bo.user.pk
    with clock.held(clock.now() + timedelta(days=2)):
        assert actor_of_token(secret) is NOBODY
    actions.revoke_token(actor=bo.actor, token=token)
    assert actor_of_token(secret) is NOBODY


def test_a_token_cannot_make_one_that_may_do_more(bo):
    _, secret = actions.make_token(actor=bo.actor, name="x", scopes=["read", "accounts.profile"])
    weak = actor_of_token(secret)
    with pytest.raises(NotAllowed, match="may do more"):
        actions.make_token(actor=weak, name="y", scopes=["write"])


@pytest.mark.parametrize(
    "given", [{"scopes": []}, {"scopes": ["all"]}, {"days": 0}, {"days": 4000}, {"name": " "}]
)
def test_a_wrong_token_request_gets_a_sentence(bo, given):
    with pytest.raises(Invalid):
        actions.make_token(actor=bo.actor, **{"name": "x", "scopes": ["read"], "days": 9, **given})


def test_only_ones_own_tokens_can_be_revoked(bo, vi, ada):
    token = ApiToken.objects.get(user=bo.user)
    with pytest.raises(NotFound):
        actions.revoke_token(actor=vi.actor, token=token)
    assert actions.revoke_token(actor=ada.actor, token=token).revoked_at


def test_teams_have_names_of_their_own(ada, bo, team):
    with pytest.raises(Invalid, match="already"):
        actions.keep_team(actor=ada.actor, name="HARBOR team")
    made = actions.keep_team(actor=ada.actor, name="Growth", members=[bo.user.pk])
    assert bo.user in made.members.all()
    assert actions.keep_team(actor=ada.actor, name="Growth", members=[], team=made).members.count() == 0


def test_a_profile_needs_a_real_time_zone(bo):
    with pytest.raises(Invalid, match="time zone"):
        actions.change_profile(actor=bo.actor, name="Bo", time_zone="Mars/Olympus")
    assert (
        actions.change_profile(actor=bo.actor, name="Bo B", time_zone="Europe/Berlin").time_zone
        == "Europe/Berlin"
    )


def test_people_over_http(ada, bo, team):
    assert ada.call("get", "/me").json()["role"] == 40
    people = ada.call("get", "/people").json()
    assert {person["name"] for person in people["items"]} == {"Ada", "Bo"}
    path = f"/people/{bo.user.pk}"
    assert ada.call("put", path + "/role", {"role": 30}).json()["role"] == 30
    assert ada.call("post", path + "/close").json()["is_active"] is False
    assert ada.call("post", path + "/open").json()["is_active"] is True
    made = ada.call("post", "/invitations", {"email": "di@example.org", "team_id": str(team.pk)}).json()
    assert made["secret"].startswith("pot_")
    assert ada.call("get", "/invitations").json()["items"][0]["secret"] == ""
    assert ada.call("delete", f"/invitations/{made['id']}").status_code == 200
    team_made = ada.call("post", "/teams", {"name": "Growth", "members": [str(bo.user.pk)]}).json()
    assert ada.call("put", f"/teams/{team_made['id']}", {"name": "Growth!"}).json()["members"] == []
    assert ada.call("get", "/teams").json()["total"] == 2
    token = ada.call("post", "/tokens", {"name": "t", "scopes": ["read"]}).json()
    assert token["secret"] and ada.call("get", "/tokens").json()["total"] == 2
    assert ada.call("delete", f"/tokens/{token['id']}").status_code == 200


def test_sign_in_is_rate_limited(bo, client, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    statuses = [
        client.post("/account/login/", {"login": bo.user.email, "password": f"wrong {n}"}) for n in range(7)
    ]
    assert "Too many" in statuses[-1].content.decode() or statuses[-1].status_code == 429
    assert User.objects.get(pk=bo.user.pk).is_active
