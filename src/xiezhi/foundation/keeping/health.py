"""Whether this installation can serve: what `/readyz`, the figures and `xiezhi doctor` all ask."""

from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.models import Max

from xiezhi.foundation.jobs.models import PeriodicRun
from xiezhi.foundation.keeping.models import Pulse
from xiezhi.foundation.keeping.proofs import unapplied_migrations

SILENT_AFTER = timedelta(minutes=2)
WORKER, TICKER = "worker", "ticker"
_migrated = False


def signs_of_life() -> dict[str, datetime | None]:
    """When the ticker did its last duty and a worker last beat; None when never."""
    return {
        TICKER: PeriodicRun.objects.aggregate(last=Max("last_run_at"))["last"],
        WORKER: Pulse.objects.filter(name__startswith=WORKER).aggregate(last=Max("beat_at"))["last"],
    }


def reasons_not_ready(*, at: datetime) -> list[str]:
    """Why requests should not come here now, as short words for a machine; empty when they may.

    `database`, `migrations`, `ticker`, `worker`: what does not answer, is not applied, or has been silent for two minutes.
    """
    try:
        if not _is_migrated():
            return ["migrations"]
        return [name for name, seen_at in signs_of_life().items() if seen_at is None or seen_at < at - SILENT_AFTER]
    except DatabaseError:
        return ["database"]


def _is_migrated() -> bool:
    """Asked until it is true: this process's code does not change, and a database is not migrated back under it."""
    global _migrated
    connection.ensure_connection()
    _migrated = _migrated or not unapplied_migrations()
    return _migrated
