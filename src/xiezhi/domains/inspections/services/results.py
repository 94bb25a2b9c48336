"""The visit day: who came, what was found, and the one record that is made of it (R02, R09).

Each department registers its own officers and writes its own results; the others read them. A department that did not come records
nothing, and its checks are placed again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from xiezhi.domains.inspections import rules
from xiezhi.domains.inspections.models import (
    Attendance,
    Check,
    Participation,
    Recusal,
    Replan,
    Result,
    ResultCode,
    ResultDraft,
    Visit,
)
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.services import telling
from xiezhi.domains.inspections.services.composition import (
    LIVING,
    checks_of,
    lock_visit,
    lock_visits_of,
    take_out,
)
from xiezhi.domains.inspections.services.replanning import in_words, replan_after
from xiezhi.domains.inspections.workflow import CHECK, VISIT, Answer, CheckStatus, VisitStatus, exactly_own_department
from xiezhi.domains.registry.models import Subject
from xiezhi.domains.registry.services import add_to_timeline
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.events.services import publish
from xiezhi.foundation.orgs.models import Officer
from xiezhi.foundation.rules.queries import reading
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale
from xiezhi.foundation.workflow.services import advance

ANSWERS = ("ok", "problem", "not_applicable")


@dataclass(frozen=True)
class Found:
    """What an officer found at one check. `answers`: form line position (as text) → ok, problem or not_applicable."""

    codes: Sequence[str]
    answers: Mapping[str, str] = field(default_factory=dict)
    finding: str = ""
    order: str = ""
    rectify_by: date | None = None


def officers_for(participation: Participation, *, on: date) -> list[Officer]:
    """A department's officers who may inspect this subject on `on`: in service, certified that day, without a recusal tie."""
    subject = participation.visit.premises.subject
    return list(
        Officer.objects.certified_on(on)
        .filter(department_id=participation.department_id)
        .exclude(recusals__subject=subject)
        .order_by("certificate_number")
    )


def _own_part(visit: Visit, actor: Actor) -> Participation:
    """The actor's department's confirmed part in a visit. Raises PermissionRefused when there is none."""
    actor.require(May.RECORD)
    part = (
        visit.participations.select_related("department", "visit__premises__subject")
        .filter(department_id=actor.department_id)
        .first()
    )
    if part is None:
        raise PermissionRefused(_("您的部门不在这次检查中。"))
    if part.answer != Answer.CONFIRMED:
        raise Refused(_("您的部门没有确认参加这次检查，不能登记到场。"))
    return part


@transaction.atomic
def start_visit(
    *,
    visit: Visit,
    officers: Sequence[Officer],
    actor: Actor,
    at: datetime,
    arrived_at: datetime | None = None,
    seen_status: str | None = None,
) -> Visit:
    """A department registers its officers at the door. The first department to come starts the visit; the others join it.

    Officers are of the actor's own department, certified on the visit's day and without a recusal tie, at least as many as the rule asks
    (R01, R02); their certificate numbers are kept as they are that day. `arrived_at`: when they came, for a visit written up afterwards.
    Raises Refused before the visit's day, for too few or unfit officers; AlreadyDone when they are registered already.
    """
    visit = lock_visit(visit)
    part = _own_part(visit, actor)
    arrived_at = arrived_at or at
    if timezone.localdate(at) < visit.on:
        raise Refused(_("检查日是 %(day)s，还没有到，不能登记到场。") % {"day": visit.on.isoformat()})
    if arrived_at > at or timezone.localdate(arrived_at) != visit.on:
        raise Refused(_("到场时间应在检查日 %(day)s 当天，且不晚于现在。") % {"day": visit.on.isoformat()})
    chosen = sorted({officer.pk for officer in officers})
    if part.arrived_at:
        present = sorted(part.attendances.values_list("officer_id", flat=True))
        if present == chosen:
            raise AlreadyDone(_("到场人员已经登记。"))
        raise Stale(_("您的部门已经登记到场人员，页面已更新，请再看一眼。"))
    able = {officer.pk: officer for officer in officers_for(part, on=visit.on)}
    _fit(part, officers, able, needed=reading(rules.OFFICERS_PER_DEPARTMENT, on=visit.on).value)
    if visit.status == VisitStatus.CONFIRMED:
        visit = advance(VISIT, visit, "start", actor=actor, at=at, seen_status=seen_status)
        visit.started_at = arrived_at
        visit.save(update_fields=["started_at"])
    elif visit.status != VisitStatus.UNDER_WAY:
        raise Refused(_("这次检查%(status)s，不能登记到场。") % {"status": VisitStatus(visit.status).label})
    Attendance.objects.bulk_create(
        Attendance(participation=part, officer_id=pk, certificate_number=able[pk].certificate_number) for pk in chosen
    )
    part.arrived_at = arrived_at
    part.save(update_fields=["arrived_at"])
    record("inspections.participation.arrive", part, actor=actor, at=at, officers=chosen)
    return visit


def _fit(part: Participation, officers: Sequence[Officer], able: Mapping[int, Officer], *, needed: int) -> None:
    strange = [officer for officer in officers if officer.department_id != part.department_id]
    if strange:
        raise PermissionRefused(_("只能登记本部门的执法人员。"))
    unfit = [officer for officer in officers if officer.pk not in able]
    if unfit:
        names = _("、").join(officer.name for officer in unfit)
        raise Refused(_("%(names)s当天没有有效的执法证，或须回避，不能参加这次检查。") % {"names": names})
    if len({officer.pk for officer in officers}) < needed:
        raise Refused(
            ngettext(
                "每个部门至少 %(needed)d 名持证人员到场，才能开始检查。",
                "每个部门至少 %(needed)d 名持证人员到场，才能开始检查。",
                needed,
            )
            % {"needed": needed}
        )


def _own_check(check: Check, actor: Actor) -> tuple[Visit, Check]:
    """The visit, locked, and the check as it is now, when the actor's department may write its result."""
    actor.require(May.RECORD)
    if not exactly_own_department(check, actor):
        raise PermissionRefused(_("只能记录本部门事项的结果。"))
    if check.visit is None:
        raise Refused(_("这项任务已不在这次检查中。"))
    visit = lock_visit(check.visit)
    now = (
        Check.objects.select_for_update(of=("self",))
        .select_related("department", "item_version__item", "premises__subject", "visit")
        .get(pk=check.pk)
    )
    if now.visit_id != visit.pk:
        raise Stale(_("这项任务刚刚离开了这次检查，页面已更新，请再看一眼。"))
    if visit.status != VisitStatus.UNDER_WAY:
        raise Refused(_("这次检查%(status)s，不能记录结果。") % {"status": VisitStatus(visit.status).label})
    if not visit.participations.filter(department_id=check.department_id, arrived_at__isnull=False).exists():
        raise Refused(_("您的部门还没有登记到场人员，请先登记。"))
    return visit, now


@transaction.atomic
def save_draft(*, check: Check, content: Mapping[str, Any], actor: Actor, at: datetime) -> ResultDraft:
    """Keep what has been filled in so far for one check, whatever state it is in. Raises Refused once the result is recorded."""
    _visit, now = _own_check(check, actor)
    if now.status == CheckStatus.DONE:
        raise Refused(_("这项结果已经记录；要更正，请打开结果修改。"))
    draft, _made = ResultDraft.objects.update_or_create(
        check_task=now, defaults={"content": dict(content), "saved_at": at}
    )
    return draft


@transaction.atomic
def record_result(*, check: Check, found: Found, actor: Actor, at: datetime, seen: str = "") -> Result:
    """Record (or, until the visit is finished, correct) one check's result.

    `seen`: `mark_of` the result that the page showed, "" when it showed none. Raises Stale when a colleague recorded
    meanwhile, AlreadyDone for the same again, Refused when codes, form and finding contradict each other.
    """
    visit, now = _own_check(check, actor)
    codes = _chosen_codes(found.codes)
    problem = _consistent(now, codes, found, on=visit.on)
    values = {
        "raw_codes": sorted(code.code for code in codes),
        "code_version": codes[0].version,
        "problem_found": problem,
        "answers": dict(found.answers),
        "finding": found.finding.strip(),
        "order": found.order.strip(),
        "rectify_by": found.rectify_by,
    }
    old = Result.objects.filter(check_task=now).first()
    if (mark_of(old) if old else "") != seen:
        if old and all(getattr(old, name) == value for name, value in values.items()):
            raise AlreadyDone(_("结果已经记录。"))
        raise Stale(_("同事刚刚记录了这项结果，页面已更新，请再看一眼。"))
    values |= {"recorded_at": at, "recorded_by_officer": _recorder(visit, actor)}
    result, _made = Result.objects.update_or_create(
        check_task=now, defaults=values, create_defaults={**values, "visit": visit, "department": now.department}
    )
    if old is None:
        advance(CHECK, now, "finish", actor=actor, at=at, codes=values["raw_codes"])
    else:
        record("inspections.result.correct", result, actor=actor, at=at, codes=values["raw_codes"], was=old.raw_codes)
    ResultDraft.objects.filter(check_task=now).delete()
    return result


def mark_of(result: Result) -> str:
    """What a page keeps of the result it shows, to notice that a colleague changed it meanwhile."""
    return result.recorded_at.astimezone(UTC).isoformat()


def _recorder(visit: Visit, actor: Actor) -> Officer | None:
    if actor.user_id is None:
        return None
    return Officer.objects.filter(user_id=actor.user_id, attendances__participation__visit=visit).first()


def current_codes() -> list[ResultCode]:
    """The result codes in use, of the newest version."""
    active = ResultCode.objects.filter(is_active=True)
    newest = active.order_by("-version").values_list("version", flat=True).first()
    return list(active.filter(version=newest).order_by("pk"))


def _chosen_codes(wanted: Sequence[str]) -> list[ResultCode]:
    known = {code.code: code for code in current_codes()}
    strange = [code for code in wanted if code not in known]
    if strange or not wanted:
        raise Refused(
            _("请至少选一项检查结果。")
            if not strange
            else _("没有这样的结果代码：%(codes)s。") % {"codes": _("、").join(strange)}
        )
    chosen = [known[code] for code in dict.fromkeys(wanted)]
    alone = [code for code in chosen if code.exclusive]
    if alone and len(chosen) > 1:
        raise Refused(_("“%(text)s”不能与其他结果并选。") % {"text": alone[0].text})
    return chosen


def _consistent(check: Check, codes: Sequence[ResultCode], found: Found, *, on: date) -> bool:
    """Whether a problem was found; raises Refused where the parts of the form contradict each other."""
    problem = any(code.problem for code in codes)
    lines = {str(line.position): line for line in check.item_version.form_lines.all()}
    open_lines = [line.content for key, line in lines.items() if found.answers.get(key) not in ANSWERS]
    if open_lines or found.answers.keys() - lines.keys():
        raise Refused(_("检查表还有没填的行：%(lines)s。") % {"lines": _("；").join(open_lines) or "—"})
    failed = [lines[key].content for key, answer in found.answers.items() if answer == "problem"]
    if failed and not problem:
        raise Refused(
            _("检查表中有“有问题”的行（%(lines)s），检查结果不能只选没有问题的项。") % {"lines": _("；").join(failed)}
        )
    if problem and not found.finding.strip():
        raise Refused(_("请写明发现的问题。"))
    if not problem and found.finding.strip():
        raise Refused(_("检查结果是没有问题，却写了“发现的问题”。请改选结果，或删去这段文字。"))
    if found.rectify_by and (not problem or found.rectify_by < on):
        raise Refused(_("整改期限只在发现问题时填写，且不早于检查日。"))
    return problem


@transaction.atomic
def finish_visit(
    *, visit: Visit, actor: Actor, at: datetime, left_at: datetime | None = None, seen_status: str | None = None
) -> Visit:
    """Close the visit: one record for all departments (R09). Departments that did not come leave it; their checks are placed again.

    Any department present may close it once every present department's results are in. `left_at`: when they left, for a visit written up
    afterwards. Tells the subject's timeline and, after commit, whoever listens to `inspections.visit_recorded`.
    """
    visit = lock_visits_of(visit.premises).get(visit.pk) or lock_visit(visit)
    part = _own_part(visit, actor)
    if visit.status == VisitStatus.UNDER_WAY and part.arrived_at is None:
        raise Refused(_("您的部门还没有登记到场人员，请先登记。"))
    left_at = left_at or at
    if visit.started_at and not visit.started_at <= left_at <= at:
        raise Refused(_("离场时间应在到场之后，且不晚于现在。"))
    parts = list(visit.participations.select_related("department").order_by("pk"))
    present = {each.department_id for each in parts if each.arrived_at}
    checks = checks_of(visit)
    missing = [each for each in checks if each.department_id in present and each.status != CheckStatus.DONE]
    if visit.status == VisitStatus.UNDER_WAY and missing:
        items = _("；").join(f"{check.department.short_name} · {check.item_version.name}" for check in missing)
        raise Refused(_("还有事项没有记录结果：%(items)s。") % {"items": items})
    recorded = advance(
        VISIT, visit, "record", actor=actor, at=at, changes={"ended_at": left_at}, seen_status=seen_status
    )
    absent = [each for each in parts if each.answer in LIVING and not each.arrived_at]
    if absent:
        _replan_absent(recorded, absent, at=at)
    _tell_record(recorded, at=at)
    return recorded


def _replan_absent(visit: Visit, absent: Sequence[Participation], *, at: datetime) -> None:
    departments = {part.department_id for part in absent}
    released = take_out(visit, departments, at=at, because="absent")
    names = _("、").join(part.department.short_name for part in absent)
    row = replan_after(
        visit=visit,
        checks=released,
        cause=Replan.Cause.ABSENT,
        reason=_("未到场：%(departments)s") % {"departments": names},
        department=absent[0].department if len(absent) == 1 else None,
        closed={(department, visit.on) for department in departments},
        at=at,
    )
    title = _("%(departments)s未到场：%(visit)s") % {"departments": names, "visit": telling.name_of(visit)}
    telling.tell_changed(visit, departments, key="absent", title=title, body=in_words(row), at=at, urgent=True)


def _tell_record(visit: Visit, *, at: datetime) -> None:
    results = list(
        Result.objects.filter(visit=visit).select_related("check_task__item_version__item", "department").order_by("pk")
    )
    problems = sum(result.problem_found for result in results)
    names = _("、").join(dict.fromkeys(result.department.short_name for result in results))
    words = {"number": visit.number, "departments": names, "count": len(results), "problems": problems}
    title = (
        _("检查 %(number)s：%(departments)s，%(count)d 项，发现问题 %(problems)d 项")
        if problems
        else _("检查 %(number)s：%(departments)s，%(count)d 项，未发现问题")
    ) % words
    add_to_timeline(
        subject=visit.premises.subject,
        premises=visit.premises,
        kind="inspections.visit_recorded",
        title=title,
        at=at,
        object_kind="inspections.visit",
        object_id=str(visit.pk),
    )
    publish(
        "inspections.visit_recorded",
        at=at,
        visit_id=visit.pk,
        number=visit.number,
        subject_id=visit.premises.subject_id,
        premises_id=visit.premises_id,
        on=visit.on.isoformat(),
        checks=[
            {
                "check_id": result.check_task_id,
                "number": result.check_task.number,
                "department": result.department.code,
                "item": result.check_task.item_version.item.code,
                "source": result.check_task.source,
                "case_kind": result.check_task.case_kind,
                "case_id": result.check_task.case_id,
                "problem": result.problem_found,
            }
            for result in results
        ],
    )


@transaction.atomic
def add_recusal(*, officer: Officer, subject: Subject, reason: str, actor: Actor, at: datetime) -> Recusal:
    """An officer with a tie to a subject may not inspect it from now on (回避). A department says so for its own officers only.

    Raises Refused without a reason or while the officer is registered at a visit to the subject that is under way.
    """
    actor.require(May.RECORD)
    if not exactly_own_department(officer, actor):
        raise PermissionRefused(_("只能为本部门的执法人员登记回避。"))
    if not reason.strip():
        raise Refused(_("请写明回避事由。"))
    present = Attendance.objects.filter(
        officer=officer,
        participation__visit__premises__subject=subject,
        participation__visit__status=VisitStatus.UNDER_WAY,
    )
    if present.exists():
        raise Refused(_("%(name)s已登记在正在进行的检查中，请先结束这次检查。") % {"name": officer.name})
    recusal, made = Recusal.objects.get_or_create(
        officer=officer, subject=subject, defaults={"reason": reason.strip()[:100]}
    )
    if not made:
        raise AlreadyDone(_("已经登记回避。"))
    record("inspections.recusal.add", recusal, actor=actor, at=at, officer=officer.pk, subject=subject.pk)
    return recusal


@transaction.atomic
def end_recusal(*, recusal: Recusal, actor: Actor, at: datetime) -> None:
    """The tie is over: the officer may inspect the subject again."""
    actor.require(May.RECORD)
    if not exactly_own_department(recusal.officer, actor):
        raise PermissionRefused(_("只能为本部门的执法人员登记回避。"))
    record(
        "inspections.recusal.end", recusal, actor=actor, at=at, officer=recusal.officer_id, subject=recusal.subject_id
    )
    recusal.delete()
