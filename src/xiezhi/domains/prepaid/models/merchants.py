from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.prepaid.permissions import PrepaidPermission
from xiezhi.domains.registry.models import Subject, Tenancy
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation


class MerchantQuerySet(models.QuerySet["Merchant"]):
    def visible_to(self, actor: Actor) -> Self:
        """The regulator sees all; a merchant itself, a mall its tenants that take prepayment (former ones too: their cards outlive the lease), a bank those whose custody accounts it keeps."""
        if not actor.can(PrepaidPermission.VIEW):
            return self.none()
        if actor.district_wide or actor.can(PrepaidPermission.SUPERVISE):
            return self
        mine = actor.organisation_id
        if mine is None:
            return self.none()
        return self.filter(
            models.Q(organisation_id=mine)
            | models.Exists(
                Tenancy.objects.filter(subject_id=models.OuterRef("subject_id"), mall_id=mine, takes_prepayment=True)
            )
            | models.Exists(BankAccount.objects.filter(merchant_id=models.OuterRef("pk"), bank_id=mine))
        )


class Merchant(models.Model):
    """发卡经营者. `organisation`: the body that its own people work in; malls see it by its tenancies."""

    class Industry(models.TextChoices):
        COMMERCE = "commerce", _("零售、餐饮、居民服务")
        YOUTH_SPORTS = "youth_sports", _("青少年校外体育培训")
        FITNESS = "fitness", _("体育健身（成人）")
        TRANSPORT = "transport", _("交通（租赁、维修、驾培等）")
        OTHER = "other", _("其他行业")

    class Status(models.TextChoices):
        ACTIVE = "active", _("正常")
        STOPPED = "stopped", _("停止发卡")
        CLOSED = "closed", _("已退出")

    subject = models.OneToOneField(Subject, models.PROTECT, related_name="prepaid_merchant", verbose_name=_("经营主体"))
    organisation = models.OneToOneField(
        Organisation, models.PROTECT, null=True, blank=True, related_name="prepaid_merchant", verbose_name=_("经营机构")
    )
    industry = models.CharField(_("行业规则"), max_length=16, choices=Industry, default=Industry.COMMERCE)
    founded_on = models.DateField(_("成立日期"), null=True, blank=True)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.ACTIVE)
    status_reason = models.CharField(_("理由"), max_length=200, blank=True)
    registered_at = models.DateTimeField(_("登记时间"))

    objects = MerchantQuerySet.as_manager()

    class Meta:
        verbose_name = _("发卡经营者")

    def __str__(self) -> str:
        return self.subject.name


class BankAccount(models.Model):
    """存管账户. `number` is shown by its last four digits; `account` is its mirror in the book."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="bank_accounts", verbose_name=_("发卡经营者"))
    bank = models.ForeignKey(Organisation, models.PROTECT, related_name="custody_accounts", verbose_name=_("存管银行"))
    number = models.CharField(_("账号"), max_length=34, unique=True)
    opened_at = models.DateTimeField(_("登记时间"))

    class Meta:
        verbose_name = _("存管账户")

    def __str__(self) -> str:
        return f"{self.bank.short_name} ···{self.number[-4:]}"
