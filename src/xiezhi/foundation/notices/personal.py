"""Where people want to be told."""

from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.privacy.holdings import KEEP, Datum, Holding, not_personal, register

register(
    Holding(
        "notices.wish",
        whose=_("有账号的人员"),
        purpose=_("按本人的选择把消息送到手机、邮箱"),
        basis=_("《个人信息保护法》第十三条第一款第一项：本人同意，可以随时撤回"),
        opens=_("无人；设置页只显示隐去中间的地址"),
        fields={"sealed_address": Datum(_("接收地址"), sealed=True, shown=False, erased=KEEP)},
        keeps=_("由本人在通知设置里随时删除。"),
    ),
)
not_personal({"notices.channel.sealed_address": "机构的通道地址，不属于任何个人；同样加密"})
