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
