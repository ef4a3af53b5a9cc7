"""The serving context."""

from potager.ground.context import Context


class ServingConfig(Context):
    """Requests and answers."""

    name = "potager.ground.serving"
    label = "serving"
    title = "Serving"
