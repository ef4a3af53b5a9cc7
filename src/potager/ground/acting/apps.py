"""The acting context."""

from potager.ground.context import Context


class ActingConfig(Context):
    """The one way to write."""

    name = "potager.ground.acting"
    label = "acting"
    title = "Acting"
