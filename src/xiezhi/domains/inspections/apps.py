from typing import Any

from django.apps import AppConfig
from django.apps.registry import Apps
from django.apps.registry import apps as live_apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class InspectionsConfig(AppConfig):
    name = "xiezhi.domains.inspections"
    label = "inspections"
    verbose_name = _("综合查一次")

    def ready(self) -> None:
        from xiezhi.domains.inspections.rules import RULES
        from xiezhi.foundation.rules.registry import register

        register(RULES)
        _rule_effects()
        _plans_and_checks()
        _rounds()
        _visits(self)


def _rule_effects() -> None:
    from xiezhi.domains.inspections import rules
    from xiezhi.domains.inspections.queries import rule_effects as ours
    from xiezhi.foundation.rules import effects

    effects.register(ours.PLANNING, ours.next_round)
    effects.register([rules.CONFIRMATION_WORKDAYS], ours.answers)
    effects.register([rules.ESCALATION], ours.escalation)


def _plans_and_checks() -> None:
    from xiezhi.domains.inspections import attention as ours
    from xiezhi.domains.inspections import listeners, panels
    from xiezhi.domains.inspections.imports import ItemImport, PlanImport
    from xiezhi.domains.inspections.permissions import InspectionPermission as May
    from xiezhi.domains.inspections.services import filing  # noqa: F401  # registers its job
    from xiezhi.domains.inspections.services.named_rows import ORIGIN
    from xiezhi.domains.inspections.workflow import CHECK, PLAN, CheckStatus, PlanStatus
    from xiezhi.domains.registry import panels as on_subject_page
    from xiezhi.foundation.audit import labels, links
    from xiezhi.foundation.events.services import subscribe
    from xiezhi.foundation.imports import specs
    from xiezhi.foundation.ui import attention, navigation, statuses

    specs.register(ItemImport)
    specs.register(PlanImport)
    subscribe("registry.subject_closed", "inspections.checks", listeners.subject_closed)
    subscribe("registry.premises_closed", "inspections.checks", listeners.premises_closed)
    subscribe("registry.name_matched", "inspections.plan_rows", listeners.name_matched)
    subscribe("registry.joint_choice_changed", "inspections.visits", listeners.joint_choice_changed)
    on_subject_page.register("inspections", panels.subject_panel, order=10)
    on_subject_page.register_lead(
        "inspections.visit", on_subject_page.Leads("inspections:visit", "calendar-check", May.VIEW)
    )
    on_subject_page.register_lead(
        "inspections.check", on_subject_page.Leads("inspections:check", "list-check", May.VIEW)
    )
    on_subject_page.register_origin(ORIGIN, _("检查计划明细"))
    attention.register("inspections.plans_and_checks", ours.plans_and_checks)
    navigation.register(
        navigation.Item(_("检查计划"), "inspections:plans", "clipboard-list", May.VIEW, "work", 20),
        navigation.Item(_("检查任务"), "inspections:checks", "list-check", May.VIEW, "work", 30),
        navigation.Item(_("检查事项清单"), "inspections:items", "checklist", May.VIEW, "records", 30),
    )
    links.register(
        {
            "inspections.plan": "inspections:plan",
            "inspections.check": "inspections:check",
            "inspections.round": "inspections:round",
            "inspections.visit": "inspections:visit",
        }
    )
    labels.register_workflow(PLAN)
    labels.register_workflow(CHECK)
    labels.register(
        {
            "inspections.check.raised": _("登记个案检查"),
            "inspections.plan.opened": _("建立计划草稿"),
            "inspections.plan.amended": _("修改计划"),
            "inspections.plan.rows_added": _("添加明细"),
            "inspections.plan.row_changed": _("修改明细"),
            "inspections.plan.rows_removed": _("删去明细"),
            "inspections.plan.names_queued": _("名称进入待匹配"),
            "inspections.plan.name_matched": _("名称确认后补入明细"),
            "inspections.item.published": _("公布事项版本"),
            "inspections.item.ended": _("取消事项"),
            "inspections.items.kept_apart": _("加入不宜同场"),
            "inspections.items.allowed_together": _("移除不宜同场"),
        }
    )
    statuses.dress(
        PlanStatus,
        {
            PlanStatus.DRAFT: ("edit", "caution"),
            PlanStatus.FILED: ("circle-check", "good"),
            PlanStatus.WITHDRAWN: ("arrow-back-up", "neutral"),
        },
    )
    statuses.dress(
        CheckStatus,
        {
            CheckStatus.OFF_SITE_FIRST: ("device-floppy", "caution"),
            CheckStatus.WAITING: ("hourglass", "neutral"),
            CheckStatus.SUGGESTED: ("route", "active"),
            CheckStatus.SCHEDULED: ("calendar-check", "active"),
            CheckStatus.DONE: ("circle-check", "good"),
            CheckStatus.DONE_OFF_SITE: ("circle-check", "good"),
            CheckStatus.CANCELLED: ("circle-x", "neutral"),
        },
    )


def _rounds() -> None:
    from datetime import timedelta

    from xiezhi.domains.inspections import attention as ours
    from xiezhi.domains.inspections.permissions import InspectionPermission as May
    from xiezhi.domains.inspections.queries.figures import headline
    from xiezhi.domains.inspections.services import rounds  # registers its job
    from xiezhi.domains.inspections.workflow import ROUND, RoundStatus
    from xiezhi.foundation.audit import labels
    from xiezhi.foundation.jobs import periodic
    from xiezhi.foundation.ui import attention, figures, navigation, statuses

    attention.register("inspections.rounds", ours.rounds_and_waiting)
    figures.register("inspections", headline)
    periodic.register(
        "inspections.discard_failed_rounds", timedelta(seconds=30), lambda at: rounds.discard_failed_rounds(at=at)
    )
    navigation.register(navigation.Item(_("统筹轮次"), "inspections:rounds", "route", May.VIEW, "work", 40))
    labels.register_workflow(ROUND)
    statuses.dress(
        RoundStatus,
        {
            RoundStatus.PLANNING: ("hourglass", "active"),
            RoundStatus.READY: ("clipboard-list", "caution"),
            RoundStatus.SENT: ("circle-check", "good"),
            RoundStatus.DISCARDED: ("circle-x", "neutral"),
        },
    )


def _load_result_codes(sender: AppConfig, using: str, apps: Apps = live_apps, **kwargs: Any) -> None:
    from xiezhi.domains.inspections.services.codes import load_result_codes

    try:
        apps.get_model("inspections", "ResultCode")
    except LookupError:  # migrated back to nothing
        return
    load_result_codes(using=using)


def _visits(config: AppConfig) -> None:
    from xiezhi.domains.inspections import attention as ours
    from xiezhi.domains.inspections.permissions import InspectionPermission as May
    from xiezhi.domains.inspections.queries.visits import answers_due
    from xiezhi.domains.inspections.services import escalation, recounting
    from xiezhi.domains.inspections.workflow import PARTICIPATION, VISIT, Answer, VisitStatus
    from xiezhi.foundation.audit import labels
    from xiezhi.foundation.calendar import recomputation
    from xiezhi.foundation.jobs import periodic
    from xiezhi.foundation.ui import attention, navigation, statuses

    recomputation.register(
        "inspections.answers", _("联合检查的答复期限"), find=recounting.moved_answers, save=recounting.save_answers
    )
    post_migrate.connect(_load_result_codes, sender=config)
    periodic.register("inspections.chase", escalation.EVERY, escalation.chase)
    attention.register("inspections.visits", ours.visits_and_answers)
    navigation.register(
        navigation.Item(
            _("待我答复"),
            "inspections:answers",
            "calendar-event",
            May.CONFIRM,
            "work",
            10,
            lambda a: answers_due(a).count(),
        ),
        navigation.Item(_("联合检查"), "inspections:visits", "calendar-check", May.VIEW, "work", 50),
        navigation.Item(_("检查日历"), "inspections:calendar", "calendar", May.VIEW, "work", 60),
        navigation.Item(_("逾期未答复"), "inspections:silent", "clock-exclamation", May.RUN_ROUND, "work", 70),
        navigation.Item(_("统筹成效"), "inspections:figures", "chart-bar", May.VIEW_FIGURES, "figures", 10),
        navigation.Item(_("频次预警"), "inspections:warnings", "alert-triangle", May.VIEW_FIGURES, "figures", 20),
    )
    labels.register_workflow(VISIT)
    labels.register_workflow(PARTICIPATION)
    labels.register(
        {
            "inspections.visit.create": _("列入联合检查建议"),
            "inspections.visit.move": _("改期"),
            "inspections.visit.extend": _("延长答复期限"),
            "inspections.visit.mend": _("任务变化，重新核对"),
            "inspections.participation.arrive": _("登记到场人员"),
            "inspections.participation.remind": _("提醒答复"),
            "inspections.participation.escalate": _("逾期催办"),
            "inspections.participation.raise": _("逾期，报统筹员"),
            "inspections.result.correct": _("更正结果"),
            "inspections.recusal.add": _("登记回避"),
            "inspections.recusal.end": _("解除回避"),
        }
    )
    statuses.dress(
        VisitStatus,
        {
            VisitStatus.SUGGESTED: ("route", "neutral"),
            VisitStatus.OFFERED: ("hourglass", "caution"),
            VisitStatus.CONFIRMED: ("calendar-check", "active"),
            VisitStatus.UNDER_WAY: ("player-play", "active"),
            VisitStatus.RECORDED: ("clipboard-check", "good"),
            VisitStatus.CANCELLED: ("ban", "neutral"),
        },
    )
    statuses.dress(
        Answer,
        {
            Answer.PENDING: ("hourglass", "caution"),
            Answer.CONFIRMED: ("check", "good"),
            Answer.DECLINED: ("x", "neutral"),
            Answer.RELEASED: ("clock-exclamation", "warning"),
        },
    )
