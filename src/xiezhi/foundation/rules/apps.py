from typing import Any

from django.apps import AppConfig
from django.apps.registry import Apps
from django.apps.registry import apps as live_apps
from django.db.models.signals import post_migrate
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def load_rules(sender: AppConfig, using: str, apps: Apps = live_apps, **kwargs: Any) -> None:
    """Bring the release's rules into a database that has this room's table."""
    from xiezhi.foundation.rules.services import load_declared_rules

    try:
        apps.get_model("rules", "RuleVersion")
    except LookupError:  # migrated back to nothing
        return
    load_declared_rules(using=using, at=timezone.now())


def _page_of_version(key: str) -> str | None:
    from xiezhi.foundation.rules.models import RuleVersion

    version = RuleVersion.objects.filter(pk=key).first() if key.isdecimal() else None
    return reverse("rules:detail", args=[version.key]) if version else None


class RulesConfig(AppConfig):
    name = "xiezhi.foundation.rules"
    label = "rules"
    verbose_name = _("规则依据")

    def ready(self) -> None:
        from xiezhi.foundation.audit import labels, links
        from xiezhi.foundation.rules.attention import due_verifications
        from xiezhi.foundation.rules.models import RuleVersion
        from xiezhi.foundation.rules.registry import Confidence
        from xiezhi.foundation.ui import attention, navigation, statuses

        post_migrate.connect(load_rules, sender=self)
        labels.register(
            {
                "rules.changed": _("修改规则"),
                "rules.withdrawn": _("撤回未生效的规则版本"),
                "rules.verification_assigned": _("安排核实工作默认值"),
            }
        )
        links.register({"rules.ruleversion": _page_of_version})
        attention.register("rules", due_verifications)
        navigation.register(navigation.Item(_("规则依据"), "rules:list", "book-2", section="settings", order=50))
        statuses.dress(
            Confidence,
            {
                Confidence.CONFIRMED: ("circle-check", "good"),
                Confidence.WORKING_DEFAULT: ("alert-circle", "caution"),
            },
        )
        statuses.dress(
            RuleVersion.Period,
            {
                RuleVersion.Period.IN_FORCE: ("circle-check", "good"),
                RuleVersion.Period.TO_COME: ("clock", "active"),
                RuleVersion.Period.ENDED: ("circle-x", "neutral"),
            },
        )
