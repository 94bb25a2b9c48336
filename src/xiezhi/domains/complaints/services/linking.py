"""关联: the same person with the same matter is one case with one clock (并入); many people with one matter are a parent with children."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Case
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services import clocks
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.words import CaseStatus, ClockKind, Kind
from xiezhi.domains.complaints.workflow import CASE
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance


@transaction.atomic
def merge_case(
    *, case: Case, into: Case, supplements: bool, actor: Actor, at: datetime, seen_status: str | None = None
) -> Case:
    """并入: `case` repeats `into`. Both arrival times stay; only `into`'s clocks run on. A report with new facts (`supplements`) restarts
    the report's period from this one's receipt (art. 35).

    Raises Refused for the case itself, for one that is merged or discarded, or where the numbers of the two would chase one another.
    """
    if case.pk == into.pk:
        raise Refused(_("不能并入自己。"))
    if into.status in {CaseStatus.MERGED, CaseStatus.DISMISSED}:
        raise Refused(
            _("%(number)s 已经并入其他诉求或者不作登记，请选择在办或者办结的诉求。") % {"number": into.number}
        )
    if case.kind != into.kind and Kind.REPORT in {case.kind, into.kind}:
        raise Refused(_("投诉和举报要分别办理（第九条），不能相互并入。"))
    case = advance(
        CASE,
        case,
        "merge",
        actor=actor,
        at=at,
        seen_status=seen_status,
        changes={"duplicate_of": into},
        into=into.number,
    )
    clocks.drop_clocks(case, at=at)
    tell(case, "merged", _("并入 %(number)s") % {"number": into.number}, actor=actor, at=at, public=True)
    tell(into, "repeated", _("同一诉求再次反映：%(number)s") % {"number": case.number}, actor=actor, at=at)
    if supplements and into.kind == Kind.REPORT and into.is_open:
        clocks.restart_clock(into, ClockKind.REPORT, started_at=case.received_at, at=at)
        tell(into, "supplemented", _("补充举报，期限重新计算（第三十五条）"), actor=actor, at=at)
    return case


@transaction.atomic
def group_cases(*, parent: Case, children: Sequence[Case], actor: Actor, at: datetime) -> int:
    """群体诉求: many people, one matter. Every child keeps its own clocks, reply and callback. Returns how many were added.

    Raises Refused for a parent that is itself a child, a child with children, or a child of another parent.
    """
    actor.require(May.DISPATCH)
    if parent.parent_id:
        raise Refused(_("%(number)s 已在另一个群体诉求之下。") % {"number": parent.number})
    added = 0
    for child in sorted(children, key=lambda each: each.pk):
        if child.pk == parent.pk or child.parent_id == parent.pk:
            continue
        if child.parent_id or child.children.exists():
            raise Refused(_("%(number)s 已属于另一个群体诉求，请先移出。") % {"number": child.number})
        Case.objects.filter(pk=child.pk).update(parent=parent)
        tell(child, "grouped", _("归入群体诉求 %(number)s") % {"number": parent.number}, actor=actor, at=at)
        record("complaints.case.grouped", child, actor=actor, at=at, parent=parent.number)
        added += 1
    if added:
        tell(parent, "grouped", _("加入 %(n)s 件同类诉求") % {"n": added}, actor=actor, at=at)
    return added


@transaction.atomic
def ungroup_case(*, child: Case, actor: Actor, at: datetime) -> Case:
    """Take a case out of its group."""
    actor.require(May.DISPATCH)
    if child.parent is None:
        raise Refused(_("这件诉求不在群体诉求里。"))
    parent = child.parent
    Case.objects.filter(pk=child.pk).update(parent=None)
    child.parent = None
    tell(child, "ungrouped", _("移出群体诉求 %(number)s") % {"number": parent.number}, actor=actor, at=at)
    record("complaints.case.ungrouped", child, actor=actor, at=at, parent=parent.number)
    return child
