"""工单文本: a 12345 or 12315 work order pasted as text is split into the fields of the intake form. Pure; what it does not know it leaves out."""

import re
from collections.abc import Mapping

LABELS: Mapping[str, tuple[str, ...]] = {
    "number": ("工单编号", "工单号", "诉求编号", "登记编号", "投诉编号", "编号"),
    "name": ("诉求人姓名", "来电人姓名", "反映人姓名", "投诉人姓名", "诉求人", "来电人", "反映人", "投诉人", "姓名"),
    "phone": ("联系电话", "联系方式", "来电号码", "来电电话", "诉求人电话", "手机号码", "手机号", "电话"),
    "person_address": ("诉求人地址", "联系地址", "投诉人地址", "家庭住址", "住址"),
    "kind": ("诉求类型", "诉求类别", "工单类型", "业务类型"),
    "received_at": ("诉求时间", "来电时间", "受理时间", "登记时间", "创建时间", "派单时间"),
    "respondent_name": (
        "被反映单位",
        "被反映主体",
        "被诉方",
        "被投诉方",
        "被投诉单位",
        "被举报方",
        "企业名称",
        "商户名称",
        "涉诉主体",
    ),
    "respondent_address": ("被诉方地址", "被反映单位地址", "被投诉方地址", "经营地址", "企业地址"),
    "place": ("问题地址", "事发地址", "发生地址", "诉求地址", "问题点位", "发生地点"),
    "street": ("所属街道", "街道乡镇", "属地街道", "街道"),
    "demand_text": ("诉求目的", "具体诉求", "诉求请求", "希望解决"),
    "tier": ("办理时限", "处理时限", "时限要求"),
    "urgency": ("紧急程度", "缓急程度"),
    "title": ("诉求标题", "工单标题", "标题", "主题"),
    "description": (
        "诉求内容",
        "主要内容",
        "问题描述",
        "反映内容",
        "投诉内容",
        "举报内容",
        "来电内容",
        "内容描述",
        "内容",
    ),
}
KINDS = {"咨询": "consultation", "求助": "help", "投诉": "complaint", "举报": "report", "建议": "suggestion"}
_FIELD = {label: field for field, labels in LABELS.items() for label in labels}
_LABEL = re.compile(
    r"(?:^|(?<=[\s；;，,。|｜]))[【\[]?("
    + "|".join(sorted(map(re.escape, _FIELD), key=len, reverse=True))
    + r")[】\]]?[ \u3000]*[：:\t|｜]"
)
_MOMENT = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]*(\d{1,2})[:：时](\d{1,2}))?")
_TIERS = ((re.compile(r"15\s*(?:天|日|个工作日)"), "15d"), (re.compile(r"7\s*(?:天|日|个工作日)"), "7d"),
          (re.compile(r"24\s*(?:小时|h)"), "24h"), (re.compile(r"(?<!\d)2\s*(?:小时|h)"), "2h"))  # fmt: skip
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)")
_NUMBER = re.compile(r"(?<![0-9A-Za-z])(?:FT|BJ|DD|TS|JB)?\d{12,24}(?![0-9A-Za-z])")


def split_order(text: str) -> dict[str, str]:
    """Fields of the intake form found in a pasted work order, as text: those of `LABELS`, kinds and tiers as codes, `received_at` as
    ISO minutes. A text without any label is taken as the description; a mobile number or a long number in it is still found."""
    found: dict[str, str] = {}
    marks = list(_LABEL.finditer(text))
    for position, mark in enumerate(marks):
        end = marks[position + 1].start() if position + 1 < len(marks) else len(text)
        value = text[mark.end() : end].strip(" \t\n\r\u3000；;，,|｜【[")
        found.setdefault(_FIELD[mark[1]], value)
    if not marks:
        found["description"] = text.strip()
    _as_codes(found)
    if "phone" not in found and (mobile := _MOBILE.search(text)):
        found["phone"] = mobile[0]
    if "number" not in found and (number := _NUMBER.search(text)) and number[0] != found.get("phone"):
        found["number"] = number[0]
    return {field: value for field, value in found.items() if value}


def _as_codes(found: dict[str, str]) -> None:
    if "kind" in found:
        found["kind"] = next((code for word, code in KINDS.items() if word in found["kind"]), "")
    if "tier" in found:
        found["tier"] = next((code for pattern, code in _TIERS if pattern.search(found["tier"])), "")
    if "urgency" in found:
        word = found["urgency"]
        found["urgency"] = (
            "emergency"
            if "特急" in word or "突发" in word
            else "urgent"
            if "急" in word and "不" not in word
            else "normal"
        )
    if moment := _MOMENT.search(found.get("received_at", "")):
        year, month, day, hour, minute = (int(each or 0) for each in moment.groups())
        found["received_at"] = f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}"
    elif "received_at" in found:
        del found["received_at"]
