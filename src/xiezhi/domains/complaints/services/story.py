from datetime import datetime

from xiezhi.domains.complaints.models import Case, CaseEvent, TallyMark
from xiezhi.foundation.access.actors import Actor


def tell(
    case: Case, kind: str, title: str, *, actor: Actor, at: datetime, text: str = "", public: bool = False
) -> CaseEvent:
    """Add one line to a case's history, in the caller's transaction. `public`: the person who brought it may read it.

    What is worth telling may change the figures: the case is marked to be counted anew (`services.tallies`).
    """
    TallyMark.objects.create(case=case)
    return CaseEvent.objects.create(
        case=case,
        at=at,
        kind=kind,
        title=title[:200],
        text=text,
        by_id=actor.user_id,
        organisation_id=actor.organisation_id,
        public=public,
    )
