from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PrepaidConfig(AppConfig):
    name = "xiezhi.domains.prepaid"
    label = "prepaid"
    verbose_name = _("预付费资金")

    def ready(self) -> None:
        from xiezhi.domains.prepaid.rules import RULES
        from xiezhi.foundation.rules.registry import register

        register(RULES)
