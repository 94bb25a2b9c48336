"""Rules of prepaid funds. Values from texts that were not read in full are working defaults, whatever they are quoted from."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.rules.registry import Confidence, Rule, Source, Version
from xiezhi.foundation.rules.values import Choice, ValueType, Whole

COMMERCE = Source(
    "《单用途商业预付卡备案及预收资金管理实施办法（试行）》（京商秩字〔2023〕18号）",
    body="北京市商务局",
    jurisdiction="北京市",
)
SPORTS = Source("京体产业字〔2023〕12号", body="北京市体育局", jurisdiction="北京市")
NATIONAL = Source("《单用途商业预付卡管理办法（试行）》（商务部令2012年第9号）", body="商务部", jurisdiction="全国")
CAPS = Source("国务院办公厅2011年文件（预付卡限额）", body="国务院办公厅", jurisdiction="全国")
COURT = Source("法释〔2025〕4号", "第十八条", "最高人民法院", "全国")
CITY = Source("《北京市单用途预付卡管理条例》", "第十六条", "北京市人民代表大会常务委员会", "北京市")
SHANGHAI = Source("上海市单用途预付消费卡管理实施办法（2019年文本，仅供参考）", "第十一条", jurisdiction="上海市")
OURS = Source()


def _default(
    name: str, title: Any, kind: ValueType[Any], value: Any, since: date, source: Source, note: str, unit: Any = ""
) -> Rule[Any]:
    version = Version(value, since, source, Confidence.WORKING_DEFAULT, note)
    return Rule(f"prepaid.{name}", title, kind, (version,), unit)


SINCE = date(2023, 9, 1)
SHARE = Whole(0, 100)

CUSTODY_COMMERCE: Rule[int] = _default(
    "custody_commerce", _("存管比例：零售、餐饮、居民服务"), SHARE, 40, SINCE, COMMERCE,
    "接受管理的预收资金不低于上季度末预收资金余额的 40%。文本未能通读，条款号与现行效力待核实。", "%",
)  # fmt: skip
CUSTODY_YOUTH_SPORTS: Rule[int] = _default(
    "custody_youth_sports", _("存管比例：青少年校外体育培训"), SHARE, 100, SINCE, SPORTS,
    "青少年校外体育培训预收费全额存管。文本未能通读，条款号待核实。", "%",
)  # fmt: skip
CUSTODY_FITNESS: Rule[int] = _default(
    "custody_fitness", _("存管比例：体育健身（成人）"), SHARE, 40, SINCE, OURS,
    "北京市对成人健身的比例没有查到，暂与商业行业相同。", "%",
)  # fmt: skip
CUSTODY_TRANSPORT: Rule[int] = _default(
    "custody_transport", _("存管比例：交通"), SHARE, 40, SINCE, OURS, "没有查到比例，暂与商业行业相同。", "%",
)  # fmt: skip
CUSTODY_OTHER: Rule[int] = _default(
    "custody_other", _("存管比例：其他行业"), SHARE, 40, SINCE, OURS, "没有查到比例，暂与商业行业相同。", "%",
)  # fmt: skip
CUSTODY_NEW: Rule[int] = _default(
    "custody_new", _("存管比例：新设立的经营者"), SHARE, 100, SINCE, SHANGHAI,
    "上海对成立不满一年的经营者要求全额存管，供参考；北京没有查到对应规定。不需要时改为与行业相同。", "%",
)  # fmt: skip
NEW_MONTHS: Rule[int] = _default(
    "new_months", _("“新设立”的期限"), Whole(0, 60), 12, SINCE, SHANGHAI, "填 0 表示不区分新设立。", _("个月"),
)  # fmt: skip
CURRENT_OR_QUARTER: Rule[str] = _default(
    "full_custody_basis", _("全额存管按哪一天的余额计算"),
    Choice({"current": _("当日余额"), "quarter_end": _("上季度末余额")}), "current", SINCE, OURS,
    "比例为 100% 时按当日余额，其余按上季度末余额。",
)  # fmt: skip
GUARANTEE_OFFSET: Rule[int] = _default(
    "guarantee_offset", _("保函、保险最多可以抵减的存管"), SHARE, 100, SINCE,
    Source(NATIONAL.instrument, "第二十八条", NATIONAL.body, NATIONAL.jurisdiction),
    "保证保险、银行保函可以冲抵全部或部分存管资金。现行效力待核实；北京市规定没有查到。", "%",
)  # fmt: skip
NAMED_CAP: Rule[int] = _default(
    "named_cap_yuan", _("记名卡限额"), Whole(0, 10_000_000), 5_000, SINCE, CAPS,
    "适用于零售、餐饮、居民服务。原文与现行效力待核实。", _("元"),
)  # fmt: skip
ANONYMOUS_CAP: Rule[int] = _default(
    "anonymous_cap_yuan", _("不记名卡限额"), Whole(0, 10_000_000), 1_000, SINCE, CAPS,
    "适用于零售、餐饮、居民服务。原文与现行效力待核实。", _("元"),
)  # fmt: skip
ANONYMOUS_TERM: Rule[int] = _default(
    "anonymous_term_years", _("不记名卡有效期至少"), Whole(0, 50), 3, SINCE, CAPS,
    "记名卡不得设有效期，不记名卡有效期不得少于 3 年。原文与现行效力待核实。", _("年"),
)  # fmt: skip
YOUTH_CAP: Rule[int] = _default(
    "youth_cap_yuan", _("青少年体育培训一次收费限额"), Whole(0, 10_000_000), 5_000, SINCE, SPORTS, "文本未能通读，待核实。", _("元"),
)  # fmt: skip
YOUTH_MONTHS: Rule[int] = _default(
    "youth_months", _("青少年体育培训一次收费时长"), Whole(0, 60), 3, SINCE, SPORTS, "文本未能通读，待核实。", _("个月"),
)  # fmt: skip
YOUTH_CLASSES: Rule[int] = _default(
    "youth_classes", _("青少年体育培训一次收费课时"), Whole(0, 1_000), 60, SINCE, SPORTS, "文本未能通读，待核实。", _("课时"),
)  # fmt: skip
BONUS_SPLIT: Rule[str] = _default(
    "bonus_split", _("消费时本金与赠送如何扣减"),
    Choice({"proportional": _("按剩余比例同时扣减"), "principal_first": _("先扣本金"), "bonus_first": _("先扣赠送")}),
    "proportional", date(2025, 5, 1), COURT,
    "司法解释规定退款时按实付与赠送的比例折算已消费金额；账上同时按比例扣减与之一致。合同另有更有利于消费者的约定时从约定。",
)  # fmt: skip
CONFIRM_HOURS: Rule[int] = _default(
    "confirm_hours", _("核销等待持卡人确认的时间"), Whole(1, 720), 24, SINCE, OURS, "到期没有确认的核销自动取消，金额退回卡内。", _("小时"),
)  # fmt: skip
RETURN_DAYS: Rule[int] = Rule(
    "prepaid.return_days", _("购卡后可以全额退卡的时间"), Whole(0, 90),
    (Version(
        7, date(2022, 6, 1), CITY, Confidence.CONFIRMED,
        "自购卡之日起七日内未兑付的可以退卡。期限卡在这段时间里不按期确认，全额退回仍在卡内。",
    ),),
    _("天"),
)  # fmt: skip
RELEASE_DAYS: Rule[int] = _default(
    "release_days", _("支取申请冻结的最长时间"), Whole(1, 90), 10, SINCE, OURS, "到期没有决定的申请自动失效，冻结解除。", _("天"),
)  # fmt: skip
MATCH_DAYS: Rule[int] = _default(
    "match_days", _("对账时入账日期最多相差"), Whole(0, 30), 3, SINCE, OURS, "没有流水参考号时按金额与日期相近匹配。", _("天"),
)  # fmt: skip
ESCALATE_DAYS: Rule[int] = _default(
    "escalate_days", _("对账差异未处理的升级时间"), Whole(1, 60), 3, SINCE, OURS, "超过这一时间的差异通知监管人员。", _("天"),
)  # fmt: skip

CUSTODY_BY_INDUSTRY = {
    "commerce": CUSTODY_COMMERCE,
    "youth_sports": CUSTODY_YOUTH_SPORTS,
    "fitness": CUSTODY_FITNESS,
    "transport": CUSTODY_TRANSPORT,
    "other": CUSTODY_OTHER,
}
RULES: tuple[Rule[Any], ...] = (
    *CUSTODY_BY_INDUSTRY.values(),
    CUSTODY_NEW,
    NEW_MONTHS,
    CURRENT_OR_QUARTER,
    GUARANTEE_OFFSET,
    NAMED_CAP,
    ANONYMOUS_CAP,
    ANONYMOUS_TERM,
    YOUTH_CAP,
    YOUTH_MONTHS,
    YOUTH_CLASSES,
    BONUS_SPLIT,
    CONFIRM_HOURS,
    RETURN_DAYS,
    RELEASE_DAYS,
    MATCH_DAYS,
    ESCALATE_DAYS,
)
