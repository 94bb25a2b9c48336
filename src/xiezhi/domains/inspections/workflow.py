"""The transition tables: plan, check, round, visit and participation. Data and pure guards only."""

from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.workflow.tables import Workflow, transition


class PlanStatus(models.TextChoices):
    DRAFT = "draft", gettext_lazy("草稿")
    FILED = "filed", gettext_lazy("已报送")
    WITHDRAWN = "withdrawn", gettext_lazy("已撤回")


class CheckStatus(models.TextChoices):
    OFF_SITE_FIRST = "off_site_first", gettext_lazy("先问非现场")
    WAITING = "waiting", gettext_lazy("待统筹")
    SUGGESTED = "suggested", gettext_lazy("已列入建议")
    SCHEDULED = "scheduled", gettext_lazy("已排定")
    DONE = "done", gettext_lazy("已检查")
    DONE_OFF_SITE = "done_off_site", gettext_lazy("非现场办结")
    CANCELLED = "cancelled", gettext_lazy("不再检查")


class RoundStatus(models.TextChoices):
    PLANNING = "planning", gettext_lazy("生成中")
    READY = "ready", gettext_lazy("待发送")
    SENT = "sent", gettext_lazy("已发送各部门")
    DISCARDED = "discarded", gettext_lazy("已作废")


class VisitStatus(models.TextChoices):
    SUGGESTED = "suggested", gettext_lazy("建议")
    OFFERED = "offered", gettext_lazy("待各部门确认")
    CONFIRMED = "confirmed", gettext_lazy("已确认")
    UNDER_WAY = "under_way", gettext_lazy("检查中")
    RECORDED = "recorded", gettext_lazy("已记录")
    CANCELLED = "cancelled", gettext_lazy("已取消")


class Answer(models.TextChoices):
    PENDING = "pending", gettext_lazy("待答复")
    CONFIRMED = "confirmed", pgettext_lazy("answer", "确认参加")
    DECLINED = "declined", pgettext_lazy("answer", "不参加")
    RELEASED = "released", gettext_lazy("已移出")


def own_department(row: Any, actor: Actor) -> bool:
    """The row is of the actor's department, or the actor's post is district-wide."""
    return actor.district_wide or (actor.department_id is not None and row.department_id == actor.department_id)


def exactly_own_department(row: Any, actor: Actor) -> bool:
    """The row is of the actor's own department; nobody answers for another, whatever their post."""
    return actor.department_id is not None and row.department_id == actor.department_id


def _special_needs_approval(plan: Any, actor: Actor) -> str | None:
    if plan.kind == "special" and not (plan.approval_number and plan.approved_on):
        return _("专项检查计划须先经批准：请补填批准文号和批准日期（R13）。")
    return None


PLAN = Workflow(
    "inspections.plan",
    gettext_lazy("检查计划"),
    PlanStatus,
    PlanStatus.DRAFT,
    (
        transition(
            "file", gettext_lazy("报送计划"), {"draft"}, "filed",
            permission=May.SUBMIT_PLAN, owner=own_department, guard=_special_needs_approval, stamp="filed_at", style="primary",
        ),
        transition(
            "withdraw", gettext_lazy("撤回计划"), {"draft", "filed"}, "withdrawn",
            permission=May.SUBMIT_PLAN, owner=own_department, stamp="withdrawn_at", needs_reason=True, style="danger",
        ),
    ),
)  # fmt: skip

CHECK = Workflow(
    "inspections.check",
    gettext_lazy("检查任务"),
    CheckStatus,
    CheckStatus.WAITING,
    (
        transition(
            "finish_off_site", gettext_lazy("非现场办结"), {"off_site_first"}, "done_off_site",
            permission=May.RECORD, owner=own_department, stamp="done_at", needs_reason=True, style="primary",
        ),
        transition(
            "go_on_site", gettext_lazy("需要到现场"), {"off_site_first"}, "waiting",
            permission=May.SUBMIT_PLAN, owner=own_department, needs_reason=True,
        ),
        transition(
            "ask_off_site", gettext_lazy("改为非现场"), {"waiting"}, "off_site_first",
            permission=May.SUBMIT_PLAN, by_system=True, owner=own_department,
        ),
        transition("suggest", gettext_lazy("列入建议"), {"waiting"}, "suggested", permission=May.RUN_ROUND, by_system=True),
        transition(
            "schedule", gettext_lazy("排定"), {"suggested"}, "scheduled", permission=May.CONFIRM, by_system=True, owner=own_department
        ),
        transition(
            "release", gettext_lazy("退回待统筹"), {"suggested", "scheduled"}, "waiting", permission=May.CONFIRM, by_system=True
        ),
        transition(
            "finish", gettext_lazy("记录结果"), {"scheduled"}, "done", permission=May.RECORD, owner=own_department, stamp="done_at"
        ),
        transition(
            "cancel", gettext_lazy("不再检查"), {"off_site_first", "waiting", "suggested", "scheduled"}, "cancelled",
            permission=May.SUBMIT_PLAN, by_system=True, owner=own_department, needs_reason=True, style="danger",
        ),
    ),
)  # fmt: skip

ROUND = Workflow(
    "inspections.round",
    gettext_lazy("统筹轮次"),
    RoundStatus,
    RoundStatus.PLANNING,
    (
        transition("complete", gettext_lazy("生成完毕"), {"planning"}, "ready", permission=May.RUN_ROUND, stamp="ready_at"),
        transition(
            "send", gettext_lazy("发送各部门确认"), {"ready"}, "sent", permission=May.RUN_ROUND, stamp="sent_at", style="primary"
        ),
        transition(
            "discard", gettext_lazy("作废本轮"), {"planning", "ready"}, "discarded",
            permission=May.RUN_ROUND, by_system=True, needs_reason=True, style="danger",
        ),
    ),
)  # fmt: skip

VISIT = Workflow(
    "inspections.visit",
    gettext_lazy("联合检查"),
    VisitStatus,
    VisitStatus.SUGGESTED,
    (
        transition("offer", gettext_lazy("发送确认"), {"suggested"}, "offered", permission=May.RUN_ROUND, by_system=True, stamp="offered_at"),
        transition(
            "confirm", pgettext_lazy("visit", "全部确认"), {"offered"}, "confirmed",
            permission=May.CONFIRM, by_system=True, stamp="confirmed_at",
        ),
        transition(
            "start", gettext_lazy("到场开始"), {"confirmed"}, "under_way", permission=May.RECORD, stamp="started_at", style="primary"
        ),
        transition(
            "record", gettext_lazy("结束并记录"), {"under_way"}, "recorded", permission=May.RECORD, stamp="recorded_at", style="primary"
        ),
        transition(
            "cancel", gettext_lazy("取消"), {"suggested", "offered", "confirmed"}, "cancelled",
            permission=May.RUN_ROUND, by_system=True, needs_reason=True, style="danger",
        ),
        transition(
            "dissolve", gettext_lazy("无部门参加，撤销"), {"suggested", "offered", "confirmed"}, "cancelled",
            permission=May.CONFIRM, by_system=True,
        ),
    ),
)  # fmt: skip

PARTICIPATION = Workflow(
    "inspections.participation",
    gettext_lazy("部门答复"),
    Answer,
    Answer.PENDING,
    (
        transition(
            "confirm", gettext_lazy("确认参加"), {"pending"}, "confirmed",
            permission=May.CONFIRM, owner=exactly_own_department, stamp="answered_at", style="primary",
        ),
        transition(
            "propose", gettext_lazy("提议改期"), {"pending"}, "confirmed",
            permission=May.CONFIRM, owner=exactly_own_department, stamp="answered_at", needs_reason=True,
        ),
        transition(
            "decline", gettext_lazy("不参加"), {"pending", "confirmed"}, "declined",
            permission=May.CONFIRM, owner=exactly_own_department, stamp="answered_at", needs_reason=True, style="danger",
        ),
        transition(
            "ask_again", gettext_lazy("改期后重新征询"), {"confirmed"}, "pending", permission=May.CONFIRM, by_system=True
        ),
        transition(
            "release", gettext_lazy("未答复移出"), {"pending"}, "released",
            permission=May.RUN_ROUND, by_system=True, stamp="answered_at",
        ),
        transition(
            "leave", gettext_lazy("任务已取消，移出"), {"pending", "confirmed"}, "released", by_system=True, stamp="answered_at"
        ),
    ),
    field="answer",
)  # fmt: skip

WORKFLOWS = (PLAN, CHECK, ROUND, VISIT, PARTICIPATION)
