from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImportsConfig(AppConfig):
    name = "xiezhi.foundation.imports"
    label = "imports"
    verbose_name = _("数据导入")

    def ready(self) -> None:
        from xiezhi.foundation.audit import labels
        from xiezhi.foundation.files import owners
        from xiezhi.foundation.imports import services, tasks
        from xiezhi.foundation.imports.models import ImportBatch
        from xiezhi.foundation.imports.specs import SPEC_PERMISSIONS
        from xiezhi.foundation.imports.workflow import IMPORTS
        from xiezhi.foundation.jobs import periodic
        from xiezhi.foundation.ui import navigation
        from xiezhi.foundation.ui.statuses import dress

        assert tasks  # importing it registers the handlers
        owners.register(ImportBatch)
        periodic.register("imports.settle", timedelta(seconds=15), lambda at: services.settle_all(at=at))
        periodic.register("imports.tidy", timedelta(days=1), lambda at: services.tidy(at=at))
        navigation.register(
            navigation.Item(_("数据导入"), "imports:list", "upload", SPEC_PERMISSIONS, section="settings", order=40)
        )
        status = ImportBatch.Status
        dress(
            status,
            {
                status.UPLOADED: ("list", "neutral"),
                status.MAPPED: ("checklist", "neutral"),
                status.CHECKING: ("hourglass", "active"),
                status.CHECKED: ("eye", "caution"),
                status.APPLYING: ("hourglass", "active"),
                status.APPLIED: ("circle-check", "good"),
                status.FAILED: ("alert-circle", "urgent"),
                status.ABANDONED: ("ban", "neutral"),
            },
        )
        labels.register_workflow(IMPORTS)
        labels.register({"imports.start": _("上传表格")})
