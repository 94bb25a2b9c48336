"""Which waiting checks a round may plan, and from when: caps, cool-down and the do-not-disturb list (R04, R10, R11).

A check is never dropped here: it is held with the rule that holds it, or let in, perhaps later in its window.
"""

import calendar
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar, cast

from django.db.models import Count
from django.utils.translation import gettext as _

from xiezhi.domains.inspections import rules as inspection_rules
from xiezhi.domains.inspections.models import Check, Participation, PlanRow, Visit
from xiezhi.domains.inspections.services.problems import Window
from xiezhi.domains.inspections.workflow import Answer, VisitStatus
from xiezhi.domains.registry.models import Subject
from xiezhi.foundation.rules.queries import rule_book
from xiezhi.foundation.rules.registry import Rule

T = TypeVar("T")
RULES: tuple[Rule[Any], ...] = (
    inspection_rules.ANNUAL_CAP,
    inspection_rules.CASE_CHECKS_AND_CAP,
    inspection_rules.SUPERIOR_ORDERED_COUNTS,
    inspection_rules.COOL_DOWN_MONTHS,
    inspection_rules.COOL_DOWN_EXCEPTIONS,
    inspection_rules.DO_NOT_DISTURB_EXCEPTIONS,
)


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


def kinds_of(check: Check) -> frozenset[str]:
    """The words by which the rules' exceptions know a check: its source, and urgent, safety or superior_ordered."""
    words = {check.source}
    for word in ("urgent", "safety", "superior_ordered"):
        if getattr(check, word):
            words.add(word)
    return frozenset(words)


def eligible_checks(checks: Sequence[Check], *, start: date, end: date, on: date) -> Eligibility:
    """Judge `checks` (premises__subject loaded) for a horizon, under the rules in force on `on`. A fixed number of queries."""
    subject_ids = {check.premises.subject_id for check in checks}
    bench = _Bench(subject_ids, start, on)
    for check in sorted(checks, key=lambda each: (not each.safety, each.earliest, each.pk)):
        window = Window(max(check.earliest, start), min(check.latest, end))
        window, hold = bench.cooled_down(check, window)
        hold = bench.undisturbed(check) or hold or bench.capped(check)
        if hold:
            bench.verdict.held[check.pk] = hold
        else:
            bench.verdict.windows[check.pk] = window
    return bench.verdict


class _Bench:
    """The rules and the facts they need, loaded once for many checks."""

    def __init__(self, subject_ids: set[int], start: date, on: date) -> None:
        book = rule_book(*RULES)
        self.readings = {rule.key: book.reading(rule, on=on) for rule in RULES}
        self.verdict = Eligibility(version_ids=tuple(each.version_id for each in self.readings.values()))
        self.year = start.year
        listed = Subject.objects.filter(pk__in=subject_ids, scenes__undisturbed=True)
        self.listed = set(listed.values_list("pk", flat=True))
        self.last_joint = last_joint_visits(subject_ids)
        self.used = visits_this_year(
            subject_ids, year=start.year, superior_ordered_counts=self.value(inspection_rules.SUPERIOR_ORDERED_COUNTS)
        )

    def value(self, rule: Rule[T]) -> T:
        """The value of `rule` on the day of judgement."""
        return cast(T, self.readings[rule.key].value)

    def undisturbed(self, check: Check) -> Hold | None:
        rule = inspection_rules.DO_NOT_DISTURB_EXCEPTIONS
        exceptions = self.value(rule)
        if check.premises.subject_id not in self.listed or kinds_of(check).intersection(exceptions):
            return None
        return Hold(rule.key, _("“无事不扰”名单内主体，不安排主动检查。"))

    def cooled_down(self, check: Check, window: Window) -> tuple[Window, Hold | None]:
        last = self.last_joint.get(check.premises.subject_id)
        exceptions = self.value(inspection_rules.COOL_DOWN_EXCEPTIONS)
        if last is None or kinds_of(check).intersection(exceptions):
            return window, None
        free_from = months_after(last, self.value(inspection_rules.COOL_DOWN_MONTHS))
        if free_from <= window.latest:
            return Window(max(window.earliest, free_from), window.latest), None
        detail = _("%(last)s 刚接受过联合检查，%(free)s 前不安排日常检查。") % {"last": last, "free": free_from}
        return window, Hold(inspection_rules.COOL_DOWN_MONTHS.key, detail)

    def capped(self, check: Check) -> Hold | None:
        """What superiors order goes by its own rule; a case is counted and let through with a warning unless a district blocks it."""
        spent = self.used[check.department_id, check.premises.subject_id]
        cap = self.value(inspection_rules.ANNUAL_CAP)
        uncounted = check.superior_ordered and not self.value(inspection_rules.SUPERIOR_ORDERED_COUNTS)
        if spent < cap or uncounted:
            return None
        detail = _("今年已检查或排定 %(spent)d 次，上限 %(cap)d 次。") % {"spent": spent, "cap": cap}
        hold = Hold(inspection_rules.ANNUAL_CAP.key, detail)
        if check.source != PlanRow.Source.CASE or self.value(inspection_rules.CASE_CHECKS_AND_CAP) == "block":
            return hold
        self.verdict.warnings[check.pk] = hold
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


def visits_this_year(
    subject_ids: Iterable[int], *, year: int, superior_ordered_counts: bool
) -> Counter[tuple[int, int]]:
    """(department, subject) → visits made or arranged in `year` (R04), without those that superiors ordered unless these count."""
    rows = (
        Participation.objects.filter(visit__premises__subject_id__in=list(subject_ids), visit__on__year=year)
        .exclude(visit__status=VisitStatus.CANCELLED)
        .exclude(answer__in=[Answer.DECLINED, Answer.RELEASED])
        .values_list("department_id", "visit__premises__subject_id", "visit_id")
    )
    ordered = set() if superior_ordered_counts else _ordered_parts({visit_id for *_rest, visit_id in rows})
    return Counter((department, subject) for department, subject, visit in rows if (visit, department) not in ordered)


def _ordered_parts(visit_ids: set[int]) -> set[tuple[int, int]]:
    """(visit, department) whose checks were all ordered by superiors."""
    seen: dict[tuple[int, int], bool] = defaultdict(lambda: True)
    rows = Check.objects.filter(visit_id__in=visit_ids).values_list("visit_id", "department_id", "superior_ordered")
    for visit_id, department_id, superior_ordered in rows:
        seen[visit_id, department_id] = seen[visit_id, department_id] and superior_ordered
    return {part for part, all_ordered in seen.items() if all_ordered}
