"""What this room itself holds, and columns of rooms that hold nobody's data though their names sound like it."""

from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.privacy.holdings import KEEP, Datum, Holding, not_personal, register
from xiezhi.foundation.privacy.models import Request


def _duty(request: Request, at: datetime) -> str:
    return gettext("申请办结后，查找内容随即删除。")


register(
    Holding(
        "privacy.request",
        whose=_("提出申请的个人"),
        purpose=_("办理查阅、复制、删除个人信息的申请"),
        basis=_("《个人信息保护法》第四十五条、第四十七条、第五十条"),
        opens=_("系统管理员"),
        fields={"sought": Datum(_("查找内容"), sealed=True, shown=False, erased=KEEP)},
        keeps=_("申请办结时即删除。"),
        duty=_duty,
    ),
)
not_personal(
    {
        "audit.head.signature": "审计链的数字签名",
        "files.storedfile.display_name": "上传时的文件名；文件随所属事项保存",
        "privacy.request.identity": "怎样核实的身份，不写证件号码",
    }
)
