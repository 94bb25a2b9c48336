"""The moves of a release request (支取申请)."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from xiezhi.domains.prepaid.models.custody import ReleaseStatus as S
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.workflow.tables import Workflow, transition


def _own(release: Any, actor: Actor) -> bool:
    return actor.organisation_id is not None and release.merchant.organisation_id == actor.organisation_id


RELEASE = Workflow(
    "prepaid.release",
    _("支取申请"),
    S,
    S.REQUESTED,
    (
        transition(
            "approve", _("批准支取"), [S.REQUESTED], S.APPROVED, permission=May.SUPERVISE.value, stamp="decided_at", style="primary"
        ),
        transition(
            "refuse", _("不批准"), [S.REQUESTED], S.REFUSED, permission=May.SUPERVISE.value, stamp="decided_at",
            needs_reason=True, style="caution",
        ),
        transition(
            "withdraw", _("撤回申请"), [S.REQUESTED], S.WITHDRAWN, permission=May.OPERATE.value, owner=_own, stamp="decided_at"
        ),
        transition("expire", _("失效"), [S.REQUESTED], S.EXPIRED, by_system=True, stamp="decided_at"),
    ),
)  # fmt: skip
