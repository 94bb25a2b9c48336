"""What a change of the inspection rules would alter: counts for the preview, and deadlines that it would open again."""

from collections.abc import Iterator
from dataclasses import replace

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.inspections import rules
from xiezhi.domains.inspections.models import Check, Participation, Visit
from xiezhi.domains.inspections.services.composition import OPEN_TO_ANSWERS, Clock
from xiezhi.domains.inspections.workflow import Answer, CheckStatus, VisitStatus
from xiezhi.foundation.rules.effects import Change, Effect

PLANNING = (
    rules.ANNUAL_CAP,
    rules.CASE_CHECKS_AND_CAP,
    rules.COOL_DOWN_MONTHS,
    rules.COOL_DOWN_EXCEPTIONS,
    rules.DO_NOT_DISTURB_EXCEPTIONS,
    rules.DRAWS_PER_ITEM,
    rules.SUPERIOR_ORDERED_COUNTS,
    rules.MAX_DEPARTMENTS,
    rules.MAX_ON_SITE_MINUTES,
    rules.TRAVEL_MINUTES,
    rules.URGENT_OPEN_DAYS,
)
"""Rules that a planning round reads."""


def next_round(change: Change) -> Iterator[Effect]:
    """Checks that wait are planned by the new value; visits that are there keep theirs."""
    waiting = Check.objects.filter(status=CheckStatus.WAITING).count()
    standing = Visit.objects.filter(status__in=[VisitStatus.OFFERED, VisitStatus.CONFIRMED]).count()
    yield Effect(
        _("%(count)s 项待统筹的检查，下一轮按新值安排。") % {"count": waiting}, "active", reverse("inspections:checks")
    )
    yield Effect(_("%(count)s 次已经发出或确认的联合检查不变。") % {"count": standing})


def answers(change: Change) -> Iterator[Effect]:
    """Questions already asked keep their deadline; suggestions not sent yet get the new one."""
    asked = Visit.objects.filter(status__in=OPEN_TO_ANSWERS, participations__answer=Answer.PENDING).distinct().count()
    unsent = Visit.objects.filter(status=VisitStatus.SUGGESTED).count()
    yield Effect(_("%(count)s 次已经征询的联合检查，答复期限不变。") % {"count": asked})
    yield Effect(_("%(count)s 次还没有发送的建议，发送时按新期限。") % {"count": unsent}, "active")


def escalation(change: Change) -> Iterator[Effect]:
    """The steps after a deadline are read as they are today: a longer wait un-does a step that was due already."""
    at = change.at
    if change.effective_from > timezone.localdate(at):
        return
    now = Clock.on(timezone.localdate(at))
    then = replace(now, escalation={step: int(cells["workdays"]) for step, cells in change.after.items()})
    silent = Participation.objects.filter(
        answer=Answer.PENDING, visit__status__in=OPEN_TO_ANSWERS, visit__answer_by__lte=at
    ).select_related("visit", "department")
    yield Effect(
        _("%(count)s 个部门逾期未答复，后续步骤按新值。") % {"count": silent.count()},
        "active",
        reverse("inspections:silent"),
    )
    again = []
    for part in silent.order_by("visit_id", "pk"):
        answer_by = part.visit.answer_by
        if answer_by is None:
            continue
        told = part.raised_at and now.raise_at(answer_by, part.visit.on) <= at < then.raise_at(answer_by, part.visit.on)
        if told or (part.escalated_at and now.escalate_at(answer_by) <= at < then.escalate_at(answer_by)):
            again.append(f"{part.visit.number} · {part.department.short_name}")
    if again:
        yield Effect(_("已经催办过的又变成未到催办时间。"), "urgent", reopens=tuple(again))
