"""People, settings and the door, in the browser."""

from __future__ import annotations

import pytest
from django.urls import reverse

from potager.ground.access.models import ApiToken, Team, User
from potager.ground.access.roles import Role, permission
from potager.ground.accounts import actions, queries
from potager.ground.accounts.adapter import AccountAdapter, SocialAccountAdapter
from potager.ground.accounts.models import Invitation
from potager.ground.accounts.pages import door_of
from potager.ground.acting.action import ACTIONS
from potager.kit.errors import Invalid, NotAllowed
from tests.people import PASSWORD

pytestmark = pytest.mark.django_db


def test_a_password_that_is_too_weak_is_said_at_the_set_up(client):
    answer = client.post("/setup", {"email": "ada@example.org", "name": "Ada", "password": "1234567890"})
    assert answer.status_code == 422 and "longer phrase" in answer.content.decode()
    assert not User.objects.exists()


def test_a_weak_password_is_said_to_whoever_was_invited(ada, client):
    _, secret = actions.invite(actor=ada.actor, email="di@example.org")
    page = reverse("welcome", args=[secret])
    assert "di@example.org" in client.get(page).content.decode()
    assert client.post(page, {"name": "Di", "password": "1234567890"}).status_code == 422
    assert not User.objects.filter(email="di@example.org").exists()
    assert client.post(page, {"name": "Di", "password": PASSWORD})["Location"] == "/"
    assert client.get("/").status_code == 200


def test_the_door_opens_for_ten_minutes_and_only_inwards(ada, client):
    door = door_of(ada.user)
    assert client.get(f"{door}?next=https://evil.example")["Location"] == "/"
    assert client.get(f"{door}?next=/goals/")["Location"] == "/goals/"
    assert client.get(f"{door}x").status_code == 404
    User.objects.update(is_active=False)
    assert client.get(door).status_code == 404


def test_an_owner_invites_changes_and_closes_on_the_page(ada, bo):
    browser = ada.browser
    answer = browser.post("/people/", {"email": "di@example.org", "role": Role.VIEWER.value})
    assert "/welcome/" in answer.content.decode()
    twice = browser.post("/people/", {"email": bo.user.email, "role": Role.VIEWER.value})
    assert twice.status_code == 422 and "has an account already" in twice.content.decode()
    invitation = Invitation.objects.get(email="di@example.org")
    assert "di@example.org" in str(invitation)
    browser.get(f"/people/invitations/{invitation.pk}")
    assert queries.invitations(ada.actor).exists()
    browser.post(f"/people/invitations/{invitation.pk}")
    assert not queries.invitations(ada.actor).exists()
    page = f"/people/{bo.user.pk}"
    browser.get(page)
    for sent, field, value in (
        ({"role": Role.MAINTAINER.value}, "role", Role.MAINTAINER),
        ({"close": "1"}, "is_active", False),
        ({"open": "1"}, "is_active", True),
    ):
        browser.post(page, sent)
        assert getattr(User.objects.get(pk=bo.user.pk), field) == value


def test_a_viewer_sees_people_and_changes_nobody(vi, bo):
    assert "Bo" in vi.browser.get("/people/").content.decode()
    assert vi.browser.post(f"/people/{bo.user.pk}", {"close": "1"}).status_code == 403
    assert User.objects.get(pk=bo.user.pk).is_active


def test_ones_settings_and_tokens(bo):
    browser = bo.browser
    browser.post("/settings/", {"name": "Bo B", "time_zone": "Europe/Berlin"})
    assert User.objects.get(pk=bo.user.pk).time_zone == "Europe/Berlin"
    made = browser.post("/settings/", {"name": "script", "scope": "read", "days": 3}).content.decode()
    token = ApiToken.objects.get(name="script")
    assert "pot_" in made and "script" in str(token)
    blank = browser.post("/settings/", {"name": " ", "scope": "read", "days": 3})
    assert blank.status_code == 422
    browser.get(f"/settings/tokens/{token.pk}")
    assert ApiToken.objects.get(pk=token.pk).revoked_at is None
    browser.post(f"/settings/tokens/{token.pk}")
    assert ApiToken.objects.get(pk=token.pk).revoked_at
    assert browser.get("/settings/").status_code == 200


def test_what_an_owner_of_a_token_may_not_name_is_refused_on_the_page(bo):
    answer = bo.browser.post("/settings/", {"name": "x", "scope": "everything", "days": 3})
    assert answer.status_code == 422 and not ApiToken.objects.filter(name="x").exists()


def test_a_set_up_with_an_address_that_has_an_account_is_refused(ada, bo):
    _, secret = actions.invite(actor=ada.actor, email="di@example.org")
    User.objects.create_user("DI@example.org", PASSWORD, name="Di", role=Role.VIEWER)
    with pytest.raises(Invalid, match="has an account already"):
        actions.accept_invitation(secret=secret, name="Di", password=PASSWORD)


def test_an_invitation_needs_an_address(ada):
    with pytest.raises(Invalid, match="not an e-mail address"):
        actions.invite(actor=ada.actor, email="nowhere")


def test_a_team_needs_a_name(ada):
    with pytest.raises(Invalid, match="no name"):
        actions.keep_team(actor=ada.actor, name="  ")
    assert not Team.objects.exists()


def test_the_notice_of_a_demonstration_is_on_every_page(ada):
    assert queries.demo_notice() == ""
    made = actions.describe_installation(
        actor=ada.actor, organization="Harbor", notice="Nothing here is real."
    )
    assert str(made) and queries.demo_notice() == "Nothing here is real."
    assert "Nothing here is real." in ada.browser.get("/goals/").content.decode()


def test_machines_have_no_profile_and_no_tokens():
    from potager.ground.access.actors import machine

    robot = machine("Potager")
    assert not queries.tokens(robot).exists()
    with pytest.raises(NotAllowed, match="by people for themselves"):
        actions.change_profile(actor=robot, name="R", time_zone="UTC")


class Provided:
    """What an identity provider says of somebody."""

    def __init__(self) -> None:
        self.user = User()
        self.is_existing = False


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"email": "di@example.org", "name": "Di Dot"}, "Di Dot"),
        ({"email": "di@example.org", "first_name": "Di", "last_name": None}, "Di"),
    ],
)
def test_single_sign_on_makes_viewers_named_as_the_provider_says(rf, said, name):
    adapter, login = SocialAccountAdapter(), Provided()
    assert adapter.is_open_for_signup(rf.get("/"), login) and not AccountAdapter().is_open_for_signup(None)
    person = adapter.populate_user(rf.get("/"), login, said)
    assert (person.name, person.role) == (name, Role.VIEWER)


def test_an_unknown_permission_is_a_mistake_of_the_program():
    with pytest.raises(LookupError, match=r"garden\.weed"):
        permission("garden.weed")


def test_every_action_asks_for_a_permission_that_exists_and_says_what_it_does():
    assert len(ACTIONS) > 20
    for action in ACTIONS.values():
        assert permission(action.permission).title and (action.help or action.name.split(".")[-1][0] == "_")
