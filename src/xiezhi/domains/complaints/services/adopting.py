"""采纳: one click puts a suggestion into the case, by the service that a person would have used."""

from dataclasses import fields, replace
from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Case, Category, Suggestion
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services import dispatching, intake, suggesting
from xiezhi.domains.complaints.services.intake import Matter
from xiezhi.domains.complaints.words import CaseStatus, Urgency
from xiezhi.domains.complaints.workflow import own_unit
from xiezhi.domains.registry.models import Subject
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale

KIND = Suggestion.Kind
Found = TypeVar("Found", bound=Model)


def may_adopt(case: Case, kind: str, actor: Actor) -> bool:
    """Whether `actor` may put a suggestion of this kind into the case now."""
    if not case.is_open:
        return False
    if kind == KIND.UNIT:
        return case.status == CaseStatus.REGISTERED and actor.can(May.DISPATCH)
    if kind == KIND.URGENCY:
        return case.status != CaseStatus.LEAD and actor.can(May.DISPATCH)
    return actor.can(May.DISPATCH) or (actor.can(May.HANDLE) and own_unit(case, actor))


@transaction.atomic
def adopt_suggestion(*, case: Case, kind: str, seen: str, actor: Actor, at: datetime) -> Case:
    """Put the suggestion of `kind` into the case. `seen`: what stood there when the person looked.

    Raises AlreadyDone where it stands there by now, Stale where somebody put something else, PermissionRefused for posts that may not,
    and Refused where there is no such suggestion, or what it names is gone.
    """
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    row = Suggestion.objects.filter(case=case, kind=kind).first()
    now = suggesting.values_of(case).get(kind)
    if row is not None and now == row.value:
        raise AlreadyDone(_("已经采纳：%(label)s。") % {"label": row.label})
    if row is not None and now != seen:
        raise Stale(_("“%(kind)s”刚刚被他人改过，页面已更新，请再看一眼。") % {"kind": row.get_kind_display()})
    if not may_adopt(case, kind, actor):
        raise PermissionRefused(_("您的岗位或者这件诉求的状态不能采纳这项建议。"))
    if row is None:
        raise Refused(_("这件诉求没有这一项建议。"))
    if kind == KIND.UNIT:
        return dispatching.dispatch_case(case=case, unit=_of(Organisation, row), actor=actor, at=at)
    if kind == KIND.URGENCY:
        reason = _("采纳建议：%(label)s") % {"label": row.label}
        dispatching.change_tier(case=case, tier=row.value, reason=reason, actor=actor, at=at)
        case = Case.objects.get(pk=case.pk)
    return intake.amend_case(case=case, matter=_changed(case, row), actor=actor, at=at)


def matter_of(case: Case) -> Matter:
    """What a case says, as `amend_case` takes it."""
    return Matter(**{each.name: getattr(case, each.name) for each in fields(Matter)})


def _changed(case: Case, row: Suggestion) -> Matter:
    matter = matter_of(case)
    if row.kind == KIND.CATEGORY:
        return replace(matter, category=Category.objects.get(code=row.value))
    if row.kind == KIND.SUBJECT:
        subject = _of(Subject, row)
        return replace(matter, subject=subject, premises=None, respondent_name=matter.respondent_name or subject.name)
    if row.kind == KIND.HOSTILE:
        return replace(matter, hostile=True)
    if row.kind == KIND.URGENCY:
        urgency = {"2h": Urgency.EMERGENCY.value, "24h": Urgency.URGENT.value}.get(row.value, matter.urgency)
        return replace(matter, urgency=urgency)
    body = _of(Organisation, row)
    return replace(matter, mall=body) if row.kind == KIND.MALL else replace(matter, street=body)


def _of(model: type[Found], row: Suggestion) -> Found:
    found = model._default_manager.filter(pk=int(row.value)).first()
    if found is None:
        raise Refused(_("建议的“%(label)s”已经不在，请另选。") % {"label": row.label})
    return found
