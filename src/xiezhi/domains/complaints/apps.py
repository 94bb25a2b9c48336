from datetime import timedelta
from typing import Any

from django.apps import AppConfig
from django.apps.registry import Apps
from django.apps.registry import apps as live_apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


def load_lists(sender: AppConfig, using: str, apps: Apps = live_apps, **kwargs: Any) -> None:
    """Bring categories and reply templates into a database that has this room's tables."""
    from xiezhi.domains.complaints.services.lists import load_published_lists

    try:
        apps.get_model("complaints", "ReplyTemplate")
    except LookupError:  # migrated back to nothing
        return
    load_published_lists(using=using)


class ComplaintsConfig(AppConfig):
    name = "xiezhi.domains.complaints"
    label = "complaints"
    verbose_name = _("接诉即办")

    def ready(self) -> None:
        from xiezhi.domains.complaints.rules import RULES
        from xiezhi.foundation.rules.registry import register

        register(RULES)
        post_migrate.connect(load_lists, sender=self)
        _work()
        _take_files()
        _show()
        _dress()


def _work() -> None:
    """What the ticker does, what other rooms tell us, and whose files are whose."""
    from xiezhi.domains.complaints.models import Case, Draft
    from xiezhi.domains.complaints.services import (  # noqa: F401  their jobs are known to every worker
        calendars,
        callbacks,
        clocks,
        handoffs,
        inbox,
        leaving,
        likeness,
        public,
        publishing,
        rates,
        supervising,
        tallies,
        teaching,
        topics,
    )
    from xiezhi.foundation.access.services import handover
    from xiezhi.foundation.calendar import recomputation
    from xiezhi.foundation.events.services import subscribe
    from xiezhi.foundation.files import owners
    from xiezhi.foundation.jobs import periodic

    periodic.register("complaints.ladders", timedelta(minutes=1), lambda at: supervising.climb_ladders(at=at))
    periodic.register("complaints.recompute", timedelta(hours=1), lambda at: clocks.recompute_clocks(at=at))
    periodic.register("complaints.handoffs", timedelta(hours=1), lambda at: handoffs.tell_waiting_again(at=at))
    periodic.register("complaints.tallies", timedelta(seconds=5), lambda at: tallies.recount_marked(at=at))
    periodic.register("complaints.uncalled", timedelta(minutes=10), lambda at: callbacks.close_uncalled(at=at))
    # Said hourly, done once a day: a ticker that was away over night catches up in the morning.
    periodic.register("complaints.topics", timedelta(hours=1), lambda at: topics.find_topics(at=at))
    periodic.register("complaints.topics_again", timedelta(hours=1), lambda at: topics.tell_topics_again(at=at))
    periodic.register("complaints.statistics", timedelta(hours=1), lambda at: publishing.publish_due(at=at))
    periodic.register("complaints.rates", timedelta(days=1), lambda at: rates.tell_subject_rates(at=at))
    periodic.register("complaints.drafts", timedelta(hours=1), lambda at: public.forget_drafts(at=at))
    periodic.register("complaints.inbox", timedelta(minutes=1), lambda at: inbox.ask_box(at=at), slow=True)
    owners.register(Case, Draft)
    handover.register(leaving.KIND)
    recomputation.register("complaints", _("诉求期限"), find=calendars.find, save=calendars.save)
    subscribe("complaints.handoff_taken", "complaints.handoffs", handoffs.handoff_taken)
    subscribe("complaints.topic_taken", "complaints.topics", topics.topic_taken)


def _take_files() -> None:
    """The sheets that this room takes in."""
    from xiezhi.domains.complaints.imports import HotlineImport, PlatformImport
    from xiezhi.foundation.imports import specs

    specs.register(HotlineImport)
    specs.register(PlatformImport)


def _show() -> None:
    """Ways in, and words for the audit."""
    from xiezhi.domains.complaints import attention as ours
    from xiezhi.domains.complaints.panels import subject_panel
    from xiezhi.domains.complaints.permissions import ComplaintPermission as May
    from xiezhi.domains.complaints.queries.figures import headline
    from xiezhi.domains.complaints.workflow import CASE, TOPIC
    from xiezhi.domains.registry import panels
    from xiezhi.foundation.audit import labels, links
    from xiezhi.foundation.ui import attention, figures, navigation

    attention.register("complaints", ours.lines_for)
    panels.register("complaints", subject_panel, order=15)
    navigation.register_section("complaints", _("接诉即办"), 12)
    navigation.register(
        navigation.Item(_("诉求"), "complaints:cases", "phone", May.VIEW, "complaints", 20),
        navigation.Item(_("答复模板"), "complaints:templates", "file-text", May.VIEW, "complaints", 90),
        navigation.Item(_("来信"), "complaints:mails", "file-text", May.DISPATCH, "complaints", 60),
        navigation.Item(_("Open311 接口密钥"), "complaints:keys", "key", May.KEEP_CHANNELS, "complaints", 90),
        navigation.Item(
            _("等商场回应的诉求"), "complaints:mall_requests", "building-store", May.ANSWER, "complaints", 30
        ),
        navigation.Item(_("未诉先办"), "complaints:topics", "chart-bar", May.VIEW_TOPICS, "complaints", 60),
        navigation.Item(_("识别模型"), "complaints:models", "puzzle", May.TEACH, "complaints", 90),
    )
    navigation.register(
        navigation.Item(_("待回访"), "complaints:callbacks", "phone", May.CALL_BACK, "complaints", 40),
        navigation.Item(_("诉求成效"), "complaints:figures", "chart-bar", May.VIEW_FIGURES, "complaints", 50),
        navigation.Item(_("本商场诉求成效"), "complaints:mall_figures", "chart-bar", May.ANSWER, "complaints", 50),
    )
    figures.register("complaints", headline)
    navigation.register_public(
        navigation.Item(_("反映诉求"), "appeals:home", "edit", order=10),
        navigation.Item(_("查办理进度"), "appeals:look_up", "search", order=20),
        navigation.Item(_("消费诉求统计"), "statistics", "chart-bar", order=40),
    )
    panels.register_lead("complaints.case", panels.Leads("complaints:case", "phone", May.VIEW))
    links.register({"complaints.case": "complaints:case"})
    labels.register_workflow(CASE)
    labels.register_workflow(TOPIC)
    labels.register(
        {
            "complaints.case.received": _("收到诉求"),
            "complaints.case.numbered": _("补录编号"),
            "complaints.case.amended": _("修改诉求要素"),
            "complaints.case.kind": _("更改类型"),
            "complaints.case.split": _("拆出举报"),
            "complaints.case.grouped": _("归入群体诉求"),
            "complaints.case.ungrouped": _("移出群体诉求"),
            "complaints.case.handed_over": _("更换承办人"),
            "complaints.case.co_handler": _("请求协办"),
            "complaints.case.co_answer": _("填写协办意见"),
            "complaints.case.calendar": _("按放假通知重新计算期限"),
            "complaints.case.tier": _("变更办理时限"),
            "complaints.case.clue": _("登记违法线索"),
            "complaints.case.clue_verified": _("线索核查完毕"),
            "complaints.case.jurisdiction": _("登记管辖争议"),
            "complaints.case.jurisdiction_settled": _("管辖争议解决"),
            "complaints.case.reopened": _("重新办理"),
            "complaints.case.supervised": _("督办诉求"),
            "complaints.case.supervision_answered": _("回复督办"),
            "complaints.case.attached": _("添加附件"),
            "complaints.case.inspection_raised": _("登记个案检查"),
            "complaints.model.kept": _("保存识别模型"),
            "complaints.model.used": _("启用识别模型"),
            "complaints.case.added": _("诉求人补充"),
            "complaints.case.withdrawn": _("诉求人请求撤回"),
            "complaints.mail.retried": _("重新处理来信"),
            "complaints.mail.settled": _("人工处理来信"),
            "complaints.mail.opened": _("下载原信"),
            "complaints.client_key.issued": _("生成 Open311 接口密钥"),
            "complaints.client_key.revoked": _("停用 Open311 接口密钥"),
            "complaints.clock.step": _("期限提醒与提级"),
            "complaints.mall.asked": _("转商场回应"),
            "complaints.mall.answered": _("商场已回应"),
            "complaints.mediation.planned": _("安排调解"),
            "complaints.mediation.recorded": _("记录调解"),
            "complaints.statistics.published": _("公布诉求统计"),
            "complaints.callback.recorded": _("记录回访"),
            "complaints.application.made": _("提出申请"),
            "complaints.application.decided": _("审批申请"),
            "complaints.case.exported": _("按登记系统的列导出"),
            "complaints.template.saved": _("保存答复模板"),
            "complaints.template.retired": _("停用答复模板"),
            "complaints.person.opened": _("打开诉求人信息"),
            "complaints.person.amended": _("修改诉求人信息"),
        }
    )


def _dress() -> None:
    """Icons and tones of states."""
    from xiezhi.domains.complaints.models import Mail
    from xiezhi.domains.complaints.words import CallbackOutcome, CaseStatus, Satisfaction, Tier, TopicStatus, Urgency
    from xiezhi.foundation.ui.statuses import dress

    dress(
        CaseStatus,
        {
            CaseStatus.LEAD: ("help-circle", "caution"),
            CaseStatus.REGISTERED: ("clipboard-list", "caution"),
            CaseStatus.DISPATCHED: ("arrow-right", "caution"),
            CaseStatus.RETURNING: ("arrow-back-up", "warning"),
            CaseStatus.HANDLING: ("player-play", "active"),
            CaseStatus.MEDIATING: ("users-group", "active"),
            CaseStatus.APPRAISAL: ("hourglass", "neutral"),
            CaseStatus.CONCLUDED: ("edit", "caution"),
            CaseStatus.REPLIED: ("phone", "good"),
            CaseStatus.CLOSED: ("circle-check", "good"),
            CaseStatus.DISMISSED: ("ban", "neutral"),
            CaseStatus.MERGED: ("link", "neutral"),
        },
    )
    dress(
        TopicStatus,
        {
            TopicStatus.RISING: ("alert-circle", "warning"),
            TopicStatus.CHECKED: ("clipboard-check", "active"),
            TopicStatus.SIGNALLED: ("alert-triangle", "active"),
            TopicStatus.DISMISSED: ("ban", "neutral"),
            TopicStatus.FADED: ("circle-check", "neutral"),
        },
    )
    dress(
        Mail.Status,
        {
            Mail.Status.TAKEN: ("circle-check", "good"),
            Mail.Status.ADDED: ("circle-check", "good"),
            Mail.Status.IGNORED: ("ban", "neutral"),
            Mail.Status.ASIDE: ("alert-triangle", "caution"),
            Mail.Status.DONE: ("user-check", "good"),
        },
    )
    dress(
        Urgency,
        {
            Urgency.NORMAL: ("circle-dashed", "neutral"),
            Urgency.URGENT: ("alert-triangle", "warning"),
            Urgency.EMERGENCY: ("alert-circle", "urgent"),
        },
    )
    dress(
        Tier,
        {
            Tier.TWO_HOURS: ("clock-exclamation", "urgent"),
            Tier.ONE_DAY: ("clock", "warning"),
            Tier.WEEK: ("clock", "neutral"),
            Tier.FORTNIGHT: ("clock", "neutral"),
        },
    )
    dress(
        CallbackOutcome,
        {
            CallbackOutcome.RESOLVED: ("circle-check", "good"),
            CallbackOutcome.PARTLY: ("circle-dashed", "caution"),
            CallbackOutcome.UNRESOLVED: ("circle-x", "urgent"),
            CallbackOutcome.NO_ANSWER: ("help-circle", "neutral"),
            CallbackOutcome.DECLINED: ("ban", "neutral"),
        },
    )
    dress(
        Satisfaction,
        {
            Satisfaction.SATISFIED: ("circle-check", "good"),
            Satisfaction.FAIR: ("circle-dashed", "caution"),
            Satisfaction.DISSATISFIED: ("circle-x", "urgent"),
        },
    )
