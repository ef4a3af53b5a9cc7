"""The web face."""

from potager.ground.context import Context


class WebConfig(Context):
    """Pages, templates and static files of the house."""

    name = "potager.faces.web"
    label = "web"
    title = "Web"
