"""回访: which result counts, who waits for a call, and what may be shown to whom."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from xiezhi.domains.complaints import rules
from xiezhi.domains.complaints.models import Callback, Case, ComplaintParty, Stage, Tally
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.words import ANSWERED, CallbackOutcome, CallbackSource, CaseStatus
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.rules.queries import reading


def standing(callbacks: Iterable[Callback]) -> list[Callback]:
    """Those that no later entry corrected, in the order in which they happened (not in which they were written down)."""
    found = list(callbacks)
    corrected = {each.corrects_id for each in found}
    return sorted((each for each in found if each.pk not in corrected), key=lambda each: (each.at, each.pk))


def effective(callbacks: Iterable[Callback]) -> Callback | None:
    """The one that counts: the newest official answer, else the newest answer given to us, else the newest attempt; None without any.

    "Newest" is by when the person was asked: a result that is written down late does not outdo a later talk.
    """
    found = standing(callbacks)
    answers = [each for each in found if each.outcome in ANSWERED]
    official = [each for each in answers if each.source == CallbackSource.OFFICIAL]
    return next(iter([*official[-1:], *answers[-1:], *found[-1:]]), None)


def callable_parties(case: Case) -> QuerySet[ComplaintParty]:
    """The people of a case who left a number and agreed to be called."""
    return case.parties.filter(may_call_back=True).exclude(phone_digest="").order_by("pk")


def queue(actor: Actor, at: datetime) -> QuerySet[Tally]:
    """Cases that wait for a callback at `at`, the longest waiting first; not those that the caller handled. Index `tallies_to_call`."""
    if not actor.can(May.CALL_BACK):
        return Tally.objects.none()
    waiting = Tally.objects.filter(call_due_at__lte=at, case__in=Case.objects.visible_to(actor))
    handled = Case.objects.filter(pk__in=waiting.values("pk"), officer_id=actor.user_id)
    own = Case.objects.filter(replies__by_id=actor.user_id, status=CaseStatus.REPLIED)
    waiting = waiting.exclude(pk__in=handled.values("pk")).exclude(pk__in=own.values("pk"))
    return waiting.select_related("case", "case__subject", "unit").order_by("call_due_at", "pk")


def satisfaction_hidden(case: Case, actor: Actor) -> bool:
    """Whether how satisfied the person was is kept from this officer until the case is closed."""
    if case.officer_id != actor.user_id or case.status == CaseStatus.CLOSED:
        return False
    return bool(reading(rules.HIDE_SATISFACTION, on=timezone.localdate()).value)


def callbacks_shown(case: Case) -> list[Callback]:
    """The callbacks of a case as its page tells them, newest first; `counts` marks the one that decides, `replaced` those corrected."""
    found = list(case.callbacks.select_related("by"))
    counting = effective(found)
    kept = {each.pk for each in standing(found)}
    for each in found:
        each.__dict__ |= {"counts": each == counting, "replaced": each.pk not in kept}
    return sorted(found, key=lambda each: (each.at, each.pk), reverse=True)


def unresolved(actor: Actor) -> QuerySet[Tally]:
    """Answered cases whose person said 未解决 and for which nobody has decided what comes next."""
    waiting = Tally.objects.filter(stage=Stage.REPLIED, callback=CallbackOutcome.UNRESOLVED, call_due_at=None)
    waiting = waiting.filter(case__in=Case.objects.visible_to(actor)).exclude(case__reopenings__isnull=False)
    return waiting.select_related("case", "case__subject", "unit").order_by("-received_on", "pk")
