from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InspectionsConfig(AppConfig):
    name = "xiezhi.domains.inspections"
    label = "inspections"
    verbose_name = _("综合查一次")

    def ready(self) -> None:
        from xiezhi.domains.inspections.rules import RULES
        from xiezhi.foundation.rules.registry import register

        register(RULES)
