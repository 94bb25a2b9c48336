from typing import Any

from django.apps import AppConfig
from django.apps.registry import Apps
from django.apps.registry import apps as live_apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


def load_data(sender: AppConfig, using: str, apps: Apps = live_apps, **kwargs: Any) -> None:
    """Bring the published years into a database that has this room's tables."""
    from xiezhi.foundation.calendar.services import load_published_years

    try:
        apps.get_model("calendar", "SpecialDay")
    except LookupError:  # migrated back to nothing
        return
    load_published_years(using=using)


class CalendarConfig(AppConfig):
    name = "xiezhi.foundation.calendar"
    label = "calendar"
    verbose_name = _("工作日历")

    def ready(self) -> None:
        post_migrate.connect(load_data, sender=self)
