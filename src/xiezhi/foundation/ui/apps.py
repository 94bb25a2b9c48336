from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UiConfig(AppConfig):
    name = "xiezhi.foundation.ui"
    label = "ui"
    verbose_name = _("界面")

    def ready(self) -> None:
        from xiezhi.foundation.audit import labels

        labels.register(
            {
                "ui.view.saved": _("保存常用视图"),
                "ui.view.changed": _("修改常用视图"),
                "ui.view.removed": _("移除常用视图"),
            }
        )
