from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccessConfig(AppConfig):
    name = "xiezhi.foundation.access"
    label = "access"
    verbose_name = _("角色与任职")

    def ready(self) -> None:
        from xiezhi.foundation.access import waiting
        from xiezhi.foundation.access.models import Elevation
        from xiezhi.foundation.access.services import elevations, handover, hanging
        from xiezhi.foundation.access.workflow import ELEVATION
        from xiezhi.foundation.audit import labels
        from xiezhi.foundation.jobs import periodic
        from xiezhi.foundation.ui import attention, statuses

        labels.register(
            {
                "access.account_opened": _("开立账号"),
                "access.appointed": _("任命"),
                "access.membership_ended": _("结束任职"),
                "access.appointment_withdrawn": _("取消未开始的任职"),
                "access.handed_over": _("办理交接"),
                "access.elevation.requested": _("申请临时授权"),
            }
        )
        labels.register_workflow(ELEVATION)
        statuses.dress(
            Elevation.Status,
            {
                Elevation.Status.REQUESTED: ("hourglass", "caution"),
                Elevation.Status.GRANTED: ("shield-check", "warning"),
                Elevation.Status.REFUSED: ("ban", "neutral"),
                Elevation.Status.WITHDRAWN: ("arrow-back-up", "neutral"),
                Elevation.Status.ENDED: ("circle-check", "neutral"),
                Elevation.Status.LAPSED: ("clock", "neutral"),
            },
        )
        for kind in hanging.KINDS:
            handover.register(kind)
        attention.register("access", waiting.lines)
        periodic.register("access.elevations", timedelta(minutes=1), lambda at: elevations.lapse_elevations(at=at))
