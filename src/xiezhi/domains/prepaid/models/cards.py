from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.prepaid.models.merchants import Merchant
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.privacy.fields import EncryptedTextField


class OfMerchantQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """What belongs to the merchants that the actor sees."""
        return self.filter(merchant__in=Merchant.objects.visible_to(actor))


class Product(models.Model):
    """预付卡产品: what is sold. `price_fen` None: any amount (stored value). `uses`: how many times, for count and course cards."""

    class Kind(models.TextChoices):
        STORED = "stored", _("储值卡")
        COUNT = "count", _("次卡")
        PERIOD = "period", _("期限卡")
        COURSE = "course", _("课程卡")

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="products", verbose_name=_("发卡经营者"))
    code = models.CharField(_("产品代码"), max_length=30)
    name = models.CharField(_("名称"), max_length=60)
    kind = models.CharField(_("类别"), max_length=8, choices=Kind, default=Kind.STORED)
    price_fen = models.BigIntegerField(_("售价"), null=True, blank=True)
    bonus_fen = models.BigIntegerField(_("赠送金额"), default=0)
    uses = models.PositiveIntegerField(_("次数（课时）"), default=0)
    term_days = models.PositiveIntegerField(_("有效天数"), null=True, blank=True)
    named = models.BooleanField(_("记名"), default=True)
    confirm_each = models.BooleanField(
        _("每次核销由持卡人确认"), default=False, help_text=_("未确认的核销只冻结、不入账，到期自动退回。")
    )
    is_sold = models.BooleanField(_("在售"), default=True)
    created_at = models.DateTimeField()

    objects = OfMerchantQuerySet.as_manager()

    class Meta:
        verbose_name = _("预付卡产品")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "code"], name="prepaid_product_code_once"),
            models.CheckConstraint(condition=Q(price_fen=None) | Q(price_fen__gt=0), name="prepaid_product_price"),
            models.CheckConstraint(condition=Q(bonus_fen__gte=0), name="prepaid_product_bonus"),
        ]

    def __str__(self) -> str:
        return self.name


class Holder(models.Model):
    """持卡人 as one merchant knows them, found by `phone_digest`: the number itself is sealed. Whoever has the link whose token digests to `link` sees this holder's cards."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="holders")
    name = models.CharField(_("持卡人"), max_length=60, blank=True)
    phone = EncryptedTextField(_("手机号"), blank=True)
    phone_digest = models.CharField(max_length=64, blank=True, editable=False)
    link = models.BinaryField(max_length=32, null=True, unique=True)

    class Meta:
        verbose_name = _("持卡人")
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "phone_digest"], condition=~Q(phone_digest=""), name="prepaid_holder_phone_once"
            )
        ]

    def __str__(self) -> str:
        return self.name or str(_("不记名"))


class Card(models.Model):
    """预付卡. Its money is in the ledger; `number` names it to people and tills."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("正常")
        LOST = "lost", _("已挂失")
        CLOSED = "closed", _("已停用")

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="cards", verbose_name=_("发卡经营者"))
    number = models.CharField(_("卡号"), max_length=24, unique=True)
    product = models.ForeignKey(Product, models.PROTECT, related_name="cards", verbose_name=_("产品"))
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="cards", verbose_name=_("持卡人"))
    status = models.CharField(_("状态"), max_length=8, choices=Status, default=Status.ACTIVE)
    opened_at = models.DateTimeField(_("开卡时间"))
    expires_on = models.DateField(_("有效期止"), null=True, blank=True)
    recognised_on = models.DateField(_("期限卡已确认至"), null=True, blank=True)
    closed_at = models.DateTimeField(_("停用时间"), null=True, blank=True)
    successor = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="predecessor", verbose_name=_("转入新卡")
    )

    objects = OfMerchantQuerySet.as_manager()

    class Meta:
        verbose_name = _("预付卡")
        indexes = [models.Index(fields=["merchant", "-opened_at"], name="prepaid_cards_newest")]

    def __str__(self) -> str:
        return self.number
