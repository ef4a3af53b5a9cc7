"""What the worker does every so often, once per period however many workers there are."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, connection, transaction

from potager.ground.events.bus import sweep
from potager.ground.jobs.models import Tick
from potager.ground.jobs.work import take_up_stale
from potager.kit.clock import now

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Every:
    """A short function and how often it is called."""

    name: str
    period: timedelta
    function: Callable[[], object]


_schedule: dict[str, Every] = {}


def every(period: timedelta, name: str) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Register a short function to be called once per period; long work is enqueued from it as a job."""

    def register(function: Callable[[], object]) -> Callable[[], object]:
        _schedule[name] = Every(name, period, function)
        return function

    return register


every(timedelta(seconds=20), "events.sweep")(sweep)
every(timedelta(seconds=30), "jobs.take_up_stale")(take_up_stale)


def _claimed(item: Every) -> bool:
    """Return whether it is due and nobody else took it."""
    moment = now()
    if Tick.objects.filter(name=item.name, at__lte=moment - item.period).update(at=moment):
        return True
    if Tick.objects.filter(name=item.name).exists():
        return False
    try:
        with transaction.atomic():
            Tick.objects.create(name=item.name, at=moment)
    except IntegrityError:
        return False
    return True


def tick() -> list[str]:
    """Do everything that is due; return the names of what was done."""
    Tick.objects.update_or_create(name="worker", defaults={"at": now()})
    due = [item for item in _schedule.values() if _claimed(item)]
    for item in due:
        try:
            item.function()
            Tick.objects.filter(name=item.name).update(problem="")
        except Exception as error:  # one broken item must not stop the others
            log.exception("%s failed", item.name)
            Tick.objects.filter(name=item.name).update(problem=f"{type(error).__name__}: {error}"[:300])
    return [item.name for item in due]


class Ticker(threading.Thread):
    """Ticks beside the worker until told to stop."""

    def __init__(self, seconds: float = 5) -> None:
        super().__init__(name="ticker", daemon=True)
        self.seconds = seconds
        self.ended = threading.Event()

    def run(self) -> None:
        """Tick until the end."""
        while not self.ended.wait(self.seconds):
            try:
                tick()
            except Exception:  # the database may be away for a while; the next tick tries again
                log.exception("The schedule could not be kept")
            finally:
                connection.close()
