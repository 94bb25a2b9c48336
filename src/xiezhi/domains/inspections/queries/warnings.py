"""频次预警 (R04, R05, R10, N12): subjects that are, or are about to be, visited too often. Lists of subjects to spare, not of inspectors to rate."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, F
from django.utils.translation import gettext as _

from xiezhi.domains.inspections import rules
from xiezhi.domains.inspections.models import Check, Participation, PlanRow, Visit
from xiezhi.domains.inspections.services.composition import LIVING
from xiezhi.domains.inspections.services.eligibility import kinds_of, last_joint_visits, months_after
from xiezhi.domains.inspections.workflow import CheckStatus, VisitStatus
from xiezhi.domains.registry.models import Subject
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.rules.queries import Reading, RuleBook, rule_book

HELD = (VisitStatus.OFFERED, VisitStatus.CONFIRMED, VisitStatus.UNDER_WAY, VisitStatus.RECORDED)
KINDS = ("cap", "cool_down", "repeat", "frequent")


@dataclass(frozen=True)
class Spared:
    """One subject and why it should be spared. `reading` is the rule, `detail` a sentence with the days and numbers."""

    kind: str
    subject: Subject
    detail: str
    reading: Reading[int]


def warning_labels() -> dict[str, str]:
    """The kinds in words, in their order."""
    return {
        "cap": _("年度上限已到或已过"),
        "cool_down": _("静默期内又排了检查"),
        "repeat": _("短期内重复进入"),
        "frequent": _("十二个月内进入频繁"),
    }


def warnings_for(actor: Actor, on: date) -> list[Spared]:
    """Every warning about subjects whose visits `actor` may see, by kind and name. A fixed number of queries."""
    wanted = (rules.ANNUAL_CAP, rules.COOL_DOWN_MONTHS, rules.REPEAT_WARNING_DAYS, rules.HIGH_FREQUENCY_VISITS)
    book = rule_book(*wanted, rules.COOL_DOWN_EXCEPTIONS, rules.SUPERIOR_ORDERED_COUNTS, rules.DRAWS_PER_ITEM)
    found = [
        *_caps(actor, on, book),
        *_cool_downs(actor, on, book),
        *_repeats(actor, on, book),
        *_frequent(actor, on, book),
    ]
    names = {each.pk: each for each in Subject.objects.filter(pk__in={key for _kind, key, _d, _r in found})}
    warnings = [Spared(kind, names[key], detail, reading) for kind, key, detail, reading in found]
    return sorted(warnings, key=lambda each: (KINDS.index(each.kind), each.subject.name, each.detail))


_Found = Iterator[tuple[str, int, str, Reading[int]]]


def _parts(actor: Actor, first: date, last: date) -> list[tuple[int, int, str, date, int]]:
    """(department id, subject id, department name, day, visit id) of every part in a visit sent out, begun or made, oldest first."""
    visits = Visit.objects.visible_to(actor).filter(status__in=HELD, on__range=(first, last))
    rows = Participation.objects.filter(visit__in=visits, answer__in=LIVING)
    return list(
        rows.order_by("visit__on", "pk").values_list(
            "department_id", "visit__premises__subject_id", "department__short_name", "visit__on", "visit_id"
        )
    )


def _caps(actor: Actor, on: date, book: RuleBook) -> _Found:
    """Visits by one body to one subject this year, arranged ones included; what superiors ordered by its own rule (R04)."""
    reading = book.reading(rules.ANNUAL_CAP, on=on)
    uncounted: set[tuple[int, int]] = set()
    if not book.reading(rules.SUPERIOR_ORDERED_COUNTS, on=on).value:
        ordered: dict[tuple[int, int], bool] = defaultdict(lambda: True)
        for visit_id, department_id, superior in Check.objects.filter(
            visit__on__year=on.year, visit__status__in=HELD
        ).values_list("visit_id", "department_id", "superior_ordered"):
            ordered[visit_id, department_id] &= superior
        uncounted = {key for key, all_ordered in ordered.items() if all_ordered}
    seen: dict[tuple[int, int, str], int] = defaultdict(int)
    for department_id, subject_id, name, _day, visit_id in _parts(actor, date(on.year, 1, 1), date(on.year, 12, 31)):
        if (visit_id, department_id) not in uncounted:
            seen[subject_id, department_id, name] += 1
    for (subject_id, _department_id, name), count in seen.items():
        if count >= reading.value:
            detail = _("%(department)s今年 %(count)d 次（含已排定），上限 %(cap)d 次。")
            yield "cap", subject_id, detail % {"department": name, "count": count, "cap": reading.value}, reading


def _cool_downs(actor: Actor, on: date, book: RuleBook) -> _Found:
    """Checks arranged within the rest that follows a joint visit, other than those the rule lets through (R10)."""
    reading = book.reading(rules.COOL_DOWN_MONTHS, on=on)
    exceptions = book.reading(rules.COOL_DOWN_EXCEPTIONS, on=on).value
    arranged = list(
        Check.objects.filter(
            visit__in=Visit.objects.visible_to(actor).filter(status__in=HELD, on__gte=on),
            status__in=[CheckStatus.SUGGESTED, CheckStatus.SCHEDULED],
        ).select_related("premises", "visit", "item_version")
    )
    last = last_joint_visits({check.premises.subject_id for check in arranged})
    for check in arranged:
        before = last.get(check.premises.subject_id)
        if before is None or check.visit is None or kinds_of(check).intersection(exceptions):
            continue
        if before < check.visit.on < months_after(before, reading.value):
            words = {"last": before.isoformat(), "on": check.visit.on.isoformat(), "item": check.item_version.name}
            detail = _("%(last)s 刚接受过联合检查，%(on)s 又排了“%(item)s”。") % words
            yield "cool_down", check.premises.subject_id, detail, reading


def _repeats(actor: Actor, on: date, book: RuleBook) -> _Found:
    """The same body at the same subject again within the rule's days, and the same item twice a year."""
    reading = book.reading(rules.REPEAT_WARNING_DAYS, on=on)
    if reading.value:
        latest: dict[tuple[int, int], date] = {}
        for department_id, subject_id, name, day, _visit in _parts(
            actor, on - timedelta(days=365), on + timedelta(days=365)
        ):
            before = latest.get((department_id, subject_id))
            if before is not None and (day - before).days < reading.value:
                words = {"department": name, "first": before.isoformat(), "second": day.isoformat()}
                detail = _("%(department)s %(first)s 去过或将去，%(second)s 又去。") % words
                yield "repeat", subject_id, detail, reading
            latest[department_id, subject_id] = day
    draws = book.reading(rules.DRAWS_PER_ITEM, on=on)
    twice = (
        Check.objects.filter(
            visit__in=Visit.objects.visible_to(actor).filter(status__in=HELD, on__year=on.year),
            source=PlanRow.Source.RANDOM,
        )
        .order_by()
        .values("premises__subject_id", item=F("item_version__item"))
        .annotate(n=Count("pk"))
        .filter(n__gt=draws.value)
        .values_list("premises__subject_id", "item_version__item__code", "n")
    )
    for subject_id, code, count in twice:
        detail = _("事项 %(item)s 今年被随机抽查 %(count)d 次。") % {"item": code, "count": count}
        yield "repeat", subject_id, detail, draws


def _frequent(actor: Actor, on: date, book: RuleBook) -> _Found:
    """Doors entered within twelve months, whoever came (N12): a joint visit counts once."""
    reading = book.reading(rules.HIGH_FREQUENCY_VISITS, on=on)
    seen: dict[int, set[int]] = defaultdict(set)
    for _department, subject_id, _name, _day, visit_id in _parts(actor, on - timedelta(days=365), on):
        seen[subject_id].add(visit_id)
    for subject_id, visits in seen.items():
        if len(visits) >= reading.value:
            detail = _("十二个月内进门 %(count)d 次，预警线 %(line)d 次。")
            yield "frequent", subject_id, detail % {"count": len(visits), "line": reading.value}, reading
