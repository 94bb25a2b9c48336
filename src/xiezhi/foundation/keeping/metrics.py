"""Figures for Prometheus. Labels are names of routes and states, never addresses or people, so their number is bounded.

Counts of requests are kept in each web process; with several of them in files under PROMETHEUS_MULTIPROC_DIR, which `xiezhi serve` sets.
Everything else is read from the database when asked for, and so is the same from whichever process answers.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import DatabaseError
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from xiezhi import __version__
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.events.models import Delivery
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.keeping.health import signs_of_life

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

REQUESTS = Counter("xiezhi_requests", "Requests answered", ["route", "method", "status"])
TOOK = Histogram("xiezhi_request_seconds", "Time to an answer", ["route"], buckets=SECONDS)


def count_request(*, route: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request. `route`: the name of a route, or `-` when none fitted."""
    REQUESTS.labels(route, method if method in METHODS else "other", f"{status // 100}xx").inc()
    TOOK.labels(route).observe(seconds)


class FromDatabase(Collector):
    """Gauges of what waits. When the database does not answer there is one gauge, which says so."""

    def collect(self) -> Iterator[Any]:
        up = GaugeMetricFamily("xiezhi_database_up", "Whether the database answers")
        version = GaugeMetricFamily("xiezhi_info", "The running version", labels=["version"])
        version.add_metric([__version__], 1)
        yield version
        try:
            gauges = list(_gauges(timezone.now()))
        except DatabaseError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from gauges


def _gauges(at: datetime) -> Iterator[GaugeMetricFamily]:
    jobs = GaugeMetricFamily("xiezhi_jobs", "Background jobs by state", labels=["status"])
    counts = dict(Job.objects.values_list("status").annotate(Count("pk")))
    for status in Job.Status.values:
        jobs.add_metric([status], counts.get(status, 0))
    yield jobs
    oldest = Job.objects.filter(status=Job.Status.QUEUED).aggregate(first=Min("created_at"))["first"]
    yield _gauge("xiezhi_jobs_oldest_queued_seconds", "How long the oldest queued job has waited", _age(oldest, at))
    yield _gauge(
        "xiezhi_audit_unsealed", "Audit entries that no seal covers yet", Entry.objects.filter(seal=None).count()
    )
    pending = Delivery.objects.filter(delivered_at=None)
    yield _gauge("xiezhi_events_undelivered", "Events between rooms that wait for delivery", pending.count())
    pulse = GaugeMetricFamily("xiezhi_pulse_age_seconds", "Time since the last sign of life", labels=["process"])
    for name, seen_at in signs_of_life().items():
        if seen_at:
            pulse.add_metric([name], max(0.0, (at - seen_at).total_seconds()))
    yield pulse


def _gauge(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, value=value)


def _age(since: datetime | None, at: datetime) -> float:
    return max(0.0, (at - since).total_seconds()) if since else 0.0


def exposition() -> bytes:
    """All figures in Prometheus' text format."""
    gauges = CollectorRegistry()
    gauges.register(FromDatabase())
    requests = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        requests = CollectorRegistry()
        MultiProcessCollector(requests)  # type: ignore[no-untyped-call]
    return generate_latest(requests) + generate_latest(gauges)
