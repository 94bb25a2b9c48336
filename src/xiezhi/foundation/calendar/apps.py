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
        apps.get_model("calendar", "CalendarVersion")
    except LookupError:  # migrated back
        return
    load_published_years(using=using)


class CalendarConfig(AppConfig):
    name = "xiezhi.foundation.calendar"
    label = "calendar"
    verbose_name = _("工作日历")

    def ready(self) -> None:
        from xiezhi.foundation.audit import labels, links
        from xiezhi.foundation.calendar.attention import missing_notices
        from xiezhi.foundation.ui import attention, navigation

        post_migrate.connect(load_data, sender=self)
        labels.register({"calendar.imported": _("录入放假安排"), "calendar.deadline_moved": _("期限随放假安排调整")})
        labels.register_fields({"holidays": _("放假天数"), "makeup_days": _("调休上班天数")})
        links.register({"calendar.calendarversion": "calendar:version"})
        attention.register("calendar", missing_notices)
        navigation.register(navigation.Item(_("工作日历"), "calendar:year", "calendar", section="settings", order=55))
