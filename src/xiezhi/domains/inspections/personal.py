"""Who was there."""

from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.privacy.holdings import KEEP, Datum, Holding, not_personal, register

register(
    Holding(
        "inspections.attendance",
        whose=_("执法人员"),
        purpose=_("证明到场检查的人员具备执法资格"),
        basis=_("《个人信息保护法》第十三条第一款第三项：为履行法定职责所必需"),
        opens=_("参加检查的部门与区级岗位"),
        fields={"certificate_number": Datum(_("执法证号"), erased=KEEP)},
        keeps=_("检查记录的一部分，随检查记录保存。"),
    ),
)
not_personal({"inspections.itemversion.contact": "联络科室，不是个人"})
