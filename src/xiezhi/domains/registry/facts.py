"""What the facts of a subject and of its premises look like: text as people write it in, the stored value out, or why not and how to mend.

Forms, services and imports all clean through here, so that a sheet and a screen agree on what is right.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _
from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError

from xiezhi.domains.registry import industries
from xiezhi.foundation.files.sheets.cells import tidy_text
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.errors import Refused

CONFUSED = {"I": "1", "O": "0", "Z": "2", "S": "5", "V": "U"}
"""Letters that GB 32100 leaves out because they are taken for others."""
LONGITUDES = (Decimal(73), Decimal("135.1"))
LATITUDES = (Decimal(3), Decimal("53.6"))
"""What lies outside cannot be in the country; reversed columns are the usual cause."""
DAY_NAMES = {"一": "1", "二": "2", "三": "3", "四": "4", "五": "5", "六": "6", "日": "7", "天": "7", "七": "7"}
NO_DAY = {"", "无", "无休", "全年无休", "不休", "不休息", "营业无休", "—", "-"}


class BadFact(Refused):
    """One fact that cannot be stored: `field` of the model, `reason`, and what to write instead (`mend`)."""

    def __init__(self, field: str, reason: str, mend: str) -> None:
        super().__init__(f"{reason}{mend}")
        self.field, self.reason, self.mend = field, reason, mend


@dataclass(frozen=True)
class PremisesFacts:
    """One door as someone tells it. `street` is the organisation of kind street; `closed_weekdays` digits 1–7, 1 for Monday."""

    address: str
    street: Organisation
    number: str = "1"
    name: str = ""
    longitude: Decimal | None = None
    latitude: Decimal | None = None
    closed_weekdays: str = ""
    is_open: bool = True


def folded(text: str) -> str:
    """NFKC without spaces at the ends: full-width digits and letters become the usual ones."""
    return unicodedata.normalize("NFKC", text).strip()


def clean_code(text: str) -> str:
    """A valid 统一社会信用代码 (GB 32100—2015), 18 capital letters and digits. Raises BadFact."""
    code = uscc.compact(folded(text))
    try:
        return str(uscc.validate(code))
    except InvalidLength:
        reason = _("统一社会信用代码应为 18 位，这里是 %(n)s 位。") % {"n": len(code)}
        raise BadFact("code", reason, _("请对照营业执照补全。")) from None
    except InvalidChecksum:
        reason = _("统一社会信用代码的校验位不对：按前 17 位应为 %(digit)s，这里是 %(given)s。") % {
            "digit": uscc.calc_check_digit(code[:17]),
            "given": code[17],
        }
        raise BadFact("code", reason, _("请对照营业执照逐位核对。")) from None
    except ValidationError:
        strange = [each for each in dict.fromkeys(code) if each in CONFUSED]
        reason = _("统一社会信用代码里有不该出现的字符。")
        mend = _("前 8 位只用数字，其余用数字和大写字母（没有 I、O、Z、S、V），请对照营业执照改正。")
        if strange:
            pairs = _("、").join(f"{each} → {CONFUSED[each]}" for each in strange)
            mend = _("代码不用字母 I、O、Z、S、V，多半是看错了：%(pairs)s。请对照营业执照改正。") % {"pairs": pairs}
        raise BadFact("code", reason, mend) from None


def clean_name(text: str, *, field: str = "name", most: int = 120) -> str:
    """A name or address without stray spaces. Raises BadFact when it is empty or longer than `most`."""
    name = tidy_text(text)
    if not name:
        raise BadFact(field, _("没有填写。"), _("请补上。"))
    if len(name) > most:
        raise BadFact(field, _("太长：%(n)s 个字。") % {"n": len(name)}, _("请缩短到 %(n)s 个字以内。") % {"n": most})
    return name


def clean_industry(text: str) -> str:
    """An industry code of GB/T 4754—2017: section letter and two to four digits (H6210), or the letter alone; empty stays empty.

    The letter follows from the digits, so `6210` is taken for H6210. Raises BadFact.
    """
    code = folded(text).upper()
    if not code:
        return ""
    mend = _("请写门类字母加 2 至 4 位数字，如 H6210。")
    if code in industries.SECTIONS:
        return code
    matched = re.fullmatch(r"([A-T]?)(\d{2,4})", code)
    if not matched:
        raise BadFact("industry", _("不像行业代码。"), mend)
    letter, digits = matched.groups()
    section = industries.section_of(int(digits[:2]))
    if section is None:
        raise BadFact("industry", _("GB/T 4754 没有大类 %(n)s。") % {"n": digits[:2]}, mend)
    if letter and letter != section:
        reason = _("大类 %(n)s 属于门类 %(right)s，不是 %(given)s。") % {
            "n": digits[:2],
            "right": section,
            "given": letter,
        }
        raise BadFact("industry", reason, _("请改成 %(code)s 或核对数字。") % {"code": section + digits})
    return section + digits


def clean_weekdays(text: str) -> str:
    """Closing days as digits in order: `周六、周日`, `星期六日`, `67`, `周一至周三`, `无`. Raises BadFact."""
    words = re.sub(r"[\s、,;，；/和及]", "", folded(text))
    if words in NO_DAY:
        return ""
    marked = re.sub(r"周末|双休日?", "67", words)
    marked = re.sub(r"每周|星期|礼拜|周|休息?", "", marked)
    digits = "".join(DAY_NAMES.get(each, each) for each in marked)
    digits = re.sub(r"([1-7])[至到\-~—]([1-7])", _days_between, digits)
    if not re.fullmatch(r"[1-7]+", digits):
        raise BadFact("closed_weekdays", _("看不懂是星期几。"), _("请写“周六、周日”或 67；没有休息日写“无”。"))
    if len(set(digits)) == 7:
        raise BadFact("closed_weekdays", _("一周七天都休息。"), _("已停业的请改“在营”或状态一栏。"))
    return "".join(sorted(set(digits)))


def _days_between(found: re.Match[str]) -> str:
    first, last = int(found[1]), int(found[2])
    return "".join(str(day) for day in range(first, last + 1)) if first <= last else found[0]


def clean_coordinate(text: str, field: str) -> Decimal | None:
    """`longitude` or `latitude` in degrees, six decimals; None when empty. Raises BadFact outside the country or not a number."""
    written = folded(text).rstrip("°").strip()
    if not written:
        return None
    try:
        value = Decimal(written)
        if not value.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise BadFact(field, _("不是数字。"), _("请写十进制度数，如 116.366800。")) from None
    low, high = LONGITUDES if field == "longitude" else LATITUDES
    other_low, other_high = LATITUDES if field == "longitude" else LONGITUDES
    if not low <= value <= high:
        swapped = other_low <= value <= other_high
        mend = _("经度和纬度可能填反了。") if swapped else _("经度在 73 至 135.1 之间，纬度在 3 至 53.6 之间。")
        raise BadFact(field, _("不在中国境内。"), mend)
    return value.quantize(Decimal("0.000001"))


def check_pair(longitude: Decimal | None, latitude: Decimal | None) -> None:
    """Both coordinates or neither. Raises BadFact."""
    if (longitude is None) != (latitude is None):
        field = "longitude" if longitude is None else "latitude"
        raise BadFact(field, _("经度和纬度只填了一个。"), _("请两个都填，或都不填。"))
