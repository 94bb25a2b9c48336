"""What whoever sent a case may read of it: where it stands in plain words, what comes next and by when, and what was told them."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.complaints.models import Case, CaseEvent, Clock, Reply
from xiezhi.domains.complaints.queries.cases import ICONS
from xiezhi.domains.complaints.words import CaseStatus, ClockKind, Kind

WORDS: dict[str, tuple[str | Promise, str | Promise]] = {
    CaseStatus.LEAD: (
        _("线索，还没有法定登记"),
        _(
            "这是一条线索。工作人员会核对，并登记到 12315 或者 12345；登记后才开始计算法定期限。着急的，请直接拨打 12315 或者 12345。"
        ),
    ),
    CaseStatus.REGISTERED: (_("已登记，等待派单"), _("下一步：派给承办单位。")),
    CaseStatus.DISPATCHED: (_("已派单，等待签收"), _("下一步：承办单位签收并开始办理。")),
    CaseStatus.RETURNING: (_("正在确定承办单位"), _("承办单位认为不归它办，派单员正在审定。期限照常计算。")),
    CaseStatus.HANDLING: (_("正在办理"), _("下一步：承办单位核实情况，并告诉您结果。")),
    CaseStatus.MEDIATING: (_("正在调解"), _("承办单位正在组织双方调解，会联系您约定时间。")),
    CaseStatus.APPRAISAL: (_("正在鉴定检测"), _("鉴定检测的时间不计入调解期限。")),
    CaseStatus.CONCLUDED: (_("已经办完，等待答复"), _("下一步：承办单位把结果告诉您。")),
    CaseStatus.REPLIED: (_("已经答复"), _("答复在下面。请告诉我们解决了没有、是否满意。")),
    CaseStatus.CLOSED: (_("已经办结"), _("答复在下面。")),
    CaseStatus.DISMISSED: (_("没有登记"), _("原因在下面。您仍可以拨打 12315 或者 12345。")),
    CaseStatus.MERGED: (_("已并入另一件"), _("与您已有的另一件是同一件事，按那一件办理。")),
}
DECIDING = _("下一步：承办单位决定是否受理，并告诉您。")
OWED = {
    ClockKind.TIER: _("答复您"),
    ClockKind.DECIDE: _("决定是否受理并告诉您"),
    ClockKind.MEDIATE: _("调解结束"),
    ClockKind.TELL_END: _("告诉您调解终止"),
    ClockKind.REPORT: _("核查举报"),
    ClockKind.MALL: _("商场回应"),
}
MOST = 100


@dataclass(frozen=True)
class Owed:
    """Something that is due to the person, and when; `paused` while it does not run."""

    what: str | Promise
    due_at: datetime | None
    paused: bool


@dataclass(frozen=True)
class Progress:
    """A case as its sender reads it."""

    state: str | Promise
    then: str | Promise
    owed: list[Owed]
    story: list[dict[str, object]]
    replies: list[Reply]
    may_add: bool
    may_withdraw: bool


def progress_of(case: Case) -> Progress:
    """Everything that may be told. Only public lines of the story; a mall's answer is one of them."""
    state, then = WORDS[case.status]
    if case.status == CaseStatus.HANDLING and case.kind == Kind.COMPLAINT:
        then = DECIDING
    lines = CaseEvent.objects.filter(case=case, public=True).exclude(kind="replied").order_by("-at", "-pk")[:MOST]
    story = [
        {"at": each.at, "title": each.title, "text": each.text, "icon": ICONS.get(each.kind, "circle-dashed")}
        for each in lines
    ]
    withdrawn = any(each.kind == "withdrawn" for each in lines)
    return Progress(
        state,
        then,
        owed_of(case),
        story,
        list(case.replies.order_by("-at", "-pk")),
        case.is_open,
        case.is_open and not withdrawn,
    )


def owed_of(case: Case) -> list[Owed]:
    """What is due to the person and still open, the soonest first."""
    running = Clock.objects.filter(case=case, met_at=None, dropped_at=None, kind__in=OWED)
    found = [Owed(OWED[ClockKind(each.kind)], each.due_at, each.due_at is None) for each in running]
    return sorted(found, key=lambda each: (each.paused, each.due_at.timestamp() if each.due_at else 0))
