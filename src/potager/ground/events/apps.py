"""The events context."""

from potager.ground.context import Context


class EventsConfig(Context):
    """Announcing and hearing facts."""

    name = "potager.ground.events"
    label = "events"
    title = "Events"
