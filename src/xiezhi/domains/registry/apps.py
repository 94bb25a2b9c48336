from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegistryConfig(AppConfig):
    name = "xiezhi.domains.registry"
    label = "registry"
    verbose_name = _("经营主体")

    def ready(self) -> None:
        from xiezhi.domains.registry.imports import SubjectImport
        from xiezhi.foundation.imports.specs import register

        register(SubjectImport)
