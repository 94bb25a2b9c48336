"""The closed lists of this room: kinds, channels, states, grounds. Data only; articles are those of 总局令第121号."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Kind(models.TextChoices):
    """诉求类型. Only a complaint (投诉) is mediated; only a report (举报) is confidential (arts. 3, 37)."""

    CONSULTATION = "consultation", _("咨询")
    HELP = "help", _("求助")
    COMPLAINT = "complaint", _("投诉")
    REPORT = "report", _("举报")
    SUGGESTION = "suggestion", _("建议")


class Channel(models.TextChoices):
    """Where it came in. The first five are statutory (art. 8) or the hotline's: clocks run from receipt there."""

    HOTLINE_12345 = "12345", _("12345 热线")
    PLATFORM_12315 = "12315", _("12315 平台")
    PHONE_12315 = "12315_phone", _("12315 电话")
    WINDOW = "window", _("窗口")
    POST = "post", _("信件")
    WEB = "web", _("网页")
    EMAIL = "email", _("电子邮件")
    OPEN311 = "open311", _("Open311")
    OTHER_PHONE = "phone", _("其他电话")
    TRANSFER = "transfer", _("其他部门转来")

    @property
    def is_statutory(self) -> bool:
        """Whether what comes in here is received in law at that moment; everything else is a lead first."""
        return self in STATUTORY


STATUTORY = frozenset(
    {Channel.HOTLINE_12345, Channel.PLATFORM_12315, Channel.PHONE_12315, Channel.WINDOW, Channel.POST}
)


class Register(models.TextChoices):
    """Whose number a case carries. Ours is only the workbench (art. 40)."""

    HOTLINE = "12345", _("12345 工单")
    PLATFORM = "12315", _("12315 平台")
    OTHER = "other", _("其他编号")


class Tier(models.TextChoices):
    """12345 办理时限."""

    TWO_HOURS = "2h", _("2 小时")
    ONE_DAY = "24h", _("24 小时")
    WEEK = "7d", _("7 天")
    FORTNIGHT = "15d", _("15 天")


class Urgency(models.TextChoices):
    NORMAL = "normal", pgettext_lazy("urgency", "一般")
    URGENT = "urgent", pgettext_lazy("urgency", "紧急")
    EMERGENCY = "emergency", _("危及生命财产")


class Demand(models.TextChoices):
    """诉求目的."""

    RETURN = "return", _("退货")
    EXCHANGE = "exchange", _("更换")
    REPAIR = "repair", _("修理")
    REFUND = "refund", _("退赔费用")
    COMPENSATE = "compensate", _("赔偿损失")
    PERFORM = "perform", _("履行约定")
    APOLOGY = "apology", _("赔礼道歉")
    INVESTIGATE = "investigate", _("查处违法行为")
    ANSWER = "answer", _("解答问题")
    IMPROVE = "improve", _("改进工作")
    OTHER = "other", pgettext_lazy("demand", "其他")


class CaseStatus(models.TextChoices):
    LEAD = "lead", _("线索待登记")
    REGISTERED = "registered", _("待派单")
    DISPATCHED = "dispatched", _("待签收")
    RETURNING = "returning", _("退单待审定")
    HANDLING = "handling", _("办理中")
    MEDIATING = "mediating", _("调解中")
    APPRAISAL = "appraisal", _("鉴定检测中")
    CONCLUDED = "concluded", _("待答复")
    REPLIED = "replied", _("已答复")
    CLOSED = "closed", pgettext_lazy("case", "已办结")
    DISMISSED = "dismissed", _("不作登记")
    MERGED = "merged", _("已并入")


OPEN = frozenset(
    {
        CaseStatus.LEAD,
        CaseStatus.REGISTERED,
        CaseStatus.DISPATCHED,
        CaseStatus.RETURNING,
        CaseStatus.HANDLING,
        CaseStatus.MEDIATING,
        CaseStatus.APPRAISAL,
        CaseStatus.CONCLUDED,
    }
)
"""Somebody still has to do something before the person has an answer."""
ENDED = frozenset({CaseStatus.CLOSED, CaseStatus.DISMISSED, CaseStatus.MERGED})


class Outcome(models.TextChoices):
    """How it came out; empty while open."""

    ANSWERED = "answered", _("已解答")
    SETTLED = "settled", _("调解达成一致")
    REFUSED = "refused", _("不予受理")
    TERMINATED = "terminated", _("终止调解")
    VERIFIED = "verified", _("核查属实")
    UNFOUNDED = "unfounded", _("核查不属实")
    REFERRED = "referred", _("告知其他途径")


class RefusalGround(models.TextChoices):
    """不予受理情形, art. 16: a closed list of seven."""

    NOT_OURS = "16-1", _("不属于市场监督管理部门职责，或者本机关不具有处理权限")
    ALREADY_HANDLED = (
        "16-2",
        _("法院、仲裁机构、市场监管部门、其他行政机关或者消费者协会已经受理或者处理过同一消费者权益争议"),
    )
    NOT_CONSUMPTION = "16-3", _("不是为生活消费需要，或者不能证明与被投诉人之间存在消费者权益争议")
    TOO_LATE = "16-4", _("自知道或者应当知道权益受到侵害之日起超过三年")
    MATERIAL = "16-5", _("未提供第十条第一款、第十一条规定的材料，或者材料虚假")
    IDENTITY = "16-6", _("冒用他人名义，或者拒绝配合核实身份")
    OTHER_LAW = "16-7", _("法律、法规、规章规定不予受理的其他情形")


class EndGround(models.TextChoices):
    """终止调解情形, art. 23: a closed list of eight."""

    WITHDRAWN = "23-1", _("投诉人撤回投诉或者双方自行和解")
    ABSENT = "23-2", _("一方无正当理由不参加调解，或者拒绝调解")
    NO_AGREEMENT = "23-3", _("一方明确表示不能达成一致")
    TEST_COST = "23-4", _("对检验、检测、检定、鉴定的费用承担协商不成")
    SIXTY_DAYS = "23-5", _("自受理之日起六十日内未能达成一致")
    FOUND_LATER = "23-6", _("受理后发现有第十六条、第四十二条规定情形")
    DEATH = "23-7", _("一方死亡或者终止")
    OTHER = "23-8", _("法律、法规、规章规定的其他应当终止的情形")


def article_of(ground: str) -> str:
    """第十六条第（二）项 for `16-2`; empty for an empty one."""
    numbers = {"16": "第十六条", "23": "第二十三条"}
    article, _dash, item = ground.partition("-")
    return f"{numbers[article]}第（{'一二三四五六七八'[int(item) - 1]}）项" if item else ""


class ReturnReason(models.TextChoices):
    """退单理由. The list is a working default: no source gives it."""

    NO_POWER = "no_power", _("不属本单位职责（第四十一条：退回受理机构，不得自行转办）")
    OTHER_AREA = "other_area", _("不在本辖区")
    REPEATED = "repeated", _("与在办诉求重复")
    UNCLEAR = "unclear", _("要素不全，无法联系和核实")
    OTHER = "other", pgettext_lazy("return", "其他")


class ClockKind(models.TextChoices):
    TIER = "tier", _("12345 办理")
    DECIDE = "decide", _("决定是否受理并告知")
    MEDIATE = "mediate", _("调解")
    TELL_END = "tell_end", _("告知终止调解")
    CLUE = "clue", _("核查违法线索")
    REPORT = "report", _("核查举报")
    JURISDICTION = "jurisdiction", _("协商管辖")
    MALL = "mall", _("商场回应")


class CallbackOutcome(models.TextChoices):
    RESOLVED = "resolved", _("已解决")
    PARTLY = "partly", _("部分解决")
    UNRESOLVED = "unresolved", _("未解决")
    NO_ANSWER = "no_answer", _("未接通")
    DECLINED = "declined", _("拒访")


class Satisfaction(models.TextChoices):
    SATISFIED = "satisfied", _("满意")
    FAIR = "fair", _("基本满意")
    DISSATISFIED = "dissatisfied", _("不满意")


ANSWERED = frozenset({CallbackOutcome.RESOLVED, CallbackOutcome.PARTLY, CallbackOutcome.UNRESOLVED})
"""The person said how it was; only these count in 解决率."""


class CallbackSource(models.TextChoices):
    """Who asked. An official result counts before ours."""

    OWN = "own", _("本局回访")
    CITIZEN = "citizen", _("诉求人评价")
    OFFICIAL = "official", _("12345 官方回访")


class HandoffKind(models.TextChoices):
    """What another system should take up. The row waits until that system says that it has."""

    REFUND = "refund", _("预付费退款测算")
    REWEIGH = "reweigh", _("复称")
    INSPECTION = "inspection", _("个案检查")
    RISK = "risk", _("商户风险信号")


class TopicStatus(models.TextChoices):
    """How a rising topic (未诉先办) stands."""

    RISING = "rising", _("待处置")
    CHECKED = "checked", _("已登记检查")
    SIGNALLED = "signalled", _("已发风险信号")
    DISMISSED = "dismissed", _("不处置")
    FADED = "faded", _("已回落")
