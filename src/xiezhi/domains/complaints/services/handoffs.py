"""转办其他系统: a case tells other rooms by event; the row waits until one of them says what it made of it.

Rooms below this one subscribe to `complaints.handoff` ({handoff_id, kind, case_id, subject_id, premises_id, number, facts}) and answer with the
event `complaints.handoff_taken` ({handoff_id, object_kind, object_id, note}). Until somebody subscribes, nothing is lost.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.complaints import rules
from xiezhi.domains.complaints.models import Case, Handoff
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.words import HandoffKind, Kind
from xiezhi.domains.inspections.services.checks import raise_case_check
from xiezhi.foundation.access.actors import SYSTEM, Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.events.services import publish_each
from xiezhi.foundation.rules.queries import reading
from xiezhi.foundation.workflow.errors import Refused

AGAIN = timedelta(days=1)
RATE_DAYS = timedelta(days=30)


def offer_handoffs(cases: Sequence[Case], *, at: datetime) -> list[Handoff]:
    """Write down what other systems should take up for these cases, once each, and tell them. In the caller's transaction."""
    wanted = [(case, kind) for case in cases for kind in _wanted(case)]
    if not wanted:
        return []
    keys = {case.pk for case, _kind in wanted}
    have = set(Handoff.objects.filter(case__in=keys).values_list("case_id", "kind"))
    made = Handoff.objects.bulk_create(
        Handoff(case=case, kind=kind, made_at=at, told_at=at) for case, kind in wanted if (case.pk, kind) not in have
    )
    publish_each("complaints.handoff", at=at, payloads=[_told(handoff) for handoff in made])
    return made


def _wanted(case: Case) -> list[str]:
    wanted: list[str] = []
    if case.category and case.category.handoff:
        wanted.append(case.category.handoff)
    if case.safety and HandoffKind.INSPECTION not in wanted:
        wanted.append(HandoffKind.INSPECTION)
    if case.subject and _is_frequent(case):
        wanted.append(HandoffKind.RISK)
    return wanted


def _told(handoff: Handoff) -> dict[str, Any]:
    case = handoff.case
    return {
        "handoff_id": handoff.pk, "kind": handoff.kind, "case_id": case.pk, "number": case.number,
        "subject_id": case.subject_id, "premises_id": case.premises_id, "facts": handoff.facts,
    }  # fmt: skip


def _is_frequent(case: Case) -> bool:
    """Whether the merchant reached the number of complaints in thirty days that counts as a risk signal."""
    threshold = reading(rules.SUBJECT_RATE_CASES, on=timezone.localdate(case.received_at)).value
    recent = Case.objects.filter(
        subject=case.subject, kind__in=[Kind.COMPLAINT, Kind.REPORT],
        received_at__gt=case.received_at - RATE_DAYS, received_at__lte=case.received_at,
    )  # fmt: skip
    return recent.exclude(status__in=["lead", "dismissed", "merged"]).count() >= int(threshold)


@transaction.atomic
def tell_waiting_again(*, at: datetime) -> int:
    """The ticker's: what nobody took up is told again once a day, so that a room that came later hears of it. Returns how many."""
    waiting = Handoff.objects.filter(taken_at=None, told_at__lte=at - AGAIN).exclude(kind=HandoffKind.INSPECTION)
    found = list(waiting.select_related("case").order_by("pk")[:500])
    publish_each("complaints.handoff", at=at, payloads=[_told(handoff) for handoff in found])
    Handoff.objects.filter(pk__in=[handoff.pk for handoff in found]).update(told_at=at)
    return len(found)


def handoff_taken(payload: Mapping[str, Any], at: datetime) -> None:
    """A room says what it made of a handoff (event `complaints.handoff_taken`). Hearing it twice changes nothing."""
    handoff = Handoff.objects.select_related("case").filter(pk=payload["handoff_id"], taken_at=None).first()
    if handoff:
        _take(
            handoff,
            payload.get("object_kind", ""),
            str(payload.get("object_id", "")),
            payload.get("note", ""),
            SYSTEM,
            at,
        )


def _take(handoff: Handoff, object_kind: str, object_id: str, note: str, actor: Actor, at: datetime) -> None:
    handoff.taken_at, handoff.object_kind, handoff.object_id, handoff.note = at, object_kind, object_id, note[:200]
    handoff.save(update_fields=["taken_at", "object_kind", "object_id", "note"])
    tell(
        handoff.case,
        "handoff",
        _("%(what)s：已接办") % {"what": handoff.get_kind_display()},
        actor=actor,
        at=at,
        text=note,
    )


@transaction.atomic
def raise_inspection(
    *, case: Case, item: Any, earliest: date, latest: date, urgent: bool, note: str, actor: Actor, at: datetime
) -> Any:
    """A matter of safety becomes an inspection check (个案检查) at the respondent's door, by the system on the desk's behalf.

    `item` is one of `inspections.queries.catalogue.items_for_cases`; the check is returned. Again gives back the check that stands. `note` is read by the department: nothing about who complained belongs in it. Raises
    Refused where the door is not known, and what `raise_case_check` raises.
    """
    if not (actor.can(May.HANDLE) or actor.can(May.DISPATCH)):
        actor.require(May.HANDLE)
    if case.premises is None:
        raise Refused(_("还没有确认被诉方的场所，请先在“修改要素”中选定经营主体和场所。"))
    check = raise_case_check(
        premises=case.premises, item=item, case_kind="complaints.case", case_id=case.number, note=note, urgent=urgent,
        earliest=earliest, latest=latest, on_site_reason=_("诉求反映的情况需要到现场核实"), actor=SYSTEM, at=at,
    )  # fmt: skip
    handoff, _new = Handoff.objects.get_or_create(case=case, kind=HandoffKind.INSPECTION, defaults={"made_at": at})
    if handoff.taken_at is None:
        _take(handoff, "inspections.check", str(check.pk), check.number, actor, at)
    record("complaints.case.inspection_raised", case, actor=actor, at=at, check=check.number)
    return check
