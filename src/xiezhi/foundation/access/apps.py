from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccessConfig(AppConfig):
    name = "xiezhi.foundation.access"
    label = "access"
    verbose_name = _("角色与任职")
