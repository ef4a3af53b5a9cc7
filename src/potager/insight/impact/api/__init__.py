"""The bet ledger over HTTP: bets and observations, what was shipped, and what it all returned."""

from ninja import Router

from potager.insight.impact.api import bets, returns, shipped

router = Router(tags=["impact"])
for part in (bets, shipped, returns):
    router.add_router("", part.router)
