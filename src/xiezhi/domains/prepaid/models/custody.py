"""Custody: releases asked for, shortfalls found, and what the bank says."""

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.prepaid.ledger.drafts import Kind
from xiezhi.domains.prepaid.models.cards import Card, OfMerchantQuerySet
from xiezhi.domains.prepaid.models.merchants import BankAccount, Merchant
from xiezhi.domains.prepaid.permissions import PrepaidPermission
from xiezhi.foundation.access.actors import Actor


class ReleaseStatus(models.TextChoices):
    REQUESTED = "requested", _("待批准")
    APPROVED = "approved", _("已批准")
    REFUSED = "refused", _("未批准")
    WITHDRAWN = "withdrawn", _("已撤回")
    EXPIRED = "expired", _("已失效")


class Release(models.Model):
    """支取申请. While it waits, its amount is held in the book (`operation`)."""

    Status = ReleaseStatus

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="releases", verbose_name=_("发卡经营者"))
    bank_account = models.ForeignKey(BankAccount, models.PROTECT, related_name="releases", verbose_name=_("存管账户"))
    amount_fen = models.BigIntegerField(_("金额"))
    purpose = models.CharField(_("用途"), max_length=200)
    operation = models.BigIntegerField()
    status = models.CharField(_("状态"), max_length=10, choices=ReleaseStatus, default=ReleaseStatus.REQUESTED)
    reason = models.CharField(_("理由"), max_length=200, blank=True)
    requested_at = models.DateTimeField(_("申请时间"))
    expires_at = models.DateTimeField(_("失效时间"))
    decided_at = models.DateTimeField(_("决定时间"), null=True, blank=True)

    objects = OfMerchantQuerySet.as_manager()

    class Meta:
        verbose_name = _("支取申请")

    def __str__(self) -> str:
        return f"{self.merchant} {self.requested_at:%Y-%m-%d}"


class Shortfall(models.Model):
    """存管缺口: from the day it was found until custody meets the requirement again. `gap_fen`: as last computed."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="shortfalls", verbose_name=_("发卡经营者"))
    gap_fen = models.BigIntegerField(_("缺口"))
    worst_fen = models.BigIntegerField(_("最大缺口"))
    opened_on = models.DateField(_("发现日期"))
    closed_on = models.DateField(_("补足日期"), null=True, blank=True)

    objects = OfMerchantQuerySet.as_manager()

    class Meta:
        verbose_name = _("存管缺口")
        constraints = [
            models.UniqueConstraint(fields=["merchant"], condition=Q(closed_on=None), name="prepaid_one_open_shortfall")
        ]

    def __str__(self) -> str:
        return f"{self.merchant} {self.opened_on}"


class OfAccountQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """What belongs to the accounts of merchants that the actor sees."""
        return self.filter(bank_account__merchant__in=Merchant.objects.visible_to(actor))


class Statement(models.Model):
    """存管流水 of one account as the bank sent it, once: `digest` is of what it says, whatever file it came in."""

    bank_account = models.ForeignKey(BankAccount, models.PROTECT, related_name="statements", verbose_name=_("存管账户"))
    name = models.CharField(_("文件"), max_length=150)
    digest = models.CharField(max_length=64)
    first_on = models.DateField(_("起始日期"))
    last_on = models.DateField(_("截止日期"))
    opening_fen = models.BigIntegerField(_("期初余额"), null=True)
    closing_fen = models.BigIntegerField(_("期末余额"), null=True)
    imported_at = models.DateTimeField(_("导入时间"))

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("存管流水")
        constraints = [models.UniqueConstraint(fields=["bank_account", "digest"], name="prepaid_statement_once")]

    def __str__(self) -> str:
        return self.name


class BankLine(models.Model):
    """A line of a statement. `amount_fen` is positive into the account; `matched`: the entry of the book that it is."""

    statement = models.ForeignKey(Statement, models.PROTECT, related_name="lines")
    bank_account = models.ForeignKey(BankAccount, models.PROTECT, related_name="lines")
    number = models.CharField(_("流水号"), max_length=64)
    on = models.DateField(_("入账日期"))
    amount_fen = models.BigIntegerField(_("金额"))
    reference = models.CharField(_("参考号"), max_length=64, blank=True)
    note = models.CharField(_("摘要"), max_length=200, blank=True)
    matched = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("流水")
        constraints = [
            models.UniqueConstraint(fields=["bank_account", "number"], name="prepaid_bank_line_once"),
            models.UniqueConstraint(
                fields=["bank_account", "matched"], condition=~Q(matched=None), name="prepaid_entry_matched_once"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Difference(models.Model):
    """对账差异: a bank line or an entry of the book (`sequence`) without its other half, or of another amount."""

    class Outcome(models.TextChoices):
        MISSING = "missing", _("银行缺少")
        EXTRA = "extra", _("银行多出")
        AMOUNT_DIFFERS = "amount_differs", _("金额不符")

    class Status(models.TextChoices):
        OPEN = "open", _("待处理")
        MATCHED = "matched", _("后来对上")
        EXPLAINED = "explained", _("已说明")

    bank_account = models.ForeignKey(
        BankAccount, models.PROTECT, related_name="differences", verbose_name=_("存管账户")
    )
    outcome = models.CharField(_("差异"), max_length=16, choices=Outcome)
    line = models.OneToOneField(BankLine, models.PROTECT, null=True, related_name="difference")
    sequence = models.BigIntegerField(null=True)
    on = models.DateField(_("日期"))
    bank_fen = models.BigIntegerField(_("银行金额"), null=True)
    book_fen = models.BigIntegerField(_("账簿金额"), null=True)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.OPEN)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    found_at = models.DateTimeField(_("发现时间"))
    escalated_at = models.DateTimeField(_("升级时间"), null=True, blank=True)
    settled_at = models.DateTimeField(_("处理时间"), null=True, blank=True)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("对账差异")
        constraints = [
            models.UniqueConstraint(
                fields=["bank_account", "sequence"], condition=Q(status="open", line=None), name="prepaid_missing_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.bank_account} {self.on}"


class ReversalStatus(models.TextChoices):
    REQUESTED = "requested", _("待复核")
    APPROVED = "approved", _("已冲正")
    REFUSED = "refused", _("未同意")
    WITHDRAWN = "withdrawn", _("已撤回")


class ReversalQuerySet(OfMerchantQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """The regulator's, the merchant's own, and a bank's those on the accounts it keeps; malls see none."""
        if actor.can(PrepaidPermission.SUPERVISE) or actor.can(PrepaidPermission.OPERATE):
            return super().visible_to(actor)
        if actor.can(PrepaidPermission.REPORT):
            return super().visible_to(actor).filter(bank_account__bank_id=actor.organisation_id)
        return self.none()


class Reversal(models.Model):
    """冲正申请: one person asks for an operation to be taken back, another one agrees. `posted`: the reversal in the book."""

    Status = ReversalStatus

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="reversals", verbose_name=_("发卡经营者"))
    operation = models.BigIntegerField(_("业务号"))
    kind = models.CharField(_("业务"), max_length=16, choices=Kind)
    amount_fen = models.BigIntegerField(_("金额"))
    card = models.ForeignKey(Card, models.PROTECT, null=True, related_name="reversals", verbose_name=_("预付卡"))
    bank_account = models.ForeignKey(
        BankAccount, models.PROTECT, null=True, related_name="reversals", verbose_name=_("存管账户")
    )
    reason = models.CharField(_("理由"), max_length=200)
    requested_by = models.BigIntegerField()
    requested_at = models.DateTimeField(_("提出时间"))
    status = models.CharField(_("状态"), max_length=10, choices=ReversalStatus, default=ReversalStatus.REQUESTED)
    decided_by = models.BigIntegerField(null=True)
    decided_at = models.DateTimeField(_("复核时间"), null=True, blank=True)
    note = models.CharField(_("复核意见"), max_length=200, blank=True)
    posted = models.BigIntegerField(_("冲正业务号"), null=True)

    objects = ReversalQuerySet.as_manager()

    class Meta:
        verbose_name = _("冲正申请")
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "operation"],
                condition=Q(status__in=["requested", "approved"]),
                name="prepaid_reversal_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.merchant} {self.operation}"


class DisputeQuerySet(OfMerchantQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """A holder's words are for the merchant's own people and the regulator, not for its mall or bank."""
        if not (actor.can(PrepaidPermission.SUPERVISE) or actor.can(PrepaidPermission.SELL)):
            return self.none()
        return super().visible_to(actor)


class Dispute(models.Model):
    """持卡人异议 about one operation of a card."""

    class Status(models.TextChoices):
        OPEN = "open", _("待答复")
        ANSWERED = "answered", _("已答复")

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="disputes")
    card = models.ForeignKey(Card, models.PROTECT, related_name="disputes", verbose_name=_("预付卡"))
    operation = models.BigIntegerField(_("业务号"))
    words = models.CharField(_("异议内容"), max_length=300)
    answer = models.CharField(_("答复"), max_length=300, blank=True)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.OPEN)
    raised_at = models.DateTimeField(_("提出时间"))
    answered_at = models.DateTimeField(_("答复时间"), null=True, blank=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        verbose_name = _("持卡人异议")
        constraints = [models.UniqueConstraint(fields=["card", "operation"], name="prepaid_dispute_once")]

    def __str__(self) -> str:
        return f"{self.card} {self.operation}"
