from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "xiezhi.foundation.accounts"
    label = "accounts"
    verbose_name = _("账号")

    def ready(self) -> None:
        from xiezhi.foundation.accounts import listeners, services
        from xiezhi.foundation.accounts.models import AccountAct
        from xiezhi.foundation.audit import labels
        from xiezhi.foundation.jobs.periodic import register

        listeners.listen()
        labels.register({f"accounts.{kind}": label for kind, label in AccountAct.Kind.choices})
        labels.register(
            {
                "accounts.password_changed": _("本人修改密码"),
                "accounts.own_sessions_ended": _("本人结束会话"),
                "accounts.opened_by_phone": _("手机号开立账号"),
                "accounts.opened_from_directory": _("统一身份认证开立账号"),
                "accounts.factor_added": _("添加二次验证"),
                "accounts.factor_removed": _("删去二次验证"),
            }
        )
        register("accounts.tidy", timedelta(hours=6), lambda at: services.tidy(at=at))
