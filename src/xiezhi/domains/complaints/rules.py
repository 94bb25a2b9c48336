"""The rules of the complaint desk that carry a value, each with what it rests on.

Order 121 (总局令第121号) was read as one copy of its 46 articles, not on the issuing body's own page: every period from it stays a
working default until somebody compares it (`note`). What no text gives is our own choice and says so.
"""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xiezhi.foundation.rules.registry import Confidence, Rule, Source, Version
from xiezhi.foundation.rules.values import Choice, Column, Flag, Table, ValueType, Whole

IN_FORCE = date(2026, 4, 15)
"""Order 121 came into force; Order 20 was repealed."""
SINCE = date(2021, 1, 1)
"""Where the desk's own defaults begin: before any case that can be entered."""
ORDER_121 = "《市场监督管理投诉举报处理办法》（国家市场监督管理总局令第121号）"
ORDER_20 = Source(
    "《市场监督管理投诉举报处理暂行办法》（国家市场监督管理总局令第20号）",
    body="国家市场监督管理总局",
    jurisdiction="全国",
)
READ_ONCE = "条文取自单一抄本，未能打开发布机关原文页面核对；核对后可在此确认。"
OPINION_2020 = Source(
    "《关于进一步深化“接诉即办”改革工作的意见》（2020年11月）",
    body="中共北京市委、北京市人民政府",
    jurisdiction="北京市",
)
OWN = Source()


def _article(article: str) -> Source:
    return Source(ORDER_121, article, "国家市场监督管理总局", "全国")


def _rule(
    name: str,
    title: Any,
    kind: ValueType[Any],
    value: Any,
    source: Source,
    note: str,
    *,
    since: date = SINCE,
    unit: Any = "",
) -> Rule[Any]:
    version = Version(value, since, source, Confidence.WORKING_DEFAULT, note)
    return Rule(f"complaints.{name}", title, kind, (version,), unit)


def _law(
    name: str, title: Any, kind: ValueType[Any], value: Any, article: str, note: str = "", **old: Any
) -> Rule[Any]:
    """A rule of Order 121, and before it what Order 20 said for cases received until then: the same unless `before` is given."""
    versions = (
        Version(
            old.get("before", value),
            SINCE,
            ORDER_20,
            Confidence.WORKING_DEFAULT,
            "已废止，只用于 2026-04-15 前收到的投诉举报。",
        ),
        Version(value, IN_FORCE, _article(article), Confidence.WORKING_DEFAULT, f"{READ_ONCE}{note}"),
    )
    return Rule(f"complaints.{name}", title, kind, versions, old.get("unit", ""))


def _period(name: str, title: Any, value: int, article: str) -> Rule[int]:
    return _law(name, title, Whole(1, 400), value, article, unit=_("个工作日"))


# Order 121

DECIDE_WORKDAYS = _period("decide_workdays", _("收到投诉后决定是否受理并告知"), 7, "第十五条")
MEDIATION = _law(
    "mediation",
    _("受理后未达成一致即终止调解"),
    Table(
        {"all": _("期限")}, {"days": Column(_("自然日"), Whole(0, 400)), "workdays": Column(_("工作日"), Whole(0, 400))}
    ),
    {"all": {"days": 60, "workdays": 0}},
    "第二十三条第（五）项",
    "原规定为四十五个工作日，现为六十日；检验、检测、检定、鉴定时间不计入（第二十二条）。",
    before={"all": {"days": 0, "workdays": 45}},
)
TELL_END_WORKDAYS = _period("tell_end_workdays", _("终止调解后告知双方"), 7, "第二十三条")
CLUE_WORKDAYS = _period("clue_workdays", _("调解中发现违法线索的核查"), 15, "第二十七条")
CLUE_EXTENSION_WORKDAYS = _period("clue_extension_workdays", _("线索核查经负责人批准延长"), 15, "第二十七条")
JURISDICTION_WORKDAYS = _period("jurisdiction_workdays", _("管辖争议协商"), 7, "第三十三条")
REPORT_WORKDAYS = _rule(
    "report_workdays", _("举报核查"), Whole(1, 400), 15,
    Source("《市场监督管理行政处罚程序规定》", body="国家市场监督管理总局", jurisdiction="全国"),
    "第三十五条规定按《行政处罚程序规定》办理，该规定现行文本未能核对：期限为工作默认值。", unit=_("个工作日"),
)  # fmt: skip
PAST_HOLIDAYS = _rule(
    "past_holidays", _("期间最后一日是法定节假日的，顺延到节后第一日"), Flag(), True, _article("第四十五条"), READ_ONCE
)
PAST_WEEKENDS = _rule(
    "past_weekends", _("期间最后一日是普通周末的，也顺延"), Flag(), False, OWN,
    "第四十五条只写法定节假日，是否包括普通周末没有依据；不顺延得到较早的期限，作为内部默认。",
)  # fmt: skip

# The hotline's tiers and ours

TIER_LENGTHS = _rule(
    "tier_lengths",
    _("12345 四档办理时限"),
    Table(
        {"2h": _("2 小时"), "24h": _("24 小时"), "7d": _("7 天"), "15d": _("15 天")},
        {
            "minutes": Column(_("分钟（按时计的档）"), Whole(0, 10_000)),
            "days": Column(_("天（按天计的档）"), Whole(0, 60)),
        },
    ),
    {
        "2h": {"minutes": 120, "days": 0},
        "24h": {"minutes": 1440, "days": 0},
        "7d": {"minutes": 0, "days": 7},
        "15d": {"minutes": 0, "days": 15},
    },
    OPINION_2020,
    "四档数字有多处转述印证；原文未能核对。",
)
TIER_DAYS_ARE = _rule(
    "tier_days_are", _("7 天、15 天两档按"), Choice({"days": _("自然日"), "workdays": _("工作日")}), "days", OWN,
    "没有查到公开依据；自然日得到较早的期限。",
)  # fmt: skip
RETURN_CLOCK = _rule(
    "return_clock", _("退单期间 12345 时限"),
    Choice({"runs": _("照常计算"), "pauses": _("审定期间不计"), "restarts": _("重新派单时重新起算")}), "runs", OWN,
    "退单小时数和计时办法属考评内部文件，没有公开依据。",
)  # fmt: skip
MALL_MINUTES = _rule(
    "mall_minutes", _("商场回应转来的诉求"), Whole(10, 10_080), 1440, OWN,
    "“24 小时投诉响应机制”见海淀区预付费商圈协同治理试点报道（2025年10月），不是法定期限。", unit=_("分钟"),
)  # fmt: skip
_STEPS = {
    "officer": Column(_("提醒承办人"), Whole(0, 10_000)),
    "head": Column(_("提级负责人"), Whole(0, 10_000)),
    "supervisor": Column(_("提级督办"), Whole(0, 10_000)),
}
LADDER_MINUTES = _rule(
    "ladder_minutes",
    _("按时计的期限：到期前多少分钟提醒和提级"),
    Table({"short": _("4 小时以内"), "long": _("4 小时以上")}, _STEPS),
    {"short": {"officer": 60, "head": 30, "supervisor": 0}, "long": {"officer": 480, "head": 120, "supervisor": 0}},
    OWN,
    "提醒和提级的时间没有公开依据，由各区自定。0 表示到期时。",
)
LADDER_DAYS = _rule(
    "ladder_days",
    _("按天计的期限：到期前多少个工作日提醒和提级"),
    Table({"all": _("各种期限")}, _STEPS),
    {"all": {"officer": 2, "head": 1, "supervisor": 0}},
    OWN,
    "提醒和提级的时间没有公开依据，由各区自定。0 表示到期时；其余在当天 9:00 发出。",
)

# Judgement, figures and feedback

CLAIM_CASES = _rule(
    "claim_cases", _("职业索赔提示：同一人一年内投诉达"), Whole(2, 1000), 5, _article("第十七条"),
    f"{READ_ONCE}条文只列考虑因素，不列数量；数量是工作默认值，只作提示，不得据此自动不予受理。", since=IN_FORCE, unit=_("件"),
)  # fmt: skip
CLAIM_SHARERS = _rule(
    "claim_sharers", _("职业索赔提示：使用同一电话或者地址的人数达"), Whole(2, 1000), 3, _article("第十七条"),
    f"{READ_ONCE}条文只列考虑因素，不列数量；数量是工作默认值。", since=IN_FORCE, unit=_("人"),
)  # fmt: skip
REHANDLED_TIMES = _rule(
    "rehandled_times", _("反复办理仍未解决，提级督办"), Whole(1, 20), 3, OWN,
    "参考外地“问题工单”做法（巴彦淖尔：重办三次或转办三次提级督办），不是本市规定。", unit=_("次"),
)  # fmt: skip
SUBJECT_RATE_CASES = _rule(
    "subject_rate_cases", _("商户三十日内诉求达此数，记风险信号"), Whole(1, 1000), 5, OWN, "工作默认值。", unit=_("件")
)
TOPIC_LEAST = _rule(
    "topic_least", _("未诉先办：近七天至少有此数"), Whole(2, 1000), 5, OWN, "工作默认值。", unit=_("件")
)
TOPIC_PERCENT = _rule(
    "topic_percent", _("未诉先办：近七天至少为前四周平均的百分之"), Whole(110, 1000), 200, OWN,
    "工作默认值；另须统计上不像偶然（二项检验，误报比例控制在百分之五）。", unit=_("%"),
)  # fmt: skip

# Callbacks (回访)

BEIJING_RULES = Source("《北京市接诉即办工作条例》", "", "北京市人民代表大会常务委员会", "北京市")
CALL_WHEN = _rule(
    "call_when", _("什么时候回访"),
    Choice({"limit": _("办理时限届满以后"), "reply": _("答复以后随时")}), "limit", BEIJING_RULES,
    "公开转述为“办理时限届满时回访”，条文序号未能核对。时限届满时还没有答复的，答复以后回访。",
)  # fmt: skip
CALL_SAMPLE_PERCENT = _rule(
    "call_sample_percent", _("12345 以外渠道的诉求抽取多少回访"), Whole(0, 100), 20, _article("第二十六条"),
    f"{READ_ONCE}条文规定以抽查、回访等方式评估办理质量，比例没有规定；12345 来的全部回访。", unit="%",
)  # fmt: skip
CALL_ATTEMPTS = _rule(
    "call_attempts", _("打不通的，回访几次为止"), Whole(1, 10), 3, OWN, "没有公开依据，由各区自定。", unit=_("次")
)
CALL_AGAIN_MINUTES = _rule(
    "call_again_minutes", _("没有打通的，隔多久再打"), Whole(5, 10_080), 240, OWN, "没有公开依据，由各区自定。", unit=_("分钟")
)  # fmt: skip
CITIZEN_ANSWER_DAYS = _rule(
    "citizen_answer_days", _("答复以后多少天内诉求人可以自己评价"), Whole(1, 365), 30, OWN, "没有公开依据，由各区自定。",
    unit=_("天"),
)  # fmt: skip
CLOSE_WITHOUT_CALL_DAYS = _rule(
    "close_without_call_days", _("不回访的诉求，答复多少天以后办结"), Whole(0, 365), 7, OWN,
    "没有抽中、不愿意接受回访、没有留电话的诉求不回访。没有公开依据，由各区自定。", unit=_("天"),
)  # fmt: skip
HIDE_SATISFACTION = _rule(
    "hide_satisfaction", _("办结以前不让承办人看到满意情况"), Flag(), True, OWN,
    "防止承办人找诉求人改口。没有公开依据，由各区自定。",
)  # fmt: skip

# Figures (成效): every one of these is a working definition (工作口径), never the assessment's own

OFFICIAL_UNKNOWN = "本市考评细则没有公开，这是本系统的工作口径，不是官方考评办法；取得正式口径后请在此修改。"
PARTLY_COUNTS = _rule("partly_counts", _("解决率：部分解决也算解决"), Flag(), False, OWN, OFFICIAL_UNKNOWN)
FAIR_COUNTS = _rule("fair_counts", _("满意率：基本满意也算满意"), Flag(), True, OWN, OFFICIAL_UNKNOWN)
WEIGHTS = _rule(
    "figure_weights", _("综合得分的权重（合计 100）"),
    Table(
        {"response": _("响应率"), "resolved": _("解决率"), "satisfied": _("满意率")},
        {"percent": Column(_("权重 %"), Whole(0, 100))},
    ),
    {"response": {"percent": 30}, "resolved": {"percent": 35}, "satisfied": {"percent": 35}}, OWN,
    f"{OFFICIAL_UNKNOWN}默认值参考外地做法（准格尔旗 30/35/35，单一来源）。",
)  # fmt: skip
SMALL_NUMBER = _rule(
    "small_number", _("对外公布的统计中，少于多少件的数隐去"), Whole(3, 50), 5,
    Source(ORDER_121, "第三十八条、第三十九条", "国家市场监督管理总局", "全国"),
    f"{READ_ONCE}第三十八条要求统计分析并公布消费投诉信息，第三十九条要求保守国家秘密、商业秘密和个人隐私；公示平台依据《市场监督管理投诉信息公示暂行规则》。条文没有规定数量：5 是工作默认值。",
    since=IN_FORCE, unit=_("件"),
)  # fmt: skip
PUBLISH_AFTER_DAYS = _rule(
    "publish_after_days",
    _("每月统计在次月几日公布"),
    Whole(1, 28),
    10,
    OWN,
    "没有公开依据，由各区自定。",
    unit=pgettext_lazy("day of the month", "日"),
)

RULES = (
    DECIDE_WORKDAYS,
    MEDIATION,
    TELL_END_WORKDAYS,
    CLUE_WORKDAYS,
    CLUE_EXTENSION_WORKDAYS,
    JURISDICTION_WORKDAYS,
    REPORT_WORKDAYS,
    PAST_HOLIDAYS,
    PAST_WEEKENDS,
    TIER_LENGTHS,
    TIER_DAYS_ARE,
    RETURN_CLOCK,
    MALL_MINUTES,
    LADDER_MINUTES,
    LADDER_DAYS,
    CLAIM_CASES,
    CLAIM_SHARERS,
    REHANDLED_TIMES,
    SUBJECT_RATE_CASES,
    CALL_WHEN,
    CALL_SAMPLE_PERCENT,
    CALL_ATTEMPTS,
    CALL_AGAIN_MINUTES,
    CITIZEN_ANSWER_DAYS,
    CLOSE_WITHOUT_CALL_DAYS,
    HIDE_SATISFACTION,
    PARTLY_COUNTS,
    FAIR_COUNTS,
    WEIGHTS,
    SMALL_NUMBER,
    PUBLISH_AFTER_DAYS,
    TOPIC_LEAST,
    TOPIC_PERCENT,
)
