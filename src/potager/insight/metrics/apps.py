"""The metrics context."""

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class MetricsConfig(Context):
    """Governed metrics and their hierarchy."""

    name = "potager.insight.metrics"
    label = "metrics"
    pillar = "insight"
    title = "Metrics"
    permissions = (
        Permission("metrics.read", "See metrics and their values", Role.VIEWER),
        Permission("metrics.edit", "Define metrics, targets and the tree", Role.CONTRIBUTOR),
        Permission("metrics.certify", "Certify a metric", Role.MAINTAINER),
    )
