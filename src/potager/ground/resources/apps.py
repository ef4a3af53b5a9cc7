"""The resources context."""

from potager.ground.context import Context


class ResourcesConfig(Context):
    """Plain nouns, described."""

    name = "potager.ground.resources"
    label = "resources"
    title = "Resources"
