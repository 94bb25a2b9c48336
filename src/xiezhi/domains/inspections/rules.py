"""The rules of joint inspection (综合查一次) that carry a value, R01–R20, each with what it rests on.

Everything here is a working default: the texts behind it were known from excerpts when this was written, not read in full, and
several values are other places' practice or our own choice. The note says which. A district confirms or replaces them on the rules
page; until then no screen may present them as law. `article` is empty where the clause could not be established.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.rules.registry import Confidence, Rule, Source, Version
from xiezhi.foundation.rules.values import (
    Cells,
    Choice,
    Column,
    DayOfYear,
    Flag,
    Number,
    Several,
    Table,
    ValueType,
    Whole,
    Yearly,
)

SINCE = date(2025, 1, 1)
"""Where a working default begins. No source gives these values a date; the State Council's opinions came out on 2025-01-03."""

OPINIONS = "《国务院办公厅关于严格规范涉企行政检查的意见》（国办发〔2024〕54号）"
STATE_COUNCIL = Source(OPINIONS, body="国务院办公厅", jurisdiction="全国")
ANSWERS = Source("《〈国务院办公厅关于严格规范涉企行政检查的意见〉有关问题解答》", body="司法部", jurisdiction="全国")
BEIJING = Source(
    "《北京市人民政府办公厅关于严格规范涉企行政检查的实施意见》（京政办发〔2025〕10号）",
    body="北京市人民政府办公厅",
    jurisdiction="北京市",
)
CREDIT_CLASSES = Source(
    "《市场监管总局关于推进企业信用风险分类管理进一步提升监管效能的意见》（国市监信发〔2022〕6号）",
    body="国家市场监督管理总局",
    jurisdiction="全国",
)
NO_SOURCE = Source()
REQUIRED = Choice({"required": _("必须遵守")})
"""A rule without a number: nothing to adjust, but it can be asked why like the others."""


def _default(
    name: str,
    title: Any,
    kind: ValueType[Any],
    value: Any,
    source: Source,
    note: str,
    *,
    code: str = "",
    unit: Any = "",
) -> Rule[Any]:
    version = Version(value, SINCE, source, Confidence.WORKING_DEFAULT, note)
    return Rule(f"inspections.{name}", title, kind, (version,), unit, code)


# Who may inspect what

PUBLISHED_ITEMS_ONLY: Rule[str] = _default(
    "published_items_only",
    _("清单之外无检查：只检查已公布的事项"),
    REQUIRED,
    "required",
    STATE_COUNCIL,
    "没有公布的检查事项不得检查。条款号待对照全文补齐。",
    code="R01",
)
QUALIFIED_OFFICERS_ONLY: Rule[str] = _default(
    "qualified_officers_only",
    _("只有具备主体资格的机构、持有效执法证的人员可以检查"),
    REQUIRED,
    "required",
    Source(BEIJING.instrument, "第一部分（一）（三）", BEIJING.body, BEIJING.jurisdiction),
    "行政检查应由行政机关、法律法规授权组织和依法受委托的组织实施；人员应当取得行政执法资格和证件。"
    "国办发〔2024〕54号有同样要求。执法证在检查当日有效由系统核对。",
    code="R01",
)
OFFICERS_PER_DEPARTMENT: Rule[int] = _default(
    "officers_per_department",
    _("到场的每个部门至少执法人员数"),
    Whole(1, 10),
    2,
    NO_SOURCE,
    "各地随机抽查普遍要求每个部门不少于 2 名持证人员，但没有查到适用于全部日常检查的权威条文，请法制机构核实后确认。",
    code="R02",
    unit=_("名"),
)
OFF_SITE_FIRST: Rule[str] = _default(
    "off_site_first",
    _("可以非现场完成的检查仍要到现场时"),
    Choice({"require_reason": _("须写明到现场的理由"), "remind": _("只提示，不要求理由")}),
    "require_reason",
    STATE_COUNCIL,
    "意见提出：能通过书面核查、信息共享、智慧监管等方式实现监管目的的，不入企检查。写明理由的做法是系统的默认设置。",
    code="R03",
)
SPECIAL_NEEDS_APPROVAL: Rule[str] = _default(
    "special_needs_approval",
    _("专项检查先报批准并备案"),
    REQUIRED,
    "required",
    STATE_COUNCIL,
    "专项检查实行年度数量控制，先拟订计划，经县级以上政府（垂直管理的经上一级）批准并备案。条款号待对照全文补齐。",
    code="R13",
)
NO_COUNT_TARGETS: Rule[str] = _default(
    "no_count_targets",
    _("不下达检查数量、罚没数额指标，不按其排名考核"),
    REQUIRED,
    "required",
    STATE_COUNCIL,
    "“五个严禁”含下达检查指标；“八个不得”含将考核考评、预算项目绩效与检查频次、罚没数额挂钩。系统不提供此类排名和指标。",
    code="R17",
)

# How often

ANNUAL_CAP: Rule[int] = _default(
    "annual_cap",
    _("同一机关对同一企业的年度检查上限"),
    Whole(1, 52),
    2,
    STATE_COUNCIL,
    "意见要求各主管部门公布同一机关对同一企业的年度检查频次上限，没有给出数值。"
    "各地公布过：湖北咸宁原则上 2 次；某市卫生执法每级 2 次、市县合计 4 次；北京经开区某高风险企业 12 次。",
    code="R04",
    unit=_("次/年"),
)
CASE_CHECKS_AND_CAP: Rule[str] = _default(
    "case_checks_and_cap",
    _("个案检查与年度上限"),
    Choice(
        {
            "count_only": _("计入次数，不因达到上限而阻断"),
            "block": _("计入次数，达到上限即阻断"),
            "exempt": _("不计入次数"),
        }
    ),
    "count_only",
    ANSWERS,
    "解答说明上限涵盖日常、个案、专项检查；有的市级部门把投诉、转办等十类个案排除在外。两种口径不一致，"
    "系统默认计入但不阻断，并同时显示两种合计。",
    code="R04",
)
SUPERIOR_ORDERED_COUNTS: Rule[bool] = _default(
    "superior_ordered_counts",
    _("上级部署的专项检查计入年度上限"),
    Flag(),
    False,
    ANSWERS,
    "解答说明上级部署的专项检查不计入频次上限，但计入年度统计。",
    code="R04",
)
CAP_EXEMPTIONS: Rule[tuple[str, ...]] = _default(
    "cap_exemptions",
    _("超过年度上限仍可检查的个案事由"),
    Several(
        {
            "complaint": _("投诉举报、12345 工单"),
            "transfer": _("国家、省级交办转办"),
            "support_superior": _("配合上级检查"),
            "audit": _("监督稽查"),
            "off_site_lead": _("非现场监管发现线索"),
            "media": _("媒体曝光"),
            "recheck": _("整改复查"),
            "enterprise_request": _("企业申请"),
            "permit": _("许可现场核查"),
            "emergency": _("其他法定紧急情形"),
        }
    ),
    (
        "complaint",
        "transfer",
        "support_superior",
        "audit",
        "off_site_lead",
        "media",
        "recheck",
        "enterprise_request",
        "permit",
        "emergency",
    ),
    NO_SOURCE,
    "参照某市卫生执法公布的十类不计频次的个案；本地以本级公布的标准为准。",
    code="R04",
)
RECHECKS_COUNT: Rule[bool] = _default(
    "rechecks_count",
    _("整改复查计入年度上限"),
    Flag(),
    False,
    NO_SOURCE,
    "参照某市卫生执法公布的标准，整改复查不计频次；能以书面材料证明整改的，先看材料。",
    code="R18",
)
DRAWS_PER_ITEM: Rule[int] = _default(
    "draws_per_item",
    _("同一事项随机抽查同一企业的年度上限"),
    Whole(1, 12),
    1,
    Source(body="工业和信息化部", jurisdiction="工业和信息化领域"),
    "工业和信息化部随机抽查办法：同一事项对同一对象原则上每年不超过 1 次；文件名称和条款待对照原文补齐，其他领域参照。",
    code="R05",
    unit=_("次/年"),
)
COOL_DOWN_MONTHS: Rule[int] = _default(
    "cool_down_months",
    _("联合检查后的静默期"),
    Whole(0, 24),
    6,
    Source(body="宁波市北仑区", jurisdiction="浙江省宁波市北仑区"),
    "北仑区对二级企业的做法：联合检查后 6 个月内不再安排常规检查。外地经验，本地未见规定。填 0 表示不设静默期。",
    code="R10",
    unit=_("个月"),
)
COOL_DOWN_EXCEPTIONS: Rule[tuple[str, ...]] = _default(
    "cool_down_exceptions",
    _("静默期内仍可进行的检查"),
    Several(
        {
            "case": _("个案检查（投诉核查等）"),
            "superior_ordered": _("上级部署的重大专项"),
            "special": _("本级专项检查"),
            "urgent": _("紧急安全检查"),
        }
    ),
    ("case", "superior_ordered", "urgent"),
    Source(body="宁波市北仑区", jurisdiction="浙江省宁波市北仑区"),
    "北仑区的例外是重大专项行动和投诉核查；紧急安全检查是系统的默认设置（R20）。",
    code="R10",
)
DO_NOT_DISTURB_EXCEPTIONS: Rule[tuple[str, ...]] = _default(
    "do_not_disturb_exceptions",
    _("“无事不扰”企业仍可进行的检查"),
    Several(
        {
            "case": _("投诉举报、转办交办、大数据线索等个案"),
            "superior_ordered": _("上级部署的专项"),
            "safety": _("涉及安全的检查"),
            "urgent": _("紧急检查"),
        }
    ),
    ("case", "superior_ordered", "safety", "urgent"),
    CREDIT_CLASSES,
    "A 类企业除投诉举报、大数据监测发现问题、转办交办和法律法规另有规定外，可以不主动检查。"
    "安全、生态环境、食品药品、健康类检查不因名单而免除，参照厦门市“白名单”的排除范围。",
    code="R11",
)
REPEAT_WARNING_DAYS: Rule[int] = _default(
    "repeat_warning_days",
    _("重复检查预警：同一机关再次进入同一企业的间隔"),
    Whole(0, 365),
    90,
    STATE_COUNCIL,
    "意见要求运用大数据预警重复检查、高频检查，没有给出数值；90 天是系统的默认设置。填 0 表示不预警。",
    code="R04",
    unit=_("天"),
)
HIGH_FREQUENCY_VISITS: Rule[int] = _default(
    "high_frequency_visits",
    _("高频检查预警：十二个月内各机关进入同一企业的次数"),
    Whole(1, 100),
    4,
    STATE_COUNCIL,
    "意见要求运用大数据预警重复检查、高频检查，没有给出数值；4 次参照某市卫生执法市县合计上限。",
    code="R04",
    unit=_("次"),
)
SAMPLING_RATES: Rule[Cells] = _default(
    "sampling_rates",
    _("按信用风险分类的抽查比例"),
    Table(
        {"A": _("A 类"), "B": _("B 类"), "C": _("C 类"), "D": _("D 类")},
        {"percent": Column(_("抽查比例"), Number(Decimal(0), Decimal(100)), "%")},
    ),
    {
        "A": {"percent": Decimal(1)},
        "B": {"percent": Decimal(2)},
        "C": {"percent": Decimal(10)},
        "D": {"percent": Decimal(30)},
    },
    CREDIT_CLASSES,
    "文件规定分类实施差异化抽查，没有给出比例。各地公布过：河南省局 2021 年 1、2、10、30%（系统默认采用）；"
    "大庆林甸农业领域 5% 以下、5—20%、21—60%、61—100%；巴彦淖尔三新企业 2022 年 2、5、100、100%。",
    code="R12",
)
UNRATED_SAMPLED_AS: Rule[str] = _default(
    "unrated_sampled_as",
    _("没有信用风险分类的主体，抽查时按哪一类"),
    Choice({"A": _("A 类"), "B": _("B 类"), "C": _("C 类"), "D": _("D 类")}),
    "B",
    NO_SOURCE,
    "新设主体等尚无分类。没有查到统一规定，按一般风险（B 类）抽取是系统的默认设置。",
    code="R12",
)

# Joint visits

JOINT_WHERE_POSSIBLE: Rule[str] = _default(
    "joint_where_possible",
    _("能合并的不重复、能联合的不多头"),
    REQUIRED,
    "required",
    STATE_COUNCIL,
    "同一时间段对同一企业的检查，系统先提出联合检查建议；部门不参加须写明理由。",
    code="R06",
)
MAX_DEPARTMENTS: Rule[int] = _default(
    "max_departments",
    _("一次联合检查的部门数"),
    Whole(1, 10),
    3,
    Source(body="马鞍山市", jurisdiction="安徽省马鞍山市"),
    "马鞍山市的做法是推荐 2—3 个部门一同检查，未见全国性规定。超过时提示，不阻断。",
    code="R07",
    unit=_("个部门"),
)
HONOUR_OPT_OUT: Rule[bool] = _default(
    "honour_opt_out",
    _("尊重企业不参加联合检查的选择"),
    Flag(),
    True,
    Source(body="马鞍山市", jurisdiction="安徽省马鞍山市"),
    "马鞍山市的企业可以在线选择不参加联合检查；选择后各部门分别检查。",
    code="R08",
)
ONE_VISIT_ONE_RECORD: Rule[str] = _default(
    "one_visit_one_record",
    _("联合检查计为一次，事项和结果仍分部门记录"),
    REQUIRED,
    "required",
    Source("深府规〔2025〕6号", body="深圳市人民政府", jurisdiction="广东省深圳市"),
    "深圳市“执法监督码”的做法：多部门联合检查按一次检查记录。文件名称待对照原文补齐，本地参照。",
    code="R09",
)
URGENT_WAITS_FOR_NOBODY: Rule[str] = _default(
    "urgent_waits_for_nobody",
    _("紧急安全、投诉检查不等待其他部门"),
    REQUIRED,
    "required",
    NO_SOURCE,
    "系统的设计原则：紧急检查先定日期，其他部门可以加入，不得因等待而推迟。",
    code="R20",
)
URGENT_OPEN_DAYS: Rule[int] = _default(
    "urgent_open_days",
    _("紧急检查须在最早的几个开放日内安排"),
    Whole(1, 20),
    2,
    NO_SOURCE,
    "系统的默认设置。开放日是承担部门当天有力量可派的日子。",
    code="R20",
    unit=_("个开放日"),
)
MAX_ON_SITE_MINUTES: Rule[int] = _default(
    "max_on_site_minutes",
    _("一次检查的现场时长上限"),
    Whole(30, 720),
    240,
    NO_SOURCE,
    "系统的默认设置：各部门同时进行，以用时最长的部门计；单项检查本身超过的可以单独进行。",
    unit=_("分钟"),
)
TRAVEL_MINUTES: Rule[int] = _default(
    "travel_minutes",
    _("每次检查每个部门计入的路途时间"),
    Whole(0, 240),
    20,
    NO_SOURCE,
    "系统的默认设置，用于估算力量占用。",
    unit=_("分钟"),
)

# Answers and deadlines

CONFIRMATION_WORKDAYS: Rule[int] = _default(
    "confirmation_workdays",
    _("部门答复联合检查建议的期限"),
    Whole(1, 30),
    3,
    NO_SOURCE,
    "系统的默认设置。到期未答复的先提醒、再升级，不视为同意。",
    unit=_("个工作日"),
)
REMINDER_LEAD_WORKDAYS: Rule[int] = _default(
    "reminder_lead_workdays",
    _("答复期限前提醒"),
    Whole(0, 10),
    1,
    NO_SOURCE,
    "系统的默认设置。",
    unit=_("个工作日"),
)
ESCALATION: Rule[Cells] = _default(
    "escalation",
    _("逾期未答复的升级步骤"),
    Table(
        {
            "head": _("告知部门负责人"),
            "coordinator": _("告知区级统筹员"),
            "release": _("移出本次联合检查"),
        },
        {"workdays": Column(_("逾期后"), Whole(0, 30), _("个工作日"))},
    ),
    {"head": {"workdays": 0}, "coordinator": {"workdays": 1}, "release": {"workdays": 3}},
    NO_SOURCE,
    "系统的默认设置。移出的部门的检查任务退回待统筹，其余部门照常。",
)
PLAN_DUE: Rule[DayOfYear] = _default(
    "plan_due",
    _("年度检查计划公布期限"),
    Yearly(),
    DayOfYear(3, 31),
    BEIJING,
    "每年 3 月底前制定并公布年度检查计划；潍坊、聊城、肇庆等地同此期限。条款号待对照全文补齐。",
    code="R13",
)
SPECIAL_PUBLICATION_MONTHS: Rule[int] = _default(
    "special_publication_months",
    _("专项检查计划批准后公布期限"),
    Whole(1, 12),
    1,
    Source("《上海市优化营商环境条例》", body="上海市人民代表大会常务委员会", jurisdiction="上海市"),
    "上海市规定专项检查计划经批准、备案后一个月内公布（2026 年 1 月 1 日起施行的修订）；其他地方参照，条款号待补齐。",
    code="R13",
    unit=_("个月"),
)

RULES: tuple[Rule[Any], ...] = tuple(value for value in list(vars().values()) if isinstance(value, Rule))
"""Every rule of this file, in its order."""
