from typing import Any

from django.apps import AppConfig
from django.apps.registry import Apps
from django.db.models.signals import post_migrate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def load_rules(sender: AppConfig, using: str, apps: Apps, **kwargs: Any) -> None:
    """Bring the release's rules into a database that has this room's table."""
    from xiezhi.foundation.rules.services import load_declared_rules

    try:
        apps.get_model("rules", "RuleVersion")
    except LookupError:  # migrated back to nothing
        return
    load_declared_rules(using=using, at=timezone.now())


class RulesConfig(AppConfig):
    name = "xiezhi.foundation.rules"
    label = "rules"
    verbose_name = _("规则依据")

    def ready(self) -> None:
        post_migrate.connect(load_rules, sender=self)
