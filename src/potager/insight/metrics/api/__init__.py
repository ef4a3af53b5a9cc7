"""Metrics over HTTP: values and targets, definition documents, the tree and what moved it."""

from ninja import Router

from potager.insight.metrics.api import definitions, metrics, tree

router = Router(tags=["metrics"])
for part in (tree, metrics, definitions):
    router.add_router("", part.router)
