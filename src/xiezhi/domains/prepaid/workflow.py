"""The moves of a release request (支取申请) and of a reversal request (冲正申请)."""

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.prepaid.ledger.drafts import Kind
from xiezhi.domains.prepaid.models.custody import ReleaseStatus as S
from xiezhi.domains.prepaid.models.custody import ReversalStatus as R
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

OF_CARDS = frozenset({Kind.PURCHASE, Kind.REDEMPTION, Kind.RECOGNITION, Kind.REFUND, Kind.REFUND_PAID})
"""Operations that a merchant's own people may take back among themselves; those on custody need the regulator."""

OF_CUSTODY = frozenset({Kind.DEPOSIT, Kind.BANK_FEE, Kind.GUARANTEE, Kind.GUARANTEE_CALL})
REVERSIBLE = OF_CARDS | OF_CUSTODY
"""All that can be taken back by a reversal; other operations have their own opposite."""


def _may_decide(reversal: Any, actor: Actor) -> bool:
    return actor.can(May.SUPERVISE) or (reversal.kind in OF_CARDS and actor.can(May.OPERATE) and _own(reversal, actor))


def _asked(reversal: Any, actor: Actor) -> bool:
    return actor.user_id is not None and reversal.requested_by == actor.user_id


def _second_person(reversal: Any, actor: Actor) -> str | None:
    if actor.user_id is None or _asked(reversal, actor):
        return gettext("提出冲正的人不能自己复核，请另一位同事办理。")
    return None


REVERSAL = Workflow(
    "prepaid.reversal",
    _("冲正申请"),
    R,
    R.REQUESTED,
    (
        transition(
            "approve", _("同意冲正"), [R.REQUESTED], R.APPROVED, permission=May.VIEW.value, owner=_may_decide,
            guard=_second_person, stamp="decided_at", style="primary",
        ),
        transition(
            "refuse", _("不同意冲正"), [R.REQUESTED], R.REFUSED, permission=May.VIEW.value, owner=_may_decide,
            guard=_second_person, stamp="decided_at", needs_reason=True, style="caution",
        ),
        transition(
            "withdraw", _("撤回冲正申请"), [R.REQUESTED], R.WITHDRAWN, permission=May.VIEW.value, owner=_asked, stamp="decided_at"
        ),
    ),
)  # fmt: skip
