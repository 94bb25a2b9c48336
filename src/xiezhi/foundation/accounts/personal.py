"""What accounts hold about the people who sign in."""

from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.accounts import phones
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.privacy.holdings import KEEP, Datum, Holding, register
from xiezhi.foundation.workflow.errors import Refused

DUTY = _("《个人信息保护法》第十三条第一款第三项：为履行法定职责所必需")
STAFF = _("有账号的人员")


def _digest(number: str) -> str:
    try:
        return phones.digest(phones.normal(number))
    except Refused:
        return ""


def _duty(user: User, at: datetime) -> str:
    return gettext("账号仍在使用。请先停用账号，再删除手机号和邮箱。") if user.is_active else ""


register(
    Holding(
        "accounts.user",
        whose=STAFF,
        purpose=_("登录、指派工作、留痕"),
        basis=DUTY,
        opens=_("系统管理员；姓名对同事可见。手机号只存摘要和末四位，谁也打不开"),
        fields={
            "username": Datum(_("登录名"), erased=KEEP),
            "display_name": Datum(_("姓名"), find="name", erased=KEEP),
            "email": Datum(_("邮箱"), find="email"),
            "phone_digest": Datum(
                _("手机号的摘要"), find="phone", digest="phone_digest", digest_of=_digest, erased=None, shown=False
            ),
            "phone_tail": Datum(_("手机号末四位")),
        },
        keeps=_("登录名和姓名是谁办了什么事的记录，随办理记录保存。"),
        duty=_duty,
        also_cleared={"phone_verified_at": None},
    ),
    Holding(
        "account.emailaddress",
        whose=STAFF,
        purpose=_("登录组件留作核对邮箱之用，本系统不写入"),
        basis=DUTY,
        opens=_("无人"),
        fields={"email": Datum(_("邮箱"), find="email", erased=KEEP)},
        keeps=_("随账号保存。"),
    ),
    Holding(
        "usersessions.usersession",
        whose=STAFF,
        purpose=_("让本人认出并结束自己的登录"),
        basis=DUTY,
        opens=_("本人，只显示地址的前半"),
        fields={"ip": Datum(_("网络地址"), erased=KEEP), "user_agent": Datum(_("浏览器"), erased=KEEP)},
        keeps=_("会话结束后随之删除。"),
    ),
)
