"""调解: sittings told in advance, what came of them, and the agreement."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Agreement, Case, Mediation
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services import clocks
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.texts import clean
from xiezhi.domains.complaints.words import CaseStatus, ClockKind, Outcome
from xiezhi.domains.complaints.workflow import CASE, own_unit
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.ui import words
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance


@transaction.atomic
def plan_mediation(
    *,
    case: Case,
    held_at: datetime,
    mediators: str,
    actor: Actor,
    at: datetime,
    form: str = Mediation.Form.ON_SITE,
    place: str = "",
    entrusted_to: str = "",
) -> Mediation:
    """Fix a sitting: time, place and mediators, told to both sides in advance (art. 20); or entrust it with both sides' consent (art. 19).

    Raises Refused where nothing is being mediated, for a moment that is past, without mediators or, on site, without a place.
    """
    _refuse_strangers(case, actor)
    if case.status != CaseStatus.MEDIATING:
        raise Refused(_("只有调解中的投诉可以安排调解。"))
    if held_at < at:
        raise Refused(_("调解时间已经过去，请改为以后的时间。"))
    if not clean(mediators):
        raise Refused(_("请填写调解人员。"))
    if form == Mediation.Form.ON_SITE and not clean(place):
        raise Refused(_("现场调解请填写地点（第二十条要求提前告知）。"))
    if form == Mediation.Form.ENTRUSTED and not clean(entrusted_to):
        raise Refused(_("委托调解请填写受委托的组织；须经双方同意，受委托方不得再委托（第十九条）。"))
    mediation = Mediation.objects.create(
        case=case, form=form, held_at=held_at, place=clean(place)[:200], mediators=clean(mediators)[:200],
        entrusted_to=clean(entrusted_to)[:120], told_at=at,
    )  # fmt: skip
    when = words.moment(held_at)
    tell(
        case, "mediation", _("安排调解：%(when)s %(place)s") % {"when": when, "place": mediation.place},
        actor=actor, at=at, text=_("调解人员：%(who)s") % {"who": mediation.mediators}, public=True,
    )  # fmt: skip
    record("complaints.mediation.planned", case, actor=actor, at=at, mediation=mediation.pk)
    return mediation


def _refuse_strangers(case: Case, actor: Actor) -> None:
    if not actor.can(May.HANDLE) or not own_unit(case, actor):
        raise PermissionRefused(_("只有承办单位可以组织调解。"))


@transaction.atomic
def record_mediation(
    *,
    mediation: Mediation,
    result: str,
    note: str,
    actor: Actor,
    at: datetime,
    terms: str = "",
    facts: str = "",
    performed_at_once: bool = False,
    waived: bool = False,
) -> Case:
    """Write down a sitting. Agreed, the mediation ends with an agreement (art. 24: a 调解书 unless performed at once or waived by both).

    Not agreed leaves it open: another sitting, or termination on a ground. Raises Refused for one that is recorded or yet to come, or an
    agreement without terms.
    """
    mediation = Mediation.objects.select_for_update(of=("self",)).select_related("case").get(pk=mediation.pk)
    case = mediation.case
    _refuse_strangers(case, actor)
    if mediation.recorded_at:
        raise Refused(_("这次调解已经记录。"))
    if mediation.held_at > at:
        raise Refused(_("调解还没有开始，不能记录结果。"))
    mediation.result, mediation.note, mediation.recorded_at = Mediation.Result(result), clean(note)[:2000], at
    mediation.save(update_fields=["result", "note", "recorded_at"])
    record("complaints.mediation.recorded", case, actor=actor, at=at, mediation=mediation.pk, result=result)
    if result != Mediation.Result.AGREED:
        tell(
            case,
            "mediated",
            _("调解：%(result)s") % {"result": mediation.get_result_display()},
            actor=actor,
            at=at,
            text=mediation.note,
            public=True,
        )
        return case
    if not clean(terms):
        raise Refused(_("请写明协议内容：谁在什么时候做什么。"))
    Agreement.objects.create(
        mediation=mediation, terms=clean(terms)[:4000], facts=clean(facts)[:4000] or case.title,
        performed_at_once=performed_at_once, waived=waived, made_at=at,
    )  # fmt: skip
    case = advance(
        CASE,
        case,
        "settle",
        actor=actor,
        at=at,
        changes={"outcome": Outcome.SETTLED, "decision_reason": clean(terms)[:1000]},
    )
    clocks.meet_clocks(case, ClockKind.MEDIATE, at=at)
    tell(case, "settled", _("调解达成一致"), actor=actor, at=at, text=clean(terms), public=True)
    return case
