"""What a visit is made of: its lead and minutes, its deadlines, and what follows when departments answer or leave.

Locks, always in this order: visits (ids ascending), their participations, their checks, the number series of visits. Whoever promises
team time holds that series until commit (`hold_capacity`), so two acts never promise the same minutes.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.inspections import rules
from xiezhi.domains.inspections.models import Check, Participation, Visit
from xiezhi.domains.inspections.services.numbering import take_numbers
from xiezhi.domains.inspections.workflow import CHECK, PARTICIPATION, VISIT, Answer, CheckStatus, VisitStatus
from xiezhi.domains.registry.models import Premises
from xiezhi.engines.deadlines import WorkdayTable, add_workdays
from xiezhi.foundation.access.actors import SYSTEM
from xiezhi.foundation.calendar.queries import workday_table
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules.queries import rule_book
from xiezhi.foundation.workflow.services import advance, advance_many

OFFICE_CLOSES = time(18, 0)
"""The hour at which deadlines counted in working days end; a convention of the interface, not a rule."""
LIVING = (Answer.PENDING, Answer.CONFIRMED)
OPEN_TO_ANSWERS = (VisitStatus.OFFERED, VisitStatus.CONFIRMED)


@dataclass(frozen=True)
class Make:
    """Lead department, minutes on site, and each department's own minutes (by id)."""

    lead: Organisation
    on_site_minutes: int
    minutes: dict[int, int]


def make_of(checks: Sequence[Check]) -> Make:
    """Lead and minutes of one visit from its checks (`department` loaded), as the planner has it (spec/planning, rules 3 and 6).

    The lead is the department with most safety minutes, or most minutes where there is no safety check; ties go by code. Raises
    ValueError for no checks.
    """
    departments = {check.department_id: check.department for check in checks}
    minutes, safety = Counter[int](), Counter[int]()
    for check in checks:
        minutes[check.department_id] += check.minutes
        safety[check.department_id] += check.minutes if check.safety else 0
    weight = safety if any(safety.values()) else minutes
    lead = min(departments.values(), key=lambda each: (-weight[each.pk], each.code))
    return Make(lead, max(minutes.values()), dict(minutes))


@dataclass(frozen=True)
class Clock:
    """Working days and the periods for answers, as in force on one day; loaded once, asked often."""

    table: WorkdayTable
    answer_workdays: int
    reminder_workdays: int
    escalation: dict[str, int]
    versions: tuple[int, ...] = ()

    @classmethod
    def on(cls, day: date) -> "Clock":
        """The clock by the rules in force on `day`."""
        wanted = (rules.CONFIRMATION_WORKDAYS, rules.REMINDER_LEAD_WORKDAYS, rules.ESCALATION)
        book = rule_book(*wanted)
        steps = book.reading(rules.ESCALATION, on=day).value
        return cls(
            table=workday_table(day.year - 1, day.year + 1),
            answer_workdays=book.reading(rules.CONFIRMATION_WORKDAYS, on=day).value,
            reminder_workdays=book.reading(rules.REMINDER_LEAD_WORKDAYS, on=day).value,
            escalation={step: int(cells["workdays"]) for step, cells in steps.items()},
            versions=tuple(book.reading(rule, on=day).version_id for rule in wanted),
        )

    def closing(self, day: date) -> datetime:
        """When the office closes on `day`."""
        return datetime.combine(day, OFFICE_CLOSES, tzinfo=timezone.get_current_timezone())

    def shifted(self, moment: datetime, workdays: int) -> datetime:
        """`moment` so many working days later (earlier when negative), at closing time; itself for 0."""
        if workdays == 0:
            return moment
        return self.closing(add_workdays(timezone.localdate(moment), workdays, self.table).on)

    def last_answer(self, on: date) -> datetime:
        """The latest deadline for a visit on `on`: the closing hour of the working day before it."""
        return self.closing(add_workdays(on, -1, self.table).on)

    def answer_by(self, *, on: date, at: datetime) -> datetime:
        """The deadline for answers asked at `at`: the rule's working days, never later than the working day before the visit."""
        usual = self.closing(add_workdays(timezone.localdate(at), self.answer_workdays, self.table).on)
        return max(min(usual, self.last_answer(on)), at)

    def first_day(self, *, at: datetime, urgent: bool) -> date:
        """The first day that a new visit may have: a whole working day is left for answers, but an urgent one waits for nobody (R20)."""
        today = timezone.localdate(at)
        if urgent:
            return today + timedelta(days=1)
        return add_workdays(today, 1, self.table).on + timedelta(days=1)

    def remind_at(self, answer_by: datetime) -> datetime:
        """When a silent department is reminded."""
        return self.shifted(answer_by, -self.reminder_workdays)

    def escalate_at(self, answer_by: datetime) -> datetime:
        """When the department's heads are told that it is overdue."""
        return self.shifted(answer_by, self.escalation["head"])

    def raise_at(self, answer_by: datetime, on: date) -> datetime:
        """When the coordinators are told; at the latest on the eve of the visit, so that they can still act."""
        return max(answer_by, min(self.shifted(answer_by, self.escalation["coordinator"]), self.last_answer(on)))

    def release_at(self, answer_by: datetime, on: date) -> datetime:
        """When a still silent department is left out: after the rule's period, at the latest as the visit's day begins."""
        begins = datetime.combine(on, time.min, tzinfo=timezone.get_current_timezone())
        return max(answer_by, min(self.shifted(answer_by, self.escalation["release"]), begins))


def lock_visits(visit_ids: Collection[int]) -> dict[int, Visit]:
    """The rows of these visits, locked in order of id, as they are now."""
    rows = Visit.objects.select_for_update(of=("self",)).select_related("premises__subject", "round", "lead")
    return {visit.pk: visit for visit in rows.filter(pk__in=visit_ids).order_by("pk")}


def lock_visit(visit: Visit) -> Visit:
    """One visit's row, locked, as it is now."""
    return lock_visits([visit.pk])[visit.pk]


def lock_visits_of(premises: Premises) -> dict[int, Visit]:
    """Every visit of a door that departments may still answer, locked in order of id: for acts that may move several of them."""
    rows = (
        Visit.objects.select_for_update(of=("self",))
        .filter(premises=premises, status__in=OPEN_TO_ANSWERS)
        .select_related("premises__subject", "round", "lead")
        .order_by("pk")
    )
    return {visit.pk: visit for visit in rows}


def hold_capacity(at: datetime) -> None:
    """Let nobody else promise team time until this transaction ends. Take it after every other lock."""
    take_numbers("V", timezone.localtime(at).year, 0)


def checks_of(visit: Visit) -> list[Check]:
    """The visit's checks with department and item loaded, in order of id."""
    return list(
        Check.objects.filter(visit=visit)
        .select_related("department", "item_version__item", "premises__subject")
        .order_by("pk")
    )


def release_checks(checks: Sequence[Check], *, at: datetime, because: str) -> None:
    """Planned checks wait for a round again, and belong to no visit. The rows given are brought up to date."""
    advance_many(CHECK, checks, "release", actor=SYSTEM, at=at, changes={"visit": None}, because=because)
    for check in checks:
        check.status, check.visit = CheckStatus.WAITING, None


def take_out(visit: Visit, departments: Collection[int], *, at: datetime, because: str) -> list[Check]:
    """Let the checks of `departments` (ids) leave a locked visit; lead and minutes follow from what stays. Returns the released checks."""
    checks = checks_of(visit)
    released = [check for check in checks if check.department_id in departments]
    staying = [check for check in checks if check.department_id not in departments]
    release_checks(released, at=at, because=because)
    if staying:
        make = make_of(staying)
        visit.lead, visit.on_site_minutes = make.lead, make.on_site_minutes
        visit.save(update_fields=["lead", "on_site_minutes"])
    return released


def settle(visit: Visit, *, at: datetime, because: str) -> Visit:
    """Draw the consequence of the answers in a locked visit: confirm it, dissolve it, or leave it waiting. Returns it as it is now.

    All who still take part must have confirmed; with urgent checks only the departments that have those (R20). Checks are scheduled
    once their department has confirmed and the visit stands.
    """
    parts = list(Participation.objects.filter(visit=visit, answer__in=LIVING))
    if not parts:
        changes = {"cancel_reason": _("没有部门参加。")}
        return advance(VISIT, visit, "dissolve", actor=SYSTEM, at=at, because=because, changes=changes)
    checks = checks_of(visit)
    agreed = {part.department_id for part in parts if part.answer == Answer.CONFIRMED}
    urgent = {check.department_id for check in checks if check.urgent}
    if visit.status == VisitStatus.OFFERED and agreed:
        needed = urgent or {part.department_id for part in parts}
        if needed <= agreed:
            visit = advance(VISIT, visit, "confirm", actor=SYSTEM, at=at, because=because)
    if visit.status == VisitStatus.CONFIRMED:
        due = [each for each in checks if each.department_id in agreed and each.status == CheckStatus.SUGGESTED]
        advance_many(CHECK, due, "schedule", actor=SYSTEM, at=at, because=because)
    return visit


def ask(parts: Iterable[Participation], *, at: datetime) -> None:
    """Start a new asking: the clock of reminder and escalation begins again."""
    Participation.objects.filter(pk__in=[part.pk for part in parts]).update(
        asked_at=at, reminded_at=None, escalated_at=None, raised_at=None
    )


def ask_again(visit: Visit, *, but: int, at: datetime) -> list[Participation]:
    """After a change of date: everybody but department `but` is asked anew; earlier yeses held for the earlier date only."""
    others = list(
        Participation.objects.filter(visit=visit, answer__in=LIVING)
        .exclude(department_id=but)
        .select_related("department")
        .order_by("pk")
    )
    agreed = [part for part in others if part.answer == Answer.CONFIRMED]
    advance_many(PARTICIPATION, agreed, "ask_again", actor=SYSTEM, at=at, changes={"answered_at": None})
    ask(others, at=at)
    return others
