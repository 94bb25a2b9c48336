from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PrepaidConfig(AppConfig):
    name = "xiezhi.domains.prepaid"
    label = "prepaid"
    verbose_name = _("预付费资金")

    def ready(self) -> None:
        from xiezhi.domains.prepaid import tasks
        from xiezhi.domains.prepaid.proofs import prove_books
        from xiezhi.domains.prepaid.queries import rule_effects
        from xiezhi.domains.prepaid.rules import ESCALATE_DAYS, RULES
        from xiezhi.foundation.jobs import periodic
        from xiezhi.foundation.keeping import proofs
        from xiezhi.foundation.rules import effects
        from xiezhi.foundation.rules.registry import register

        register(RULES)
        proofs.register("ledger", prove_books)
        effects.register(rule_effects.CUSTODY, rule_effects.required_custody)
        effects.register([ESCALATE_DAYS], rule_effects.overdue_differences)
        periodic.register("prepaid.holds", timedelta(minutes=1), tasks.end_what_ran_out)
        periodic.register("prepaid.periods", timedelta(hours=1), tasks.recognise_periods)
        periodic.register("prepaid.webhooks", timedelta(seconds=10), tasks.send_notices)
        periodic.register("prepaid.custody", timedelta(hours=1), tasks.watch_custody)
        _show()


def _show() -> None:
    """Words, colours and ways in."""
    from xiezhi.domains.prepaid import attention as ours
    from xiezhi.domains.prepaid.models import Card, Difference, Dispute, Merchant, ReleaseStatus, ReversalStatus
    from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
    from xiezhi.domains.prepaid.workflow import RELEASE, REVERSAL
    from xiezhi.foundation.audit import labels, links
    from xiezhi.foundation.ui import attention, navigation, statuses

    attention.register("prepaid", ours.lines_for)
    navigation.register_section("prepaid", _("预付费"), 15)
    navigation.register_public(navigation.Item(_("查我的预付卡"), "my_phone", "credit-card", order=30))
    navigation.register(
        navigation.Item(_("资金存管"), "prepaid:merchants", "wallet", May.VIEW, "prepaid", 10),
        navigation.Item(_("收银页"), "till", "receipt", May.SELL, "prepaid", 15),
        navigation.Item(_("预付卡"), "prepaid:cards", "credit-card", May.SELL, "prepaid", 20),
        navigation.Item(_("产品"), "prepaid:products", "file-text", May.OPERATE, "prepaid", 25),
        navigation.Item(_("支取申请"), "prepaid:releases", "gavel", May.VIEW, "prepaid", 30),
        navigation.Item(_("冲正申请"), "prepaid:reversals", "arrow-back-up", May.VIEW, "prepaid", 35),
        navigation.Item(_("存管流水"), "prepaid:statements", "building-bank", May.VIEW, "prepaid", 40),
        navigation.Item(_("对账差异"), "prepaid:differences", "alert-triangle", May.VIEW, "prepaid", 50),
        navigation.Item(_("持卡人异议"), "prepaid:disputes", "help-circle", May.VIEW, "prepaid", 60),
        navigation.Item(_("收银接口密钥"), "prepaid:keys", "key", May.OPERATE, "prepaid", 70),
    )
    statuses.dress(
        Merchant.Status,
        {
            Merchant.Status.ACTIVE: ("circle-check", "good"),
            Merchant.Status.STOPPED: ("ban", "urgent"),
            Merchant.Status.CLOSED: ("circle-x", "neutral"),
        },
    )
    statuses.dress(
        Card.Status,
        {
            Card.Status.ACTIVE: ("circle-check", "good"),
            Card.Status.LOST: ("alert-triangle", "caution"),
            Card.Status.CLOSED: ("circle-x", "neutral"),
        },
    )
    statuses.dress(
        ReleaseStatus,
        {
            ReleaseStatus.REQUESTED: ("clock", "caution"),
            ReleaseStatus.APPROVED: ("circle-check", "good"),
            ReleaseStatus.REFUSED: ("circle-x", "warning"),
        },
    )
    statuses.dress(
        ReversalStatus,
        {
            ReversalStatus.REQUESTED: ("clock", "caution"),
            ReversalStatus.APPROVED: ("circle-check", "good"),
            ReversalStatus.REFUSED: ("circle-x", "warning"),
        },
    )
    statuses.dress(
        Difference.Status,
        {
            Difference.Status.OPEN: ("clock", "caution"),
            Difference.Status.MATCHED: ("circle-check", "good"),
            Difference.Status.EXPLAINED: ("file-text", "neutral"),
        },
    )
    statuses.dress(
        Difference.Outcome,
        {
            Difference.Outcome.MISSING: ("alert-triangle", "urgent"),
            Difference.Outcome.EXTRA: ("info-circle", "warning"),
            Difference.Outcome.AMOUNT_DIFFERS: ("alert-circle", "warning"),
        },
    )
    statuses.dress(
        Dispute.Status, {Dispute.Status.OPEN: ("clock", "caution"), Dispute.Status.ANSWERED: ("circle-check", "good")}
    )
    links.register(
        {
            "prepaid.merchant": "prepaid:merchant",
            "prepaid.card": "prepaid:card",
            "prepaid.release": "prepaid:release",
            "prepaid.difference": "prepaid:difference",
            "prepaid.dispute": "prepaid:dispute",
        }
    )
    labels.register_workflow(RELEASE)
    labels.register_workflow(REVERSAL)
    labels.register(
        {
            "prepaid.merchant_registered": _("登记为发卡经营者"),
            "prepaid.issuing_changed": _("停止或恢复发卡"),
            "prepaid.custody_account_opened": _("登记存管账户"),
            "prepaid.product_added": _("产品上架"),
            "prepaid.product_withdrawn": _("产品停售"),
            "prepaid.release.requested": _("申请支取"),
            "prepaid.statement_imported": _("导入存管流水"),
            "prepaid.difference_explained": _("说明对账差异"),
            "prepaid.batch_posted": _("批量核销入账"),
            "prepaid.key_issued": _("生成接口密钥"),
            "prepaid.key_rotated": _("轮换接口密钥"),
            "prepaid.key_revoked": _("停用接口密钥"),
            "prepaid.link_renewed": _("给持卡人新链接"),
            "prepaid.card_reported_lost": _("挂失"),
            "prepaid.card_found": _("解挂"),
            "prepaid.card_activated": _("过期卡激活"),
            "prepaid.reversal.requested": _("提出冲正"),
            "prepaid.delivery_retried": _("重发通知"),
            "prepaid.webhook_set": _("设置通知地址"),
            "prepaid.dispute_answered": _("答复持卡人异议"),
        }
    )
