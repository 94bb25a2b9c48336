from datetime import timedelta

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class PrivacyConfig(AppConfig):
    name = "xiezhi.foundation.privacy"
    label = "privacy"
    verbose_name = _("个人信息")

    def ready(self) -> None:
        from xiezhi.foundation.audit import labels, links
        from xiezhi.foundation.jobs import periodic
        from xiezhi.foundation.privacy import services, tasks
        from xiezhi.foundation.privacy.models import Request
        from xiezhi.foundation.privacy.permissions import PrivacyPermission
        from xiezhi.foundation.ui import navigation, statuses

        assert tasks  # importing it registers the handler
        autodiscover_modules("personal")  # each room's own part of the map
        periodic.register("privacy.retention", timedelta(days=1), lambda at: services.erase_expired(at=at))
        labels.register(
            {
                "privacy.opened": _("查看个人信息"),
                "privacy.asked": _("登记个人申请"),
                "privacy.copied": _("提供个人信息副本"),
                "privacy.closed": _("办结个人申请"),
                "privacy.erased": _("删除个人信息"),
            }
        )
        links.register({"privacy.request": "privacy:request"})
        statuses.dress(
            Request.Status,
            {
                Request.Status.OPEN: ("hourglass", "caution"),
                Request.Status.DONE: ("trash", "good"),
                Request.Status.CLOSED: ("circle-check", "neutral"),
            },
        )
        navigation.register(
            navigation.Item(
                _("个人信息"),
                "privacy:map",
                "shield-check",
                PrivacyPermission.MANAGE.value,
                section="settings",
                order=65,
            )
        )
