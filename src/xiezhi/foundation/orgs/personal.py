"""What the register of officers holds about them."""

from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.privacy.holdings import KEEP, Datum, Holding, register

register(
    Holding(
        "orgs.officer",
        whose=_("执法人员"),
        purpose=_("排班、到场检查与执法留痕"),
        basis=_("《个人信息保护法》第十三条第一款第三项：为履行法定职责所必需"),
        opens=_("本部门与区级岗位"),
        fields={
            "name": Datum(_("姓名"), find="name", erased=KEEP),
            "certificate_number": Datum(_("执法证号"), erased=KEEP),
        },
        keeps=_("谁参加了检查是执法记录的一部分，随检查记录保存。"),
    ),
)
