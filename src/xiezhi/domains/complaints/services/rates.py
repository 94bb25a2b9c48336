"""商户诉求率: what a merchant's complaints of the last thirty days tell the risk system, kept ready until it is there to ask."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from xiezhi.domains.complaints import rules
from xiezhi.domains.complaints.models import Handoff, Tally
from xiezhi.domains.complaints.words import CallbackOutcome, HandoffKind, Kind
from xiezhi.foundation.events.services import publish
from xiezhi.foundation.rules.queries import reading

DAYS = 30
MOST = 2_000


def subject_rates(at: datetime, *, least: int) -> list[dict[str, Any]]:
    """Merchants with at least that many complaints and reports in the last thirty days: how many, how many in the thirty days before, and what
    callbacks said. Most first. Counts only: no case, no person."""
    today = timezone.localdate(at)
    first, before = today - timedelta(days=DAYS - 1), today - timedelta(days=2 * DAYS - 1)
    now = Q(received_on__gte=first)
    rows = Tally.objects.filter(
        subject__isnull=False, received_on__range=(before, today), kind__in=[Kind.COMPLAINT, Kind.REPORT]
    )
    answered = now & Q(callback__in=[CallbackOutcome.RESOLVED, CallbackOutcome.PARTLY, CallbackOutcome.UNRESOLVED])
    counted = rows.order_by().values("subject").annotate(
        cases=Count("pk", filter=now), cases_before=Count("pk", filter=~now), answered=Count("pk", filter=answered),
        unresolved=Count("pk", filter=now & Q(callback=CallbackOutcome.UNRESOLVED)),
    )  # fmt: skip
    return [dict(row) for row in counted.filter(cases__gte=least).order_by("-cases", "subject")[:MOST]]


def tell_subject_rates(*, at: datetime) -> int:
    """The ticker's, daily: every merchant at or over the rule's number has its figures on a waiting risk signal (转办, one of a kind per case, hung
    on its newest case) and in the event `complaints.subject_rate`. What waits is refreshed, not doubled. Returns how many."""
    least = int(reading(rules.SUBJECT_RATE_CASES, on=timezone.localdate(at)).value)
    found = subject_rates(at, least=least)
    for start in range(0, len(found), 200):
        with transaction.atomic():
            _tell(found[start : start + 200], at=at)
    return len(found)


def _tell(rates: Sequence[dict[str, Any]], *, at: datetime) -> None:
    today = timezone.localdate(at)
    for rate in rates:
        subject = rate["subject"]
        facts = {"days": DAYS, "until": f"{today}", **{name: n for name, n in rate.items() if name != "subject"}}
        waiting = (
            Handoff.objects.filter(case__subject=subject, kind=HandoffKind.RISK, taken_at=None).order_by("-pk").first()
        )
        if waiting is None:
            newest = Tally.objects.filter(subject=subject, kind__in=[Kind.COMPLAINT, Kind.REPORT]).order_by(
                "-received_on", "-pk"
            )
            case_id = newest.values_list("pk", flat=True)[0]
            waiting, _new = Handoff.objects.get_or_create(
                case_id=case_id, kind=HandoffKind.RISK, defaults={"made_at": at, "told_at": at}
            )
        Handoff.objects.filter(pk=waiting.pk).update(facts=facts)
        publish("complaints.subject_rate", at=at, subject_id=subject, handoff_id=waiting.pk, **facts)
