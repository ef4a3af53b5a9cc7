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
        self._closed = False

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

    def close(self) -> None:
        """End the thread; nothing is interrupted any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _look(self) -> None:
        with self._changed:
            while not self._closed:
                self._changed.wait(self._interrupt_what_is_due())

    def _interrupt_what_is_due(self) -> float | None:
        """Interrupt what is over its time; return the seconds until the next is, None when nothing runs."""
        while self._due:
            # All wait equally long, so the first that came is the first due.
            number, (due, interrupt) = next(iter(self._due.items()))
            if (left := due - time.monotonic()) > 0:
                return left
            del self._due[number]
            interrupt()
        return None
