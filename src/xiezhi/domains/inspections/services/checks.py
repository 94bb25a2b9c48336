"""Checks (检查任务): how they come to be, and the ways they end without a visit. Their state moves only through the CHECK table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import CatalogueItem, Check, ItemVersion, PlanRow, Visit
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.services.composition import lock_visits
from xiezhi.domains.inspections.services.eligibility import eligible_checks
from xiezhi.domains.inspections.services.numbering import take_numbers
from xiezhi.domains.inspections.services.shelf import version_for
from xiezhi.domains.inspections.workflow import CHECK, CheckStatus, VisitStatus
from xiezhi.domains.registry.models import Premises, TimelineEntry
from xiezhi.domains.registry.services.timeline import add_many_to_timeline
from xiezhi.foundation.access.actors import SYSTEM, Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.jobs.handlers import JobContext, handles
from xiezhi.foundation.jobs.services import enqueue
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.notices.services import notify, people_holding
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance_many

PREFIX = "C"
URGENT_JOB = "inspections.place_urgent"
CHUNK = 1_000
PINNED = Q(visit__status__in=[VisitStatus.CONFIRMED, VisitStatus.UNDER_WAY])
"""Checks in a visit that all its departments confirmed: it stays where it is."""
LONGEST_REASON = 200


@dataclass(frozen=True)
class CheckDraft:
    """A check that is to be: one item version due at one premises in a window. `premises` has its subject loaded."""

    premises: Premises
    version: ItemVersion
    source: str
    earliest: date
    latest: date
    urgent: bool = False
    superior_ordered: bool = False
    plan_row_id: int | None = None
    case_kind: str = ""
    case_id: str = ""
    case_note: str = ""
    on_site_reason: str = ""


def may_be_off_site(version: ItemVersion) -> bool:
    """Whether the item can be checked without going there: marked so, or its method is not an on-site one."""
    return version.off_site_possible or version.method != ItemVersion.Method.ON_SITE


def first_status(draft: CheckDraft) -> CheckStatus:
    """What can be done off-site is asked for off-site first, unless somebody said why not, or it is urgent (R03, R20)."""
    if may_be_off_site(draft.version) and not draft.on_site_reason and not draft.urgent:
        return CheckStatus.OFF_SITE_FIRST
    return CheckStatus.WAITING


def create_checks(drafts: Sequence[CheckDraft], *, year: int, timeline: str, at: datetime) -> list[Check]:
    """Insert checks in bulk with numbers of `year` and one timeline line each, and mark those that a rule holds back.

    In the caller's transaction, which writes the audit entry. `timeline`: the line's text with %(department)s, %(item)s and the window.
    """
    numbers = take_numbers(PREFIX, year, len(drafts)) if drafts else []
    made = [_check(draft, number, at) for draft, number in zip(drafts, numbers, strict=True)]
    Check.objects.bulk_create(made, batch_size=CHUNK)
    add_many_to_timeline(_timeline_entry(check, timeline, at) for check in made)
    mark_holds([check for check in made if check.status == CheckStatus.WAITING], on=timezone.localdate(at))
    return made


def _check(draft: CheckDraft, number: str, at: datetime) -> Check:
    version = draft.version
    return Check(
        number=number,
        premises=draft.premises,
        department=version.item.department,
        item_version=version,
        source=draft.source,
        earliest=draft.earliest,
        latest=draft.latest,
        minutes=version.minutes,
        safety=version.safety,
        urgent=draft.urgent,
        superior_ordered=draft.superior_ordered,
        plan_row_id=draft.plan_row_id,
        case_kind=draft.case_kind,
        case_id=draft.case_id,
        case_note=draft.case_note[:LONGEST_REASON],
        on_site_reason=draft.on_site_reason[:LONGEST_REASON],
        status=first_status(draft),
        created_at=at,
    )


def _timeline_entry(check: Check, text: str, at: datetime) -> TimelineEntry:
    words = {
        "department": check.department,
        "item": check.item_version.name,
        "earliest": check.earliest.isoformat(),
        "latest": check.latest.isoformat(),
    }
    return TimelineEntry(
        subject=check.premises.subject,
        premises=check.premises,
        at=at,
        kind="inspections.check_due",
        title=(text % words)[:200],
        object_kind="inspections.check",
        object_id=str(check.pk),
    )


def mark_holds(checks: Sequence[Check], *, on: date) -> int:
    """Write down which rule keeps a waiting check out of rounds for now (R04, R10, R11); every round judges anew. Returns how many."""
    if not checks:
        return 0
    start, end = min(check.earliest for check in checks), max(check.latest for check in checks)
    verdict = eligible_checks(checks, start=start, end=end, on=on)
    by_rule: dict[str, list[int]] = {}
    for pk, hold in verdict.held.items():
        by_rule.setdefault(hold.rule_key, []).append(pk)
    for rule_key, keys in by_rule.items():
        for position in range(0, len(keys), CHUNK):
            Check.objects.filter(pk__in=keys[position : position + CHUNK]).update(hold_reason=rule_key)
    return len(verdict.held)


@transaction.atomic
def raise_case_check(
    *,
    premises: Premises,
    item: CatalogueItem,
    case_kind: str,
    case_id: str,
    note: str,
    urgent: bool,
    earliest: date,
    latest: date,
    actor: Actor,
    at: datetime,
    on_site_reason: str = "",
) -> Check:
    """Make a complaint, a failed scale or a shortfall a check (个案检查); the way in for every other system.

    The same case, item and premises again gives back the check that stands. Caps warn and do not block (`case_warnings`). The department
    is told when somebody else raised it; an urgent one gets its date at once, by the worker (R20). Raises Refused for closed premises, an item outside the list (R01), or a window that is over.
    """
    _may_raise(item, actor)
    if not case_kind or not case_id:
        raise Refused(_("请写明个案的来源和编号。"))
    # Whoever comes second waits here, and then finds the first one's check.
    Premises.objects.select_for_update(of=("self",)).get(pk=premises.pk)
    standing = Check.objects.filter(
        case_kind=case_kind, case_id=case_id, item_version__item=item, premises=premises
    ).first()
    if standing:
        return standing
    _refuse_if_over(premises, earliest, latest, timezone.localdate(at))
    draft = CheckDraft(
        premises=premises,
        version=version_for(item, earliest, latest),
        source=PlanRow.Source.CASE,
        earliest=earliest,
        latest=latest,
        urgent=urgent,
        case_kind=case_kind,
        case_id=case_id,
        case_note=note,
        on_site_reason=on_site_reason,
    )
    text = _("%(department)s登记个案检查：%(item)s（%(earliest)s 至 %(latest)s）")
    check = create_checks([draft], year=timezone.localdate(at).year, timeline=text, at=at)[0]
    record(
        "inspections.check.raised",
        check,
        actor=actor,
        at=at,
        number=check.number,
        case=[case_kind, case_id],
        urgent=urgent,
    )
    _tell_department(check, actor, at)
    if urgent:
        enqueue(
            URGENT_JOB,
            title=_("为紧急检查 %(number)s 定日期") % {"number": check.number},
            actor=SYSTEM,
            at=at,
            premises_id=premises.pk,
        )
    return check


@handles(URGENT_JOB)
def place_urgent_job(context: JobContext) -> dict[str, Any]:
    """Urgent checks wait for no round (R20): the worker gives them a date and offers the visit. Again changes nothing."""
    from xiezhi.domains.inspections.services.replanning import place_now

    premises = Premises.objects.select_related("subject").get(pk=context.payload["premises_id"])
    with transaction.atomic():
        visits = place_now(premises=premises, actor=SYSTEM, at=timezone.now())
        context.fence()
    return {"visits": len(visits)}


def _may_raise(item: CatalogueItem, actor: Actor) -> None:
    if actor.is_system:
        return
    actor.require(May.RAISE_CASE)
    if not actor.district_wide and actor.department_id != item.department_id:
        raise PermissionRefused(_("只能登记本部门事项的个案检查。"))


def _refuse_if_over(premises: Premises, earliest: date, latest: date, today: date) -> None:
    if latest < earliest:
        raise Refused(_("最晚日期早于最早日期，请改正。"))
    if latest < today:
        raise Refused(_("最晚日期 %(day)s 已经过去，请改为今天或以后。") % {"day": latest.isoformat()})
    if not premises.is_open or not premises.subject.is_open:
        raise Refused(_("“%(premises)s”已停业或注销，没有可检查的对象。") % {"premises": premises.subject})


def _tell_department(check: Check, actor: Actor, at: datetime) -> None:
    if actor.department_id == check.department_id:
        return
    recipients = people_holding(May.SUBMIT_PLAN, organisation_ids=[check.department_id], at=at)
    title = _("新的个案检查 %(number)s：%(subject)s · %(item)s") % {
        "number": check.number,
        "subject": check.premises.subject,
        "item": check.item_version.name,
    }
    level = Notice.Level.URGENT if check.urgent else Notice.Level.INFO
    link = reverse("inspections:check", args=[check.pk])
    notify(recipients, key=f"inspections.check.raised:{check.pk}", title=title, at=at, link=link, level=level)


def case_warnings(*, premises: Premises, item: CatalogueItem, earliest: date, latest: date, on: date) -> list[str]:
    """What the person should know before raising a case: caps reached and the like, in sentences. Nothing here blocks."""
    version = version_for(item, earliest, latest)
    draft = CheckDraft(premises, version, PlanRow.Source.CASE, earliest, latest)
    check = _check(draft, "", timezone.now())
    verdict = eligible_checks([check], start=earliest, end=latest, on=on)
    found = [hold.detail for hold in (*verdict.held.values(), *verdict.warnings.values())]
    for other in Check.objects.open().filter(premises=premises, item_version__item=item):
        found.append(
            _("同一场所、同一事项已有未办结的任务 %(number)s（%(earliest)s 至 %(latest)s）。")
            % {"number": other.number, "earliest": other.earliest.isoformat(), "latest": other.latest.isoformat()}
        )
    return found


@transaction.atomic
def settle_off_site(*, checks: Sequence[Check], note: str, actor: Actor, at: datetime) -> int:
    """Finish checks without going there (非现场办结), all or none; `note` says how it was seen. Returns how many."""
    if not note.strip():
        raise Refused(_("请写明怎样完成了非现场检查，例如核对了哪些材料。"))
    changes: dict[str, Any] = {"closing_reason": note.strip()[:300]}
    count = advance_many(CHECK, checks, "finish_off_site", actor=actor, at=at, changes=changes)
    text = _("非现场办结：%(item)s（%(department)s）")
    add_many_to_timeline(_timeline_entry(check, text, at) for check in _loaded(checks))
    return count


@transaction.atomic
def go_on_site(*, checks: Sequence[Check], reason: str, actor: Actor, at: datetime) -> int:
    """Say why checks that could be done off-site need a visit (R03), all or none; they wait for a round from now on. Returns how many."""
    if not reason.strip():
        raise Refused(_("请写明到现场的理由（R03）。"))
    changes: dict[str, Any] = {"on_site_reason": reason.strip()[:LONGEST_REASON]}
    count = advance_many(CHECK, checks, "go_on_site", actor=actor, at=at, changes=changes)
    mark_holds(_loaded(checks), on=timezone.localdate(at))
    return count


def _loaded(checks: Sequence[Check]) -> list[Check]:
    """The same checks as they stand now, with what judging and telling them needs."""
    found: list[Check] = []
    keys = [check.pk for check in checks]
    rows = Check.objects.select_related("premises__subject", "department", "item_version__item")
    for position in range(0, len(keys), CHUNK):
        found += rows.filter(pk__in=keys[position : position + CHUNK]).order_by("pk")
    return found


@transaction.atomic
def cancel_checks(*, checks: Sequence[Check], reason: str, actor: Actor, at: datetime) -> int:
    """Take checks off the list with a reason (不再检查), all or none. Visits that were to hold them are mended. Returns how many."""
    if not reason.strip():
        raise Refused(_("请写明理由。"))
    # Visits before checks: everyone locks in this order.
    visits = Visit.objects.filter(checks__in=[check.pk for check in checks]).order_by("pk").distinct()
    visit_ids = sorted(visits.values_list("pk", flat=True))
    lock_visits(visit_ids)
    changes: dict[str, Any] = {"closing_reason": reason.strip()[:300], "visit": None, "hold_reason": ""}
    count = advance_many(CHECK, checks, "cancel", actor=actor, at=at, changes=changes)
    if visit_ids:
        from xiezhi.domains.inspections.services.visits import mend_visits

        mend_visits(visit_ids=visit_ids, why=reason, actor=actor, at=at)
    text = _("不再检查：%(item)s（%(department)s）")
    add_many_to_timeline(_timeline_entry(check, text, at) for check in _loaded(checks))
    return count


@transaction.atomic
def stop_checks_of_closed(*, premises: Q, at: datetime) -> int:
    """Subjects or doors closed: open checks there are cancelled, and the departments are told of visits that were confirmed already.

    `premises` narrows checks by their premises. The system acts. Doing it again changes nothing. Returns how many were cancelled.
    """
    standing = Check.objects.open().filter(premises).select_related("premises__subject", "visit")
    gone = list(standing.exclude(PINNED).order_by("pk"))
    if gone:
        reason = _("%(subject)s已停业或注销，没有可检查的对象。") % {"subject": gone[0].premises.subject}
        cancel_checks(checks=gone, reason=reason, actor=SYSTEM, at=at)
    visits: dict[int, tuple[Check, set[int]]] = {}
    for check in standing.filter(PINNED):
        visits.setdefault(check.visit_id or 0, (check, set()))[1].add(check.department_id)
    for visit_id, (check, departments) in visits.items():
        assert check.visit is not None
        words = {"subject": check.premises.subject, "visit": check.visit.number, "day": check.visit.on.isoformat()}
        notify(
            people_holding(May.CONFIRM, organisation_ids=departments, at=at),
            key=f"inspections.closed:{visit_id}",
            title=_("%(subject)s已停业或注销，请决定 %(day)s 的联合检查 %(visit)s 是否还要进行") % words,
            at=at,
            link=reverse("inspections:visit", args=[visit_id]),
            level=Notice.Level.URGENT,
        )
    return len(gone)
