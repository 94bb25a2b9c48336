"""What plans, checks and visits ask of a person on their desk."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Min
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import Check, Plan, Round, Visit
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.queries.visits import answers_due, missed_visits, overdue_answers
from xiezhi.domains.inspections.workflow import CheckStatus, PlanStatus, RoundStatus, VisitStatus
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.ui.attention import Attention


def plans_and_checks(actor: Actor, at: datetime) -> Iterator[Attention]:
    """Drafts to file, and checks to settle off-site or to send on site. Only for departments."""
    if actor.department_id is None or not actor.can(May.VIEW):
        return
    if actor.can(May.SUBMIT_PLAN):
        drafts = Plan.objects.visible_to(actor).filter(status=PlanStatus.DRAFT).count()
        if drafts:
            url = f"{reverse('inspections:plans')}?status={PlanStatus.DRAFT}"
            yield Attention(_("检查计划草稿等待核对和报送"), url, "active", drafts, _("份"), icon="clipboard-list")
    if actor.can(May.SUBMIT_PLAN) or actor.can(May.RECORD):
        asked = Check.objects.visible_to(actor).filter(status=CheckStatus.OFF_SITE_FIRST).count()
        if asked:
            url = f"{reverse('inspections:checks')}?status={CheckStatus.OFF_SITE_FIRST}"
            text = _("任务可以非现场办理，请办结或写明到现场的理由")
            yield Attention(text, url, "caution", asked, _("项"), icon="device-floppy")


def visits_and_answers(actor: Actor, at: datetime) -> Iterator[Attention]:
    """Answers that are due, visits of the day, silence to deal with, visits that nobody wrote up."""
    today = timezone.localdate(at)
    if actor.can(May.CONFIRM):
        due = answers_due(actor).aggregate(n=Count("pk"), soonest=Min("visit__answer_by"))
        if due["n"]:
            tone = "urgent" if due["soonest"] and due["soonest"] <= at else "caution"
            text, url = _("联合检查等您部门答复"), reverse("inspections:answers")
            yield Attention(text, url, tone, due["n"], _("次"), due["soonest"], "calendar-event")
    if actor.can(May.RECORD) and actor.department_id:
        day = Visit.objects.visible_to(actor).filter(
            on=today, status__in=[VisitStatus.CONFIRMED, VisitStatus.UNDER_WAY]
        )
        if count := day.count():
            url = f"{reverse('inspections:visits')}?from_day={today}&to_day={today}"
            yield Attention(_("今天的联合检查"), url, "active", count, _("次"), icon="clipboard-check")
    if actor.can(May.RUN_ROUND) and (count := overdue_answers(actor, at).count()):
        text, url = _("部门逾期未答复，请延长期限或不再等待"), reverse("inspections:silent")
        yield Attention(text, url, "urgent", count, _("项"), icon="clock-exclamation")
    if (actor.can(May.RUN_ROUND) or actor.can(May.RECORD)) and (count := missed_visits(actor, today).count()):
        url = f"{reverse('inspections:visits')}?status=confirmed&to_day={today - timedelta(days=1)}"
        yield Attention(_("检查日已过，还没有检查记录"), url, "warning", count, _("次"), icon="calendar-event")


def rounds_and_waiting(actor: Actor, at: datetime) -> Iterator[Attention]:
    """The coordinator's: a round that is ready to be sent, and checks that wait for one."""
    if not actor.can(May.RUN_ROUND):
        return
    ready = Round.objects.visible_to(actor).filter(status=RoundStatus.READY).order_by("pk").first()
    if ready:
        text = _("统筹轮次 %(number)s 已生成，等您核对后发送") % {"number": ready.number}
        yield Attention(text, reverse("inspections:round", args=[ready.pk]), "caution", icon="route")
    today = timezone.localdate(at)
    waiting = Check.objects.visible_to(actor).filter(status=CheckStatus.WAITING, hold_reason="", latest__gt=today)
    if count := waiting.count():
        yield Attention(_("检查任务等待统筹"), reverse("inspections:round_new"), "active", count, _("项"), icon="route")
