from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeskConfig(AppConfig):
    name = "xiezhi.web.desk"
    label = "desk"
    verbose_name = _("工作台")

    def ready(self) -> None:
        from django.utils.module_loading import autodiscover_modules

        from xiezhi.foundation.access.permissions import AccessPermission
        from xiezhi.foundation.ui.navigation import Item, register

        autodiscover_modules("search")  # each room says there what can be found
        register(
            Item(_("工作台"), "desk:home", "home", section="start", order=0),
            Item(
                _("人员与任职"),
                "access:people",
                "users",
                permission=AccessPermission.MANAGE_PEOPLE.value,
                section="settings",
            ),
        )
