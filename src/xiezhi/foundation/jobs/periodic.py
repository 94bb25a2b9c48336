"""What the ticker does over and over. Duties are idempotent and take the time as an argument, so tests advance the clock."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db import connections

from xiezhi.foundation.jobs.models import PeriodicRun

log = logging.getLogger(__name__)
Duty = Callable[[datetime], object]
_duties: dict[str, tuple[timedelta, Duty]] = {}
_slow: set[str] = set()


def register(name: str, every: timedelta, duty: Duty, *, slow: bool = False) -> None:
    """Let the ticker call `duty(at)` every `every`. Registering a name again replaces it.

    A `slow` duty waits for others (a network): the ticker gives it a thread of its own, so that it holds up no other duty.
    """
    _duties[name] = (every, duty)
    (_slow.add if slow else _slow.discard)(name)


class Aside:
    """Threads for slow duties, one of each name at a time."""

    def __init__(self) -> None:
        self._threads: dict[str, threading.Thread] = {}

    def busy(self, name: str) -> bool:
        """Whether the last one is still at it."""
        return name in self._threads and self._threads[name].is_alive()

    def start(self, name: str, work: Callable[[], object]) -> None:
        """Do `work` in a thread, on a database connection of its own."""

        def run() -> None:
            try:
                work()
            finally:
                connections.close_all()

        self._threads[name] = threading.Thread(target=run, name=name)
        self._threads[name].start()


def run_due(*, at: datetime, aside: Aside | None = None) -> list[str]:
    """Run every duty that is due at `at`; returns the names of those done, or begun `aside`. One that fails is logged and tried at its
    next turn. Without `aside` slow duties are done here too."""
    ran = []
    for name, (every, duty) in _duties.items():
        if aside and name in _slow and aside.busy(name):
            continue
        run, _created = PeriodicRun.objects.get_or_create(name=name)
        if run.last_run_at and run.last_run_at + every > at:
            continue
        if not PeriodicRun.objects.filter(name=name, last_run_at=run.last_run_at).update(last_run_at=at):
            continue  # another ticker was first
        if aside and name in _slow:
            aside.start(name, partial(_do, name, duty, at))
            ran.append(name)
        elif _do(name, duty, at):
            ran.append(name)
    return ran


def _do(name: str, duty: Duty, at: datetime) -> bool:
    try:
        duty(at)
    except Exception:
        log.exception("periodic duty %s failed", name)
        return False
    return True
