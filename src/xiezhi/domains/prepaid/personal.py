"""持卡人: what merchants hold about them, how long, and what keeps it."""

from datetime import date, datetime
from typing import Any

from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.prepaid.models import Card, Holder, Merchant
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.services.holders import phone_digest
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.privacy.holdings import Datum, Holding, not_personal, register
from xiezhi.foundation.privacy.queries import years_before
from xiezhi.foundation.rules.queries import reading
from xiezhi.foundation.rules.registry import Confidence, Rule, Source, Version
from xiezhi.foundation.rules.registry import register as register_rules
from xiezhi.foundation.rules.values import Whole

KEEP_YEARS: Rule[int] = Rule(
    "prepaid.keep_holder_years",
    _("持卡人信息在卡停用后保存"),
    Whole(1, 30),
    (
        Version(
            5,
            date(2021, 11, 1),
            Source("《单用途商业预付卡管理办法（试行）》（商务部令2012年第9号）", "第十五条", "商务部", "全国"),
            Confidence.WORKING_DEFAULT,
            "购卡人登记信息保存五年以上。条文未能对照原文，现行效力待核实；到期后按最短必要期限删除。",
        ),
    ),
    _("年"),
)


def _ended(before: datetime) -> QuerySet[Any]:
    open_cards = Card.objects.filter(holder=OuterRef("pk")).exclude(status=Card.Status.CLOSED)
    holders = Holder.objects.exclude(name="", phone_digest="").filter(~Exists(open_cards))
    return holders.annotate(last_closed=Max("cards__closed_at")).filter(last_closed__lt=before)


def _duty(holder: Holder, at: datetime) -> str:
    if holder.cards.exclude(status=Card.Status.CLOSED).exists():
        return gettext("名下还有没有停用的卡，余额和退款要靠这些信息找到本人。退卡后再办理。")
    years = reading(KEEP_YEARS, on=at.date()).value
    if holder.cards.filter(closed_at__gte=years_before(at, years)).exists():
        return gettext("卡停用后要保存 %(years)s 年，还没有到期。") % {"years": years}
    return ""


def _openable(actor: Actor) -> QuerySet[Any]:
    if not actor.can(May.SELL) and not actor.can(May.SUPERVISE):
        return Holder.objects.none()
    return Holder.objects.filter(merchant__in=Merchant.objects.visible_to(actor))


register_rules([KEEP_YEARS])
register(
    Holding(
        "prepaid.holder",
        whose=_("持卡人"),
        purpose=_("认出持卡人，送达余额、退款和风险提示"),
        basis=_("《个人信息保护法》第十三条第一款第二项：为订立、履行合同所必需"),
        opens=_("发卡经营者、资金监管员，逐条留痕"),
        fields={
            "name": Datum(_("姓名"), find="name"),
            "phone": Datum(_("手机号"), find="phone", digest="phone_digest", digest_of=phone_digest, sealed=True),
        },
        keeps=_("卡、流水和余额以卡号记账，删除后不再指向个人，账目照常保存。"),
        rule=KEEP_YEARS,
        ended=_ended,
        duty=_duty,
        openable=_openable,
        also_cleared={"link": None},
    ),
)
not_personal(
    {
        "prepaid.bankaccount.number": "存管专户的账号，户主是经营者",
        "prepaid.webhook.url": "经营者收银系统的接口地址",
    }
)
