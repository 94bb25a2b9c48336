from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "xiezhi.foundation.audit"
    label = "audit"
    verbose_name = _("审计")

    def ready(self) -> None:
        from xiezhi.foundation.audit.hashing import check_chain_hash
        from xiezhi.foundation.audit.permissions import AuditPermission
        from xiezhi.foundation.ui import navigation

        checks.register(check_chain_hash)
        navigation.register(
            navigation.Item(
                _("审计记录"), "audit:list", "history", AuditPermission.READ.value, section="settings", order=60
            )
        )
