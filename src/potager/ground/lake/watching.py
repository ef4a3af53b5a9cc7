"""Watching: queries that run too long are interrupted, by one thread for all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count


class Watch:
    """Interrupts what has not ended in time. The thread starts with the first query (a thread each costs too much)."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._changed = threading.Condition()
        self._due: dict[int, tuple[float, Callable[[], None]]] = {}
        self._numbers = count()
        self._started = False

    @contextmanager
    def over(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Call ``interrupt`` if the block takes longer than the timeout."""
        with self._changed:
            number = next(self._numbers)
            idle = not self._due
            self._due[number] = (time.monotonic() + self.timeout, interrupt)
            if not self._started:
                self._started = True
                threading.Thread(target=self._look, name="potager-query-watch", daemon=True).start()
            elif idle:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._due.pop(number, None)

    def _look(self) -> None:
        with self._changed:
            while True:
                # All wait equally long, so the first that came is the first due.
                first = next(iter(self._due.items()), None)
                if first is None:
                    self._changed.wait()
                    continue
                number, (due, interrupt) = first
                left = due - time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                else:
                    del self._due[number]
                    interrupt()
