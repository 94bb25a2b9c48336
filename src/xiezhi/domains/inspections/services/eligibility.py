"""Which waiting checks a round may plan, and from when: caps, cool-down and the do-not-disturb list (R04, R10, R11).

A check is never dropped here: it is held with the rule that holds it, or let in, perhaps later in its window.
"""

import calendar
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count
from django.utils.translation import gettext as _

from xiezhi.domains.inspections import rules as inspection_rules
from xiezhi.domains.inspections.models import Check, Participation, PlanRow, Visit
from xiezhi.domains.inspections.services.problems import Window
from xiezhi.domains.inspections.workflow import Answer, VisitStatus
from xiezhi.domains.registry.models import Subject
from xiezhi.foundation.rules.queries import readings

PROACTIVE = frozenset({PlanRow.Source.ROUTINE.value, PlanRow.Source.RANDOM.value})


@dataclass(frozen=True)
class Hold:
    """Why a check stays out of this round: the rule's key and a sentence for the person."""

    rule_key: str
    detail: str


@dataclass
class Eligibility:
    """The checks a round may plan with their windows, those held back, and the rule versions that decided."""

    windows: dict[int, Window] = field(default_factory=dict)
    held: dict[int, Hold] = field(default_factory=dict)
    warnings: dict[int, Hold] = field(default_factory=dict)
    version_ids: tuple[int, ...] = ()


def months_after(day: date, months: int) -> date:
    """The same day of the month `months` later, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def eligible_checks(checks: Sequence[Check], *, start: date, end: date, on: date) -> Eligibility:
    """Judge `checks` (premises__subject loaded) for a horizon, under the rules in force on `on`. A fixed number of queries."""
    cap_rule, cool_rule = inspection_rules.ANNUAL_CAP, inspection_rules.COOL_DOWN_MONTHS
    found = readings([cap_rule, cool_rule, inspection_rules.UNDISTURBED], on=on)
    cap, months = int(found[cap_rule.key].value), int(found[cool_rule.key].value)
    subject_ids = {check.premises.subject_id for check in checks}
    undisturbed = set(
        Subject.objects.filter(pk__in=subject_ids, scenes__undisturbed=True).values_list("pk", flat=True)
    )
    last_joint = last_joint_visits(subject_ids)
    used = visits_this_year(subject_ids, years={start.year, end.year})
    verdict = Eligibility(version_ids=tuple(reading.version_id for reading in found.values()))
    for check in sorted(checks, key=lambda each: (not each.safety, each.earliest, each.pk)):
        hold = _undisturbed(check, undisturbed)
        window = Window(max(check.earliest, start), min(check.latest, end))
        if hold is None:
            window, hold = _cooled_down(check, window, last_joint, months)
        if hold is None:
            hold = _capped(check, used, cap, start.year, verdict)
        if hold:
            verdict.held[check.pk] = hold
        else:
            verdict.windows[check.pk] = window
    return verdict


def _undisturbed(check: Check, undisturbed: set[int]) -> Hold | None:
    if check.premises.subject_id not in undisturbed or check.source not in PROACTIVE or check.safety:
        return None
    return Hold(inspection_rules.UNDISTURBED.key, _("无事不扰名单内主体，不安排主动检查。"))


def _cooled_down(
    check: Check, window: Window, last_joint: dict[int, date], months: int
) -> tuple[Window, Hold | None]:
    last = last_joint.get(check.premises.subject_id)
    if last is None or check.source not in PROACTIVE:
        return window, None
    free_from = months_after(last, months)
    if free_from > window.latest:
        detail = _("%(last)s 刚接受过联合检查，%(free)s 前不安排日常检查。") % {"last": last, "free": free_from}
        return window, Hold(inspection_rules.COOL_DOWN_MONTHS.key, detail)
    return Window(max(window.earliest, free_from), window.latest), None


def _capped(
    check: Check, used: Counter[tuple[int, int, int]], cap: int, year: int, verdict: Eligibility
) -> Hold | None:
    """Routine and random checks stop at the cap; a case is let through with a warning; what superiors order does not count."""
    if check.superior_ordered:
        return None
    spent = used[check.department_id, check.premises.subject_id, year]
    if spent < cap:
        return None
    detail = _("今年已检查或排定 %(spent)d 次，上限 %(cap)d 次。") % {"spent": spent, "cap": cap}
    hold = Hold(inspection_rules.ANNUAL_CAP.key, detail)
    if check.source in PROACTIVE:
        return hold
    verdict.warnings[check.pk] = hold
    return None


def last_joint_visits(subject_ids: Iterable[int]) -> dict[int, date]:
    """The day of each subject's latest recorded visit in which at least two departments took part."""
    joint = (
        Visit.objects.filter(premises__subject_id__in=list(subject_ids), status=VisitStatus.RECORDED)
        .annotate(departments=Count("results__department", distinct=True))
        .filter(departments__gte=2)
        .values_list("premises__subject_id", "on")
    )
    latest: dict[int, date] = {}
    for subject_id, day in joint:
        latest[subject_id] = max(day, latest.get(subject_id, day))
    return latest


def visits_this_year(subject_ids: Iterable[int], *, years: set[int]) -> Counter[tuple[int, int, int]]:
    """(department, subject, year) → visits made or arranged, but for those that superiors ordered (R04)."""
    rows = (
        Participation.objects.filter(
            visit__premises__subject_id__in=list(subject_ids), visit__on__year__in=years
        )
        .exclude(visit__status=VisitStatus.CANCELLED)
        .exclude(answer__in=[Answer.DECLINED, Answer.RELEASED])
        .values_list("department_id", "visit__premises__subject_id", "visit__on__year", "visit_id")
    )
    ordered = _ordered_parts({visit_id for *_rest, visit_id in rows})
    return Counter(
        (department, subject, year) for department, subject, year, visit in rows if (visit, department) not in ordered
    )


def _ordered_parts(visit_ids: set[int]) -> set[tuple[int, int]]:
    """(visit, department) whose checks were all ordered by superiors."""
    seen: dict[tuple[int, int], bool] = defaultdict(lambda: True)
    rows = Check.objects.filter(visit_id__in=visit_ids).values_list("visit_id", "department_id", "superior_ordered")
    for visit_id, department_id, superior_ordered in rows:
        seen[visit_id, department_id] = seen[visit_id, department_id] and superior_ordered
    return {part for part, all_ordered in seen.items() if all_ordered}
