from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KeepingConfig(AppConfig):
    name = "xiezhi.foundation.keeping"
    label = "keeping"
    verbose_name = _("运维")

    def ready(self) -> None:
        from xiezhi.foundation.keeping import proofs

        proofs.register("database", proofs.prove_database)
        proofs.register("uploads", proofs.prove_uploads)
        proofs.register("audit", proofs.prove_audit)
