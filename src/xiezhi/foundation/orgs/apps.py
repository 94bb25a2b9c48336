from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrgsConfig(AppConfig):
    name = "xiezhi.foundation.orgs"
    label = "orgs"
    verbose_name = _("机构与力量")
