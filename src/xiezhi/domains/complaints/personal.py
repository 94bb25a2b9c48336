"""诉求人: what cases hold about them, how long, and what keeps it."""

from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.complaints.models import ComplaintParty
from xiezhi.domains.complaints.services.people import phone_digest
from xiezhi.foundation.privacy.holdings import KEEP, Datum, Holding, not_personal, register
from xiezhi.foundation.privacy.queries import years_before
from xiezhi.foundation.rules.queries import reading
from xiezhi.foundation.rules.registry import Confidence, Rule, Source, Version
from xiezhi.foundation.rules.registry import register as register_rules
from xiezhi.foundation.rules.values import Whole

DUTY = _("《个人信息保护法》第十三条第一款第三项：为履行法定职责所必需")
KEEP_YEARS: Rule[int] = Rule(
    "complaints.keep_person_years",
    _("诉求人信息在办结后保存"),
    Whole(1, 30),
    (
        Version(
            5,
            date(2021, 11, 1),
            Source(),
            Confidence.WORKING_DEFAULT,
            "没有查到专门的保存期限，暂取五年；以本区档案保管期限表为准，请核实后修改。",
        ),
    ),
    _("年"),
)


def _ended(before: datetime) -> QuerySet[Any]:
    something = ComplaintParty.objects.exclude(name="", phone_digest="", address="", email="")
    return something.filter(case__closed_at__lt=before)


def _duty(party: ComplaintParty, at: datetime) -> str:
    if party.case.closed_at is None:
        return gettext("诉求还没有办结。")
    years = reading(KEEP_YEARS, on=at.date()).value
    if party.case.closed_at >= years_before(at, years):
        return gettext("办结后要保存 %(years)s 年，还没有到期。") % {"years": years}
    return ""


register_rules([KEEP_YEARS])
register(
    Holding(
        "complaints.complaintparty",
        whose=_("诉求人"),
        purpose=_("受理、调解、答复和回访"),
        basis=DUTY,
        opens=_("承办单位与派单员，写明用途，逐次留痕；举报人只有承办单位和派单员"),
        fields={
            "name": Datum(_("姓名"), find="name"),
            "phone": Datum(_("电话"), find="phone", digest="phone_digest", digest_of=phone_digest, sealed=True),
            "address": Datum(_("地址"), digest="address_digest"),
            "email": Datum(_("电子邮箱"), find="email"),
        },
        keeps=_("案卷以编号保存，删除后不再指向个人。"),
        rule=KEEP_YEARS,
        ended=_ended,
        duty=_duty,
    ),
    Holding(
        "complaints.case",
        whose=_("诉求人和诉求里提到的人"),
        purpose=_("查明诉求的事实"),
        basis=DUTY,
        opens=_("承办单位与派单员；列表、对外和给商场看的文字都隐去号码"),
        fields={
            "description": Datum(_("诉求内容"), erased=KEEP),
            "demand_text": Datum(_("具体请求"), erased=KEEP),
        },
        keeps=_("案卷原文，随案卷保存；里面的号码在显示时隐去。"),
    ),
    Holding(
        "complaints.callback",
        whose=_("诉求人"),
        purpose=_("回访：是否响应、解决、满意"),
        basis=DUTY,
        opens=_("承办单位与派单员"),
        fields={"note": Datum(_("诉求人意见"), erased=KEEP)},
        keeps=_("考核依据，随案卷保存。"),
    ),
)
register(
    Holding(
        "complaints.draft",
        whose=_("正在填写诉求的人"),
        purpose=_("提交以前保留填写的内容"),
        basis=DUTY,
        opens=_("只有填写的那个浏览器"),
        fields={"answers": Datum(_("填写内容"), erased="", sealed=True, shown=False)},
        keeps=_("提交后立即清空，没有提交的一天后删除。"),
    ),
    Holding(
        "complaints.mail",
        whose=_("来信人"),
        purpose=_("把来信登记为诉求并回信"),
        basis=DUTY,
        opens=_("派单员；发件人和主题遮挡显示，原信只保留没能自动登记的"),
        fields={
            "sender": Datum(_("发件人"), erased="", sealed=True),
            "subject": Datum(_("主题"), erased="", sealed=True, shown=False),
            "original": Datum(_("原信"), erased="", sealed=True, shown=False),
        },
        keeps=_("来信的登记，随案卷保存。"),
    ),
)
not_personal(
    {
        "complaints.case.happened_on": "事情发生的日期",
        "complaints.case.respondent_address": "被诉经营者的地址",
    }
)
