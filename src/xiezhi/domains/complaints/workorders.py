"""工单: what the hotline's and the platform's work orders call things, whether pasted as text or sent as a file. Pure; what it does not
know it leaves out."""

import re
from collections.abc import Mapping

LABELS: Mapping[str, tuple[str, ...]] = {
    "number": (
        "工单编号", "工单号", "工单流水号", "流水号", "诉求编号", "登记编号", "投诉编号", "举报编号", "投诉单号", "信息编号",
        "受理编号", "业务编号", "编号", "单号",
    ),
    "kind": ("诉求类型", "诉求类别", "诉求性质", "工单类型", "工单类别", "业务类型", "信息类型", "反映类型", "类型"),
    "received_at": (
        "诉求时间", "来电时间", "反映时间", "受理时间", "接收时间", "登记时间", "投诉时间", "举报时间", "创建时间", "建单时间",
        "派单时间", "接单时间",
    ),
    "name": (
        "诉求人姓名", "来电人姓名", "反映人姓名", "投诉人姓名", "举报人姓名", "提供方姓名", "市民姓名", "诉求人", "来电人",
        "反映人", "投诉人", "举报人", "提供方", "联系人", "姓名",
    ),
    "phone": (
        "诉求人电话", "投诉人电话", "举报人电话", "提供方电话", "联系电话", "来电号码", "来电电话", "手机号码", "手机号",
        "联系方式", "主叫号码", "电话",
    ),
    "person_address": ("诉求人地址", "投诉人地址", "举报人地址", "提供方地址", "通讯地址", "联系地址", "家庭住址", "住址"),
    "title": ("诉求标题", "工单标题", "标题", "主题", "事由"),
    "description": (
        "诉求内容", "主要内容", "问题描述", "事项描述", "反映内容", "反映情况", "投诉内容", "举报内容", "投诉详情", "举报详情",
        "来电内容", "内容描述", "工单内容", "事件描述", "内容",
    ),
    "demand_text": ("诉求目的", "投诉请求", "投诉诉求", "具体诉求", "具体请求", "诉求请求", "市民诉求", "希望解决", "诉求"),
    "category": (
        "问题分类", "诉求分类", "问题类别", "投诉问题类别", "举报问题类别", "诉求问题类别", "三级分类", "二级分类", "分类", "类别",
    ),
    "urgency": ("紧急程度", "缓急程度", "紧急级别", "工单级别"),
    "tier": ("办理时限", "处理时限", "时限要求", "办结时限", "处置时限"),
    "respondent_name": (
        "被反映单位", "被反映主体", "被诉方名称", "被投诉方名称", "被举报方名称", "涉及主体名称", "被诉方", "被投诉方", "被投诉人",
        "被投诉单位", "被举报方", "被举报人", "被举报单位", "涉诉主体", "涉及主体", "涉及单位", "企业名称", "商户名称", "商家名称",
    ),
    "subject_code": ("统一社会信用代码", "社会信用代码", "信用代码", "被诉方统一社会信用代码"),
    "respondent_address": (
        "被诉方地址", "被反映单位地址", "被投诉方地址", "被举报方地址", "涉及主体地址", "经营地址", "企业地址", "商户地址", "店铺地址",
    ),
    "place": ("问题地址", "事发地址", "发生地址", "诉求地址", "问题点位", "发生地点", "事发地点", "问题地点", "事件地址"),
    "street": ("所属街道", "街道乡镇", "街道（乡镇）", "属地街道", "街乡镇", "所属街乡", "街道"),
    "happened_on": ("发生日期", "事发时间", "发生时间", "事件时间", "购买日期", "消费时间"),
    "ignored": (
        "承办单位", "主办单位", "派发单位", "受理单位", "转办意见", "派单意见", "办理意见", "办理要求", "截止时间", "办结期限", "备注",
        "附件", "坐席工号", "受理员", "来源渠道", "诉求渠道", "是否保密", "是否回访", "回访要求", "性别", "年龄", "身份证号", "证件号码",
        "涉及金额", "涉案金额", "客体类别", "商品名称", "品牌", "网站名称", "订单编号", "订单号", "邮箱", "电子邮箱",
    ),
}  # fmt: skip
"""Field of ours → what offices call it, in their files' headings as in their work orders. `ignored`: what only ends the field before it."""
KINDS = {
    "投诉": "complaint",
    "举报": "report",
    "咨询": "consultation",
    "求助": "help",
    "建议": "suggestion",
    "意见": "suggestion",
}
_FIELD = {label: field for field, labels in LABELS.items() for label in labels}
_WORDS = "|".join(sorted((r"[ \u3000]*".join(map(re.escape, label)) for label in _FIELD), key=len, reverse=True))
_NOTE = r"(?:[（(][^（()）\n]*[)）])?"
# 【工单编号】123 anywhere; 工单编号：123 or 工单编号\t123 (a copied table) at the start of a line, behind a blank or a semicolon; or the label on
# a line of its own with the value below.
_LABEL = re.compile(
    rf"[【\[〔](?P<box>{_WORDS}){_NOTE}[】\]〕][ \u3000]*[：:]?"
    rf"|(?:^|(?<=[\s；;，,。、|｜]))\**(?P<word>{_WORDS}){_NOTE}[ \u3000]*(?:[：:|｜]|\t)"
    rf"|^[ \u3000]*(?P<line>{_WORDS}){_NOTE}[ \u3000]*(?=\n)",
    re.MULTILINE,
)
_MOMENT = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ \u3000T]*(上午|下午|晚上?|早上|中午)?[ \u3000]*(\d{1,2})[:：时点](\d{1,2})?)?"
)
_TIERS = ((re.compile(r"(?:15|十五)\s*(?:个)?(?:天|日|工作日|自然日)"), "15d"), (re.compile(r"(?:7|七)\s*(?:个)?(?:天|日|工作日|自然日)"), "7d"),
          (re.compile(r"(?:24|二十四)\s*(?:个)?(?:小时|h)|(?<!\d)[1一]\s*(?:个)?(?:天|日|工作日)"), "24h"), (re.compile(r"(?<!\d)(?:2|二|两)\s*(?:个)?(?:小时|h)"), "2h"))  # fmt: skip
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)")
_NUMBER = re.compile(r"(?<![0-9A-Za-z])(?:[A-Z]{1,4})?\d{12,24}(?![0-9A-Za-z])")
_MERCHANT = re.compile(
    r"([\u4e00-\u9fffA-Za-z0-9（）()·]{2,30}?(?:有限责任公司|有限公司|股份公司|集团|商行|超市|餐厅|饭店|酒店|药店|健身房|商店|门店|经营部)(?:有限责任公司|有限公司)?)"
)
_BLANK = "无 空 不详 未知 暂无 — - / 未提供 未填写 null NULL None"
EMPTY = frozenset(_BLANK.split())
"""What offices write where they know nothing."""


def kinds_in(text: str) -> list[str]:
    """The kinds that a work order's type names, in the order of the law's words: 投诉举报 is both."""
    return list(dict.fromkeys(code for word, code in KINDS.items() if word in text))


def kind_of(text: str) -> str:
    """The kind that a work order's type names, a complaint before a report; empty when it names none."""
    return next(iter(kinds_in(text)), "")


def is_mixed(kind: str, description: str) -> bool:
    """Whether material under one type asks for both: a dispute settled and a violation looked into (art. 9). A hint, never a decision."""
    named = kinds_in(kind) if kind not in KINDS.values() else [kind]
    if {"complaint", "report"} <= set(named):
        return True
    asked = re.search(
        r"(?:要求|请求|希望|请|并|同时|一并|予以|依法)[^。；;\n]{0,12}(?:举报|查处|处罚|立案)|举报(?:该|其|商家|店家|这家)",
        description,
    )
    return bool(asked) and named[:1] == ["complaint"]


def tier_of(text: str) -> str:
    """2h, 24h, 7d or 15d; empty for anything else, a date among them."""
    return next((code for pattern, code in _TIERS if pattern.search(text)), "")


def urgency_of(text: str) -> str:
    """How urgent a work order says it is; ordinary when it says nothing that we know."""
    if re.search(r"特急|突发|危及|一级", text):
        return "emergency"
    return "urgent" if re.search(r"(?<!不)(?<!非)紧?急", text) else "normal"


def split_order(text: str) -> dict[str, str]:
    """Fields of the intake form found in a pasted work order, as text: those of `LABELS`, kinds and tiers as codes, `received_at` as
    ISO minutes. A text without any label is taken as the description; a mobile number or a long number in it is still found."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    found: dict[str, str] = {}
    marks = _marks(text)
    for position, mark in enumerate(marks):
        end = marks[position + 1].start() if position + 1 < len(marks) else len(text)
        value = text[mark.end() : end].strip(" \t\n\u3000；;，,、|｜【[〔*")
        field = _field(mark)
        if value and value not in EMPTY:
            found.setdefault(field, value)
    found.pop("ignored", None)
    if "description" not in found:
        _take_rest(text, marks, found)
    _as_codes(found)
    _look_in_text(text, found)
    return {field: value for field, value in found.items() if value}


def _field(mark: re.Match[str]) -> str:
    return _FIELD[re.sub(r"[ \u3000]", "", mark["box"] or mark["word"] or mark["line"])]


def _marks(text: str) -> list[re.Match[str]]:
    """The labels of a work order. Behind a comma or a full stop within the content a label is part of somebody's sentence."""
    marks: list[re.Match[str]] = []
    for mark in _LABEL.finditer(text):
        in_sentence = mark["word"] and text[mark.start() - 1 : mark.start()] in {"，", ",", "。", "、"}
        if not (in_sentence and marks and _field(marks[-1]) == "description"):
            marks.append(mark)
    return marks


def _take_rest(text: str, marks: list[re.Match[str]], found: dict[str, str]) -> None:
    """No label says what it is about: what stands before the first label is it, else the title."""
    before = text[: marks[0].start()].strip() if marks else text.strip()
    found["description"] = before if len(before) > 10 or not marks else found.get("title", before)


def _look_in_text(text: str, found: dict[str, str]) -> None:
    if "phone" not in found and (mobile := _MOBILE.search(text)):
        found["phone"] = mobile[0]
    if "number" not in found and (number := _NUMBER.search(text)) and number[0] != found.get("phone"):
        found["number"] = number[0]
    if "phone" in found and (mobile := _MOBILE.search(found["phone"])):
        found["phone"] = mobile[0]
    if "respondent_name" not in found and (named := _MERCHANT.search(found.get("description", ""))):
        found["respondent_name"] = re.sub(r"^.*(?:在|反映|投诉|举报|称|到|向|购买了?|去)(?=.{2})", "", named[1])


def _as_codes(found: dict[str, str]) -> None:
    if "number" in found:
        found["number"] = found["number"].split()[0]
    if "kind" in found:
        found["kind"] = kind_of(found["kind"])
    if "tier" in found:
        found["tier"] = tier_of(found["tier"])
    if "urgency" in found:
        found["urgency"] = urgency_of(found["urgency"])
    for field in ("received_at", "happened_on"):
        if field in found:
            found[field] = _iso(found[field], day=field == "happened_on")


def _iso(text: str, *, day: bool) -> str:
    moment = _MOMENT.search(text)
    if moment is None:
        return ""
    year, month, date, half, hour, minute = moment.groups()
    written = f"{year}-{int(month):02d}-{int(date):02d}"
    if day:
        return written
    hours = int(hour or 0)
    if half in {"下午", "晚", "晚上"} and hours < 12:
        hours += 12
    return f"{written}T{hours:02d}:{int(minute or 0):02d}"
