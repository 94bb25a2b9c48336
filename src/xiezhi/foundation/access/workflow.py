"""The transition table of 临时授权."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.models import Elevation
from xiezhi.foundation.access.permissions import AccessPermission as May
from xiezhi.foundation.workflow.tables import Workflow, transition

Status = Elevation.Status
OWN = "access.own_elevation"
"""What everybody may do with an elevation of their own; no role lists it, services lend it to the person it is about."""


def own(row: Any, actor: Actor) -> bool:
    """The elevation is of the actor's own post, whichever of them they act in."""
    return actor.user_id is not None and row.membership.user_id == actor.user_id


def _somebody_else(row: Any, actor: Actor) -> str | None:
    return _("不能答复自己的申请，请由另一位管理员办理。") if own(row, actor) else None


def _with_reason_alone(row: Any, actor: Actor) -> str | None:
    if row.role in row.membership.role_class.may_take:
        return None
    return _("这个岗位的权限要由他人批准。")


ELEVATION = Workflow(
    "access.elevation",
    gettext_lazy("临时授权"),
    Status,
    Status.REQUESTED,
    (
        transition(
            "grant", gettext_lazy("批准"), {Status.REQUESTED}, Status.GRANTED,
            permission=May.APPROVE_ELEVATION.value, guard=_somebody_else, stamp="decided_at", style="primary",
        ),
        transition(
            "refuse", gettext_lazy("不批准"), {Status.REQUESTED}, Status.REFUSED,
            permission=May.APPROVE_ELEVATION.value, guard=_somebody_else, stamp="decided_at", needs_reason=True, style="caution",
        ),
        transition(
            "take", gettext_lazy("凭理由启用"), {Status.REQUESTED}, Status.GRANTED,
            permission=OWN, owner=own, guard=_with_reason_alone, stamp="decided_at",
        ),
        transition(
            "withdraw", gettext_lazy("撤回申请"), {Status.REQUESTED}, Status.WITHDRAWN,
            permission=OWN, owner=own, stamp="over_at",
        ),
        transition(
            "give_back", gettext_lazy("提前交回"), {Status.GRANTED}, Status.ENDED,
            permission=OWN, owner=own, stamp="over_at",
        ),
        transition(
            "revoke", gettext_lazy("收回"), {Status.GRANTED}, Status.ENDED,
            permission=May.APPROVE_ELEVATION.value, guard=_somebody_else, stamp="over_at", needs_reason=True, style="danger",
        ),
        transition(
            "lapse", gettext_lazy("到时结束"), {Status.GRANTED}, Status.LAPSED, by_system=True, stamp="over_at",
        ),
    ),
)  # fmt: skip
