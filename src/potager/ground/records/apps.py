"""The records context."""

from potager.ground.context import Context


class RecordsConfig(Context):
    """What every record has."""

    name = "potager.ground.records"
    label = "records"
    title = "Records"
