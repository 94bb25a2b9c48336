from collections.abc import Iterable
from datetime import datetime

from xiezhi.domains.registry.models import Premises, Subject, TimelineEntry


def add_to_timeline(
    *,
    subject: Subject,
    kind: str,
    title: str,
    at: datetime,
    premises: Premises | None = None,
    object_kind: str = "",
    object_id: str = "",
) -> TimelineEntry:
    """Add one line to a subject's timeline, in the caller's transaction. Every domain tells its part here."""
    return TimelineEntry.objects.create(
        subject=subject,
        premises=premises,
        at=at,
        kind=kind,
        title=title[:200],
        object_kind=object_kind,
        object_id=object_id,
    )


def add_many_to_timeline(entries: Iterable[TimelineEntry]) -> None:
    """`add_to_timeline` for many unsaved entries, in a few statements."""
    TimelineEntry.objects.bulk_create(entries, batch_size=2_000)
