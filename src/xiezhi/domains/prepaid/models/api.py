from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.prepaid.models.cards import OfMerchantQuerySet
from xiezhi.domains.prepaid.models.merchants import Merchant
from xiezhi.foundation.access.actors import Actor


class ApiKey(models.Model):
    """收银接口密钥. The secret is derived from `name` and the installation's own secret, and stored nowhere."""

    class Scope(models.TextChoices):
        READ = "read", _("查询卡与余额")
        SELL = "sell", _("售卡与充值")
        REDEEM = "redeem", _("核销")
        REFUND = "refund", _("退款与冲正")
        BATCH = "batch", _("批量入账")

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="api_keys", verbose_name=_("发卡经营者"))
    name = models.CharField(_("密钥编号"), max_length=24, unique=True)
    label = models.CharField(_("用在哪里"), max_length=60)
    scopes = models.JSONField(_("权限范围"), default=list)
    created_at = models.DateTimeField(_("生成时间"))
    expires_at = models.DateTimeField(_("有效期止"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("停用时间"), null=True, blank=True)
    per_minute = models.PositiveIntegerField(_("每分钟请求数上限"), default=600)
    minute = models.BigIntegerField(default=0)
    used = models.PositiveIntegerField(default=0)

    objects = OfMerchantQuerySet.as_manager()

    class Meta:
        verbose_name = _("收银接口密钥")

    def __str__(self) -> str:
        return self.label


class Webhook(models.Model):
    """Where a merchant's own system wants to hear of what happens to its cards. The signing secret is derived, as a till key's is."""

    merchant = models.OneToOneField(Merchant, models.PROTECT, related_name="webhook", verbose_name=_("发卡经营者"))
    url = models.URLField(_("通知地址"), max_length=300)
    name = models.CharField(max_length=24, unique=True)
    is_active = models.BooleanField(_("启用"), default=True)

    class Meta:
        verbose_name = _("通知地址")

    def __str__(self) -> str:
        return self.url


class DeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def visible_to(self, actor: Actor) -> Self:
        """Those of the merchants that the actor sees."""
        return self.filter(webhook__merchant__in=Merchant.objects.visible_to(actor))


class WebhookDelivery(models.Model):
    """One notice to one merchant's system: sent until it is taken, each time after twice as long, then given up."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=40)
    body = models.JSONField()
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True, db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=80, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("通知")

    def __str__(self) -> str:
        return f"{self.event} {self.pk}"
