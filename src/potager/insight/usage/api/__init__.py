"""Usage over HTTP: streams, files of events, readings with who is behind their cells, analyses, and what follows."""

from ninja import Router

from potager.insight.usage.api import analyses, files, readings, streams

router = Router(tags=["usage"])
for part in (streams, files, analyses, readings):
    router.add_router("", part.router)
