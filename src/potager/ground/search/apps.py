"""The search context."""

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class SearchConfig(Context):
    """Finding records."""

    name = "potager.ground.search"
    label = "search"
    title = "Search"
    permissions = (Permission("search.read", "Search", Role.VIEWER),)
