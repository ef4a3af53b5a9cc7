"""The accounts context."""

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class AccountsConfig(Context):
    """Coming in."""

    name = "potager.ground.accounts"
    label = "accounts"
    title = "People"
    permissions = (
        Permission("accounts.invite", "Invite people", Role.MAINTAINER),
        Permission("accounts.manage", "Change roles and remove people", Role.OWNER),
        Permission("accounts.teams", "Make and change teams", Role.MAINTAINER),
        Permission("accounts.profile", "Change one's own profile and tokens", Role.VIEWER),
    )
