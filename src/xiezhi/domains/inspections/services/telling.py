"""Who hears what about visits: heads answer, inspectors go, coordinators see to it. One place for the words of every notice."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from xiezhi.domains.inspections.models import Participation, Visit
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.workflow import Answer, VisitStatus
from xiezhi.domains.registry.models import Subject
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.notices.services import notify, people_holding
from xiezhi.foundation.orgs.models import Organisation


def heads_of(department_ids: Iterable[int], *, at: datetime) -> list[int]:
    """The people who answer for these departments today."""
    return people_holding(May.CONFIRM, organisation_ids=department_ids, at=at)


def coordinators(*, at: datetime) -> list[int]:
    """The district's coordinators today."""
    return people_holding(May.RUN_ROUND, organisation_ids=None, at=at)


def visit_link(visit: Visit) -> str:
    """Where a visit is shown."""
    return reverse("inspections:visit", args=[visit.pk])


def moment(value: datetime) -> str:
    """A deadline as notices write it: 11-25 18:00."""
    return timezone.localtime(value).strftime("%m-%d %H:%M")


def name_of(visit: Visit) -> str:
    """How a notice names a visit: number, day and door's owner (a firm, not a person)."""
    return f"{visit.number} · {visit.on.isoformat()} · {visit.premises.subject.name}"


def tell_offered(department_id: int, visits: Sequence[Visit], *, at: datetime) -> None:
    """Ask a department's heads for their answer, in one notice for everything offered together."""
    deadline = min(visit.answer_by for visit in visits if visit.answer_by)
    title = ngettext(
        "%(count)d 项联合检查请您部门答复，最早 %(deadline)s 前",
        "%(count)d 项联合检查请您部门答复，最早 %(deadline)s 前",
        len(visits),
    ) % {"count": len(visits), "deadline": moment(deadline)}
    notify(
        heads_of([department_id], at=at),
        key=f"inspections.offered:{department_id}:{visits[0].pk}:{visits[-1].pk}:{visits[0].revision}",
        title=title,
        at=at,
        body="\n".join(name_of(visit) for visit in visits[:5]) + ("\n……" if len(visits) > 5 else ""),
        link=visit_link(visits[0]) if len(visits) == 1 else reverse("inspections:answers"),
    )


def tell_confirmed(visit: Visit, parts: Sequence[Participation], *, at: datetime) -> None:
    """Everybody who will go, and who answered for them, hears that the visit stands."""
    agreed = [part.department_id for part in parts if part.answer == Answer.CONFIRMED]
    stations = Organisation.objects.filter(parent_id__in=agreed, street_id=visit.premises.street_id).values_list(
        "pk", flat=True
    )
    going = people_holding(May.RECORD, organisation_ids=[*agreed, *stations], at=at)
    notify(
        {*going, *heads_of(agreed, at=at)},
        key=f"inspections.confirmed:{visit.pk}:{visit.revision}",
        title=_("联合检查已确认：%(visit)s") % {"visit": name_of(visit)},
        at=at,
        link=visit_link(visit),
    )


def tell_moved(visit: Visit, others: Sequence[Participation], proposer: Organisation, *, at: datetime) -> None:
    """The others are asked again after a change of date."""
    for part in others:
        notify(
            heads_of([part.department_id], at=at),
            key=f"inspections.moved:{visit.pk}:{visit.revision}",
            title=_("%(department)s提议改期，请重新答复：%(visit)s")
            % {"department": proposer.short_name, "visit": name_of(visit)},
            at=at,
            link=visit_link(visit),
        )


def tell_changed(
    visit: Visit, departments: Collection[int], *, key: str, title: str, body: str, at: datetime, urgent: bool = False
) -> None:
    """Those who still take part, and the coordinators, see that somebody left or a visit was cancelled, and what moved."""
    notify(
        {*heads_of(departments, at=at), *coordinators(at=at)},
        key=f"inspections.changed:{visit.pk}:{key}",
        title=title,
        body=body,
        at=at,
        link=visit_link(visit),
        level=Notice.Level.REMINDER if urgent else Notice.Level.INFO,
    )


def tell_silence(
    recipients: Sequence[int], department: Organisation, parts: Sequence[Participation], *, step: str, at: datetime
) -> None:
    """Remind (step "remind"), tell heads that it is overdue ("escalate"), or tell the coordinators ("raise")."""
    words = {
        "remind": _("提醒：%(department)s还有 %(count)d 项联合检查待答复，最早 %(deadline)s 截止"),
        "escalate": _("催办：%(department)s有 %(count)d 项联合检查逾期未答复（不视为同意）"),
        "raise": _("催办：%(department)s有 %(count)d 项联合检查逾期未答复，请统筹员处理"),
    }
    deadline = min(part.visit.answer_by for part in parts if part.visit.answer_by)
    title = words[step] % {"department": department.short_name, "count": len(parts), "deadline": moment(deadline)}
    several = reverse("inspections:answers") if step != "raise" else reverse("inspections:silent")
    notify(
        recipients,
        key=f"inspections.{step}:{department.pk}:{parts[0].pk}:{at.isoformat()}",
        title=title,
        body="\n".join(name_of(part.visit) for part in parts[:5]) + ("\n……" if len(parts) > 5 else ""),
        at=at,
        link=visit_link(parts[0].visit) if len(parts) == 1 else several,
        level=Notice.Level.REMINDER if step == "remind" else Notice.Level.URGENT,
    )


def tell_opted_out(subject: Subject, *, at: datetime) -> None:
    """Name to the coordinators the joint visits, not yet begun, of a firm that chose to have none (R08)."""
    visits = (
        Visit.objects.filter(premises__subject=subject, status__in=[VisitStatus.OFFERED, VisitStatus.CONFIRMED])
        .annotate(
            living=Count("participations", filter=Q(participations__answer__in=[Answer.PENDING, Answer.CONFIRMED]))
        )
        .filter(living__gte=2)
        .select_related("premises__subject")
        .order_by("on", "pk")
    )
    for visit in visits:
        notify(
            coordinators(at=at),
            key=f"inspections.opted_out:{visit.pk}:{visit.revision}",
            title=_("企业选择不参加联合检查，请处理：%(visit)s") % {"visit": name_of(visit)},
            body=_("取消这次联合检查后，各部门的任务会立即分别另排。"),
            at=at,
            link=visit_link(visit),
        )
