"""剔除、挂账、延长: asked by one, decided by another; added to and never taken back silently."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.complaints import rules
from xiezhi.domains.complaints.models import Application, Attachment, Case
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services import clocks
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.texts import clean
from xiezhi.domains.complaints.words import CaseStatus, ClockKind
from xiezhi.domains.complaints.workflow import own_unit
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.notices.services import notify, people_holding
from xiezhi.foundation.rules.queries import reading
from xiezhi.foundation.workflow.errors import Refused

Purpose = Application.Purpose


@transaction.atomic
def apply_for(
    *,
    case: Case,
    purpose: str,
    reason: str,
    actor: Actor,
    at: datetime,
    evidence: Sequence[Attachment] = (),
    review_on: date | None = None,
) -> Application:
    """Ask that a case be left out of the figures (剔除), put aside until a day (挂账), or that verifying its clue take longer (art. 27).

    Asked by the leading unit. Raises Refused without a reason, for a deferral without a day of review, an extension without a running
    clue or a second one, or while the same was asked and not decided.
    """
    if not actor.can(May.HANDLE) or not own_unit(case, actor) or actor.user_id is None:
        raise PermissionRefused(_("只有承办单位可以申请。"))
    if case.status in {CaseStatus.LEAD, CaseStatus.MERGED, CaseStatus.DISMISSED}:
        raise Refused(_("这件诉求还没有登记，或者已经并入其他诉求。"))
    if not clean(reason):
        raise Refused(_("请写明申请理由。"))
    if purpose == Purpose.DEFER and (review_on is None or review_on <= timezone.localdate(at)):
        raise Refused(_("挂账要写明今天以后的复核日期。"))
    if purpose == Purpose.EXTEND:
        _refuse_extension(case)
    if case.applications.filter(purpose=purpose, decided_at=None).exists():
        raise Refused(_("同样的申请正等审批。"))
    application = Application.objects.create(
        case=case,
        purpose=Purpose(purpose),
        reason=clean(reason)[:1000],
        asked_by_id=actor.user_id,
        asked_at=at,
        review_on=review_on,
    )
    application.evidence.set(evidence)
    what = application.get_purpose_display()
    tell(case, "applied", _("申请%(what)s") % {"what": what}, actor=actor, at=at, text=application.reason)
    record("complaints.application.made", case, actor=actor, at=at, purpose=purpose)
    home = [case.unit_department_id or 0]
    approvers = (
        people_holding(May.APPROVE, organisation_ids=home, at=at)
        if purpose == Purpose.EXTEND
        else people_holding(May.APPROVE, organisation_ids=None, at=at)
    )
    notify(
        approvers, key=f"complaints.application:{application.pk}", at=at,
        title=_("申请%(what)s等您审批：%(number)s") % {"what": what, "number": case.number},
        link=reverse("complaints:case", args=[case.pk]),
    )  # fmt: skip
    return application


def _refuse_extension(case: Case) -> None:
    running = case.clocks.filter(kind=ClockKind.CLUE, met_at=None, dropped_at=None)
    if not running.exists():
        raise Refused(_("没有正在核查的线索，不需要延长。"))
    if running.filter(extra__gt=0).exists():
        raise Refused(_("核查期限已经延长过一次（第二十七条只允许延长一次）。"))


def may_decide(application: Application, actor: Actor) -> bool:
    """Whether this person decides: extensions are the department head's, the rest the district's; never one's own."""
    if not actor.can(May.APPROVE) or actor.user_id == application.asked_by_id:
        return False
    if application.purpose == Purpose.EXTEND:
        return actor.department_id is not None and actor.department_id == application.case.unit_department_id
    return actor.district_wide


@transaction.atomic
def decide_application(
    *, application: Application, granted: bool, note: str, actor: Actor, at: datetime
) -> Application:
    """Grant or refuse, once. An extension lengthens the clue's period by the rule. Raises PermissionRefused for who asked or may not
    decide, Refused where it was decided or refused without a reason."""
    application = Application.objects.select_for_update(of=("self",)).select_related("case").get(pk=application.pk)
    if not may_decide(application, actor):
        raise PermissionRefused(
            _("您不能审批这项申请：申请人不得自己审批，延长由本部门负责人批准，剔除和挂账由区里审批。")
        )
    if application.decided_at:
        raise Refused(_("这项申请已经审批。"))
    if not granted and not clean(note):
        raise Refused(_("请写明不批准的理由。"))
    application.granted, application.decided_by_id, application.decided_at = granted, actor.user_id, at
    application.decision_note = clean(note)[:500]
    application.save(update_fields=["granted", "decided_by", "decided_at", "decision_note"])
    case, what = application.case, application.get_purpose_display()
    if granted and application.purpose == Purpose.EXTEND:
        extra = reading(rules.CLUE_EXTENSION_WORKDAYS, on=timezone.localdate(at)).value
        clocks.revise_clocks(case, clocks.Why.EXTENSION, at=at, kinds=[ClockKind.CLUE], extra=extra)
    title = _("批准%(what)s") % {"what": what} if granted else _("不批准%(what)s") % {"what": what}
    tell(case, "application_decided", title, actor=actor, at=at, text=application.decision_note)
    record("complaints.application.decided", case, actor=actor, at=at, purpose=application.purpose, granted=granted)
    notify(
        [application.asked_by_id], key=f"complaints.application_decided:{application.pk}", at=at,
        title=f"{title} {case.number}", body=application.decision_note, link=reverse("complaints:case", args=[case.pk]),
    )  # fmt: skip
    return application
