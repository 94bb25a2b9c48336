from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccessConfig(AppConfig):
    name = "xiezhi.foundation.access"
    label = "access"
    verbose_name = _("角色与任职")

    def ready(self) -> None:
        from xiezhi.foundation.audit import labels

        labels.register(
            {
                "access.account_opened": _("开立账号"),
                "access.appointed": _("任命"),
                "access.membership_ended": _("结束任职"),
            }
        )
