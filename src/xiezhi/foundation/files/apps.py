from datetime import timedelta
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.utils.translation import gettext_lazy as _


class FilesConfig(AppConfig):
    name = "xiezhi.foundation.files"
    label = "files"
    verbose_name = _("文件")

    def ready(self) -> None:
        from xiezhi.foundation.audit import labels
        from xiezhi.foundation.files import services
        from xiezhi.foundation.jobs import periodic

        periodic.register("files.tidy", timedelta(days=1), lambda at: services.tidy(at=at))
        labels.register({"files.stored": _("存入文件"), "files.tied": _("归入记录"), "files.discarded": _("弃用文件")})
        checks.register(scanner_named, checks.Tags.security)


def scanner_named(app_configs: Any, **_options: Any) -> list[checks.CheckMessage]:
    """Say at the start when the scanner's address cannot be one; that there is none is `xiezhi doctor`'s to say."""
    how, _colon, where = settings.VIRUS_SCAN.partition(":")
    if how and (how not in {"unix", "tcp", "command"} or not where):
        hint = (
            "write unix:/run/clamav/clamd.ctl, tcp:127.0.0.1:3310 or command:/usr/bin/clamdscan --no-summary --fdpass"
        )
        return [checks.Error("XIEZHI_VIRUS_SCAN cannot be read; every upload would be refused", hint, id="files.E001")]
    return []
