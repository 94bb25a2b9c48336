"""Signs of life of the processes behind the pages."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.utils import timezone

from xiezhi.foundation.keeping.models import Pulse

log = logging.getLogger(__name__)
BEAT_SECONDS = 15.0
FORGOTTEN_AFTER = timedelta(days=1)


def beat(*, name: str, started_at: datetime, at: datetime) -> None:
    """Say that the process called `name`, which began at `started_at`, is alive at `at`."""
    Pulse.objects.filter(beat_at__lt=at - FORGOTTEN_AFTER).delete()
    Pulse.objects.update_or_create(name=name, defaults={"started_at": started_at, "beat_at": at})


@contextmanager
def beating(name: str) -> Iterator[None]:
    """Beat from a thread of its own while the body runs. A database that is away is tried again at the next beat."""
    stop, started_at = threading.Event(), timezone.now()

    def go_on() -> None:
        while True:
            try:
                beat(name=name, started_at=started_at, at=timezone.now())
            except DatabaseError as error:
                log.warning("%s could not give a sign of life: %s", name, error)
            finally:
                connection.close()
            if stop.wait(BEAT_SECONDS):
                return

    thread = threading.Thread(target=go_on, name=f"pulse of {name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)
