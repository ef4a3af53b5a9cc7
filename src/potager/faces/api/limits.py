"""How many requests a minute one person, or one of their tokens, may send; commands in this process are not counted."""

from __future__ import annotations

import hashlib
import time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from ninja.throttling import BaseThrottle

from potager.faces.api.calling import LOCAL_ACTOR
from potager.ground.access.actors import Actor

MINUTE = 60


class RateLimit(BaseThrottle):
    """Counts requests in whole minutes of the clock, for all processes on the machine together."""

    def allow_request(self, request: HttpRequest) -> bool:
        """Count the request; return whether it may be answered."""
        actor = getattr(request, "auth", None)
        own = LOCAL_ACTOR in request.META and isinstance(actor, Actor) and actor.via == "cli"
        if own or not isinstance(actor, Actor):
            return True
        minute = int(time.time() // MINUTE)
        # A token's name is in the actor's name, so each token has a count of its own.
        name = hashlib.sha256(actor.name.encode()).hexdigest()[:16]
        key = f"api-rate-{actor.user_id}-{name}-{minute}"
        if cache.add(key, 1, timeout=2 * MINUTE):
            return True
        try:
            return cache.incr(key) <= settings.POTAGER_API_RATE
        except ValueError:  # it went out of the cache between the two calls
            return True

    def wait(self) -> float:
        """Return the seconds until the next minute begins."""
        return MINUTE - time.time() % MINUTE
