"""Which function does which kind of job, and what it is given."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from xiezhi.foundation.access.actors import SYSTEM, Actor
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.services import actor_for
from xiezhi.foundation.jobs.models import Job

LEASE = timedelta(seconds=60)
HEARTBEAT_SECONDS = 10.0
REPORT_EVERY = timedelta(milliseconds=400)


class Cancelled(Exception):
    """The person asked for the job to stop."""


class LeaseLost(Exception):
    """Another worker took the job over; this one must save nothing more."""


Handler = Callable[["JobContext"], dict[str, Any] | None]
_handlers: dict[str, Handler] = {}
_only_once: set[str] = set()


def handles(kind: str, *, repeatable: bool = True) -> Callable[[Handler], Handler]:
    """Register a function as the one that does jobs of `kind`.

    `repeatable` says that it is safe to run again from the start, because it saves its outcome in one fenced transaction or leaves no
    trace before: a dead worker's job is then taken over, and people may try it again. A job that is not fails instead, and stays failed.
    """

    def decorate(handler: Handler) -> Handler:
        _handlers[kind] = handler
        (_only_once.discard if repeatable else _only_once.add)(kind)
        return handler

    return decorate


def repeatable(kind: str) -> bool:
    """Whether a job of `kind` may be run again from the start; not when nothing does such jobs any more."""
    return kind in _handlers and kind not in _only_once


def handler_for(kind: str) -> Handler:
    """The function for `kind`; KeyError when no app registered one."""
    return _handlers[kind]


class JobContext:
    """What a handler works with: payload, actor, progress and the fence."""

    def __init__(self, job: Job) -> None:
        self.job, self.payload, self.attempt = job, dict(job.payload), job.attempts
        self._last_report = timezone.now() - REPORT_EVERY
        self._stop = threading.Event()

    @property
    def actor(self) -> Actor:
        """The person who started the job, in the post they acted in; SYSTEM for jobs of nobody's."""
        if self.job.membership_id is None:
            return SYSTEM
        membership = Membership.objects.select_related("organisation").get(pk=self.job.membership_id)
        return actor_for(membership)

    def report(self, phase: str, done: int, total: int) -> None:
        """Tell how far the work is (written at most every 0.4 s). Raises Cancelled or LeaseLost."""
        now = timezone.now()
        if now - self._last_report < REPORT_EVERY and done < total:
            return
        self._last_report = now
        mine = Job.objects.filter(pk=self.job.pk, status=Job.Status.RUNNING, attempts=self.attempt)
        if not mine.update(phase=phase, done=done, total=total, lease_until=now + LEASE):
            raise LeaseLost
        if mine.exclude(cancel_requested_at=None).exists():
            raise Cancelled

    def fence(self) -> None:
        """Inside the transaction that saves the outcome: lock the job's row and raise LeaseLost or Cancelled if it is no longer ours."""
        if not transaction.get_connection().in_atomic_block:
            raise RuntimeError("fence() outside a transaction")
        job = Job.objects.select_for_update().get(pk=self.job.pk)
        if job.status != Job.Status.RUNNING or job.attempts != self.attempt:
            raise LeaseLost
        if job.cancel_requested_at:
            raise Cancelled

    def beat(self) -> None:
        """Keep the lease alive from a thread until `stop_beating`. On SQLite a long write of our own may lock us out: try again."""
        while not self._stop.wait(HEARTBEAT_SECONDS):
            try:
                Job.objects.filter(pk=self.job.pk, status=Job.Status.RUNNING, attempts=self.attempt).update(
                    lease_until=timezone.now() + LEASE
                )
            except OperationalError:
                continue
        connection.close()

    def stop_beating(self) -> None:
        """End the heartbeat thread."""
        self._stop.set()
