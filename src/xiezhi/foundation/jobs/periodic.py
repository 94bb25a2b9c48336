"""What the ticker does over and over. Duties are idempotent and take the time as an argument, so tests advance the clock."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from xiezhi.foundation.jobs.models import PeriodicRun

log = logging.getLogger(__name__)
Duty = Callable[[datetime], object]
_duties: dict[str, tuple[timedelta, Duty]] = {}


def register(name: str, every: timedelta, duty: Duty) -> None:
    """Let the ticker call `duty(at)` every `every`. Registering a name again replaces it."""
    _duties[name] = (every, duty)


def run_due(*, at: datetime) -> list[str]:
    """Run every duty that is due at `at`; returns their names. One that fails is logged and tried at its next turn."""
    ran = []
    for name, (every, duty) in _duties.items():
        run, _created = PeriodicRun.objects.get_or_create(name=name)
        if run.last_run_at and run.last_run_at + every > at:
            continue
        if not PeriodicRun.objects.filter(name=name, last_run_at=run.last_run_at).update(last_run_at=at):
            continue  # another ticker was first
        try:
            duty(at)
            ran.append(name)
        except Exception:
            log.exception("periodic duty %s failed", name)
    return ran
