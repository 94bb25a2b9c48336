from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    name = "xiezhi.foundation.notices"
    label = "notices"
    verbose_name = _("消息")

    def ready(self) -> None:
        from xiezhi.foundation.notices.models import Notice
        from xiezhi.foundation.ui.statuses import dress

        dress(
            Notice.Level,
            {
                Notice.Level.INFO: ("info-circle", "neutral"),
                Notice.Level.REMINDER: ("clock", "caution"),
                Notice.Level.URGENT: ("clock-exclamation", "urgent"),
            },
        )
