"""Customers over HTTP: accounts, people, segments, merges and syncs."""

from ninja import Router

from potager.insight.customers.api import accounts, people, segments, syncs

router = Router(tags=["customers"])
for part in (accounts, people, segments, syncs):
    router.add_router("", part.router)
