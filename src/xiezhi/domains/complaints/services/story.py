from collections.abc import Iterable
from datetime import datetime
from typing import Any

from xiezhi.domains.complaints.models import Case, CaseEvent, TallyMark
from xiezhi.foundation.access.actors import Actor


def tell(
    case: Case, kind: str, title: str, *, actor: Actor, at: datetime, text: str = "", public: bool = False
) -> CaseEvent:
    """Add one line to a case's history, in the caller's transaction. `public`: the person who brought it may read it.

    What is worth telling may change the figures: the case is marked to be counted anew (`services.tallies`).
    """
    TallyMark.objects.create(case=case)
    line = _line(case, kind, title, actor=actor, at=at, text=text, public=public)
    line.save()
    return line


def tell_each(lines: Iterable[tuple[Case, str, str]], *, actor: Actor, at: datetime, public: bool = False) -> None:
    """One line each (case, kind, title) for many cases, in two statements."""
    told = list(lines)
    TallyMark.objects.bulk_create(TallyMark(case=case) for case, _kind, _title in told)
    CaseEvent.objects.bulk_create(
        _line(case, kind, title, actor=actor, at=at, public=public) for case, kind, title in told
    )


def _line(case: Case, kind: str, title: str, *, actor: Actor, at: datetime, **more: Any) -> CaseEvent:
    return CaseEvent(
        case=case, at=at, kind=kind, title=title[:200], by_id=actor.user_id, organisation_id=actor.organisation_id,
        **more,
    )  # fmt: skip
