"""The customers context."""

from __future__ import annotations

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class CustomersConfig(Context):
    """People and accounts."""

    name = "potager.insight.customers"
    label = "customers"
    pillar = "insight"
    title = "Customers"
    permissions = (
        Permission("customers.read", "See customers", Role.VIEWER),
        Permission("customers.edit", "Write customers and segments", Role.CONTRIBUTOR),
        Permission("customers.merge", "Merge customers", Role.CONTRIBUTOR),
        Permission("customers.sync", "Bring customers from a table", Role.CONTRIBUTOR),
        Permission("customers.disclose", "Export everything known of a person", Role.MAINTAINER),
        Permission("customers.erase", "Erase a person", Role.MAINTAINER),
    )
