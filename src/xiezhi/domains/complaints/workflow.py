"""The transition table of a case: data and pure guards only."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.words import CaseStatus, Kind, TopicStatus
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.workflow.tables import Workflow, transition


def own_unit(case: Any, actor: Actor) -> bool:
    """The actor's unit leads the case; at a department, a station of it may."""
    if actor.organisation_id is None or case.unit_id is None:
        return False
    at_department = actor.organisation_id == actor.department_id
    return bool(
        case.unit_id == actor.organisation_id or (at_department and case.unit_department_id == actor.department_id)
    )


def _only_complaints(case: Any, actor: Actor) -> str | None:
    """Only a complaint (投诉) is accepted, refused or mediated; the rest is answered (art. 3)."""
    return None if case.kind == Kind.COMPLAINT else _("只有投诉需要决定是否受理和调解。")


def _decided_first(case: Any, actor: Actor) -> str | None:
    if case.kind == Kind.COMPLAINT and case.status == CaseStatus.HANDLING:
        return _("投诉要先决定受理或者不予受理（第十五条），再答复。")
    return None


_LEADING = {"permission": May.HANDLE.value, "owner": own_unit}

CASE = Workflow(
    "complaints.case",
    gettext_lazy("诉求"),
    CaseStatus,
    CaseStatus.LEAD,
    (
        transition(
            "register", gettext_lazy("登记编号，转为诉求"), {"lead"}, "registered",
            permission=May.REGISTER, stamp="registered_at", style="primary",
        ),
        transition(
            "dismiss", gettext_lazy("不作登记"), {"lead"}, "dismissed",
            permission=May.REGISTER, by_system=True, stamp="closed_at", needs_reason=True, style="danger",
        ),
        transition(
            "dispatch", gettext_lazy("派单"), {"registered"}, "dispatched",
            permission=May.DISPATCH, stamp="dispatched_at", style="primary",
        ),
        transition("redirect", gettext_lazy("改派"), {"dispatched"}, "dispatched", permission=May.DISPATCH, stamp="dispatched_at", needs_reason=True),
        transition("sign", gettext_lazy("签收"), {"dispatched"}, "handling", stamp="signed_at", style="primary", **_LEADING),
        transition("ask_return", gettext_lazy("申请退单"), {"dispatched", "handling"}, "returning", **_LEADING),
        transition("allow_return", gettext_lazy("同意退单"), {"returning"}, "registered", permission=May.DISPATCH, style="primary"),
        transition(
            "refuse_return", gettext_lazy("不同意退单"), {"returning"}, "handling",
            permission=May.DISPATCH, needs_reason=True, style="caution",
        ),
        transition(
            "accept", gettext_lazy("受理"), {"handling"}, "mediating",
            guard=_only_complaints, stamp="accepted_at", style="primary", **_LEADING,
        ),
        transition(
            "refuse", gettext_lazy("不予受理"), {"handling"}, "concluded",
            guard=_only_complaints, stamp="concluded_at", needs_reason=True, style="danger", **_LEADING,
        ),
        transition("suspend", gettext_lazy("送鉴定检测"), {"mediating"}, "appraisal", **_LEADING),
        transition("resume", gettext_lazy("鉴定检测结束"), {"appraisal"}, "mediating", style="primary", **_LEADING),
        transition("settle", gettext_lazy("达成一致"), {"mediating"}, "concluded", stamp="concluded_at", style="primary", **_LEADING),
        transition(
            "terminate", gettext_lazy("终止调解"), {"mediating", "appraisal"}, "concluded",
            stamp="concluded_at", needs_reason=True, style="caution", **_LEADING,
        ),
        transition(
            "reply", gettext_lazy("答复"), {"handling", "concluded"}, "replied",
            guard=_decided_first, stamp="replied_at", style="primary", **_LEADING,
        ),
        transition("close", gettext_lazy("办结"), {"replied"}, "closed", permission=May.DISPATCH, by_system=True, stamp="closed_at"),
        transition(
            "merge", gettext_lazy("并入已有诉求"), {"lead", "registered", "dispatched", "handling"}, "merged",
            permission=May.DISPATCH, stamp="closed_at",
        ),
    ),
)  # fmt: skip

TOPIC = Workflow(
    "complaints.topic",
    gettext_lazy("未诉先办事项"),
    TopicStatus,
    TopicStatus.RISING,
    (
        transition("check", gettext_lazy("登记检查"), {"rising", "signalled"}, "checked", permission=May.DISPATCH, style="primary"),
        transition("signal", gettext_lazy("发出风险信号"), {"rising"}, "signalled", permission=May.DISPATCH),
        transition("dismiss", gettext_lazy("不处置"), {"rising"}, "dismissed", permission=May.DISPATCH, needs_reason=True, style="caution"),
        transition("reopen", gettext_lazy("重新处置"), {"dismissed"}, "rising", permission=May.DISPATCH),
        transition("fade", gettext_lazy("回落"), {"rising", "checked", "signalled", "dismissed"}, "faded", by_system=True),
    ),
)  # fmt: skip

WORKFLOWS = (CASE, TOPIC)
