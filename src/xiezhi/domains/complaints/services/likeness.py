"""查重键: kept with each case, so that the same matter is found again whenever it comes."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Case, CaseKey
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.queries.likeness import facts_of, text_of
from xiezhi.engines.text.nearness import stored_keys
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.jobs.handlers import JobContext, handles
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.jobs.services import enqueue

JOB_KIND = "complaints.keys"
BATCH = 500


def keep_keys(*cases: Case, new: bool = False) -> int:
    """Keep cases under the keys of their texts and of what is known of them, in the caller's transaction; returns how many keys."""
    if not new:
        CaseKey.objects.filter(case__in=cases).delete()
    rows = [CaseKey(key=key, case=case) for case in cases for key in stored_keys(text_of(case), facts_of(case))]
    CaseKey.objects.bulk_create(rows, batch_size=10_000)
    return len(rows)


def fill_batch(*, after: int, actor: Actor, at: datetime, limit: int = BATCH) -> int | None:
    """Keys for those of the next `limit` cases that have none; the last case's key, or None when there are no more."""
    with transaction.atomic():
        cases = list(Case.objects.filter(pk__gt=after).order_by("pk")[:limit])
        have = set(CaseKey.objects.filter(case__in=cases).values_list("case_id", flat=True).distinct())
        rows = [
            CaseKey(key=key, case=case)
            for case in cases
            if case.pk not in have
            for key in stored_keys(text_of(case), facts_of(case))
        ]
        CaseKey.objects.bulk_create(rows, batch_size=10_000, ignore_conflicts=True)
    return cases[-1].pk if cases else None


def fill_in_background(*, actor: Actor, at: datetime) -> Job:
    """Have keys made for cases that were brought in before there were any."""
    actor.require(May.TEACH)
    return enqueue(JOB_KIND, title=_("为已有诉求建立查重键"), actor=actor, at=at)


@handles(JOB_KIND)
def fill_job(context: JobContext) -> dict[str, Any]:
    """The worker's part; each batch is saved by itself, and again from the start changes nothing."""
    total, done, after = Case.objects.count(), 0, 0
    context.report(_("建立查重键"), done, total)
    while (last := fill_batch(after=after, actor=context.actor, at=timezone.now())) is not None:
        after, done = last, min(total, done + BATCH)
        context.report(_("建立查重键"), done, total)
    return {"cases": total}
