"""What the pages of visits show: who has to answer, what happened, and a month at a glance."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Prefetch, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import Check, Participation, Replan, Result, Visit
from xiezhi.domains.inspections.services.composition import LIVING, OPEN_TO_ANSWERS
from xiezhi.domains.inspections.services.replanning import left_in_words
from xiezhi.domains.inspections.workflow import PARTICIPATION, VISIT, Answer, VisitStatus
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.ui import words

LIVING_PARTS = Prefetch(
    "participations",
    Participation.objects.filter(answer__in=LIVING).select_related("department").order_by("department__code"),
    to_attr="living",
)


def visits_listed(actor: Actor) -> QuerySet[Visit]:
    """The visits that a list shows to `actor`, with what its columns need."""
    return (
        Visit.objects.visible_to(actor)
        .select_related("premises__subject", "premises__street", "lead")
        .prefetch_related(LIVING_PARTS)
    )


def answers_due(actor: Actor) -> QuerySet[Participation]:
    """What waits for the actor's own department, the soonest deadline first by default. Nothing for district-wide posts."""
    if actor.department_id is None:
        return Participation.objects.none()
    return _silent(actor).filter(department_id=actor.department_id)


def overdue_answers(actor: Actor, at: datetime) -> QuerySet[Participation]:
    """Silent departments past their deadline, for those who see the whole district."""
    return _silent(actor).filter(visit__answer_by__lte=at)


def _silent(actor: Actor) -> QuerySet[Participation]:
    return (
        Participation.objects.visible_to(actor)
        .filter(answer=Answer.PENDING, visit__status__in=OPEN_TO_ANSWERS)
        .select_related("department", "visit__premises__subject", "visit__premises__street", "visit__lead")
        .prefetch_related(Prefetch("visit__checks", Check.objects.select_related("item_version", "department")))
    )


def missed_visits(actor: Actor, on: date) -> QuerySet[Visit]:
    """Confirmed visits whose day has passed without a record."""
    return Visit.objects.visible_to(actor).filter(status=VisitStatus.CONFIRMED, on__lt=on)


@dataclass
class Part:
    """One department in a visit as its page shows it: its participation, its checks, and who came."""

    participation: Participation
    checks: list[Check] = field(default_factory=list)

    @property
    def is_living(self) -> bool:
        return self.participation.answer in LIVING

    @property
    def results(self) -> list[Result]:
        """The results recorded so far."""
        return [check.result for check in self.checks if hasattr(check, "result")]


def parts_of(visit: Visit) -> list[Part]:
    """Every department of a visit, those that left too, the lead first. A fixed number of queries."""
    parts = {
        each.department_id: Part(each)
        for each in visit.participations.select_related("department").prefetch_related("attendances__officer")
    }
    checks = Check.objects.filter(visit=visit).select_related("department", "item_version__item", "result")
    for check in checks.order_by("pk"):
        parts[check.department_id].checks.append(check)
    return sorted(
        parts.values(),
        key=lambda part: (
            not part.is_living,
            part.participation.department_id != visit.lead_id,
            part.participation.department.code,
        ),
    )


@dataclass(frozen=True)
class Happening:
    """A line of a visit's history."""

    at: datetime
    title: str
    text: str = ""
    who: str = ""
    icon: str = "circle-dashed"
    tone: str = "neutral"
    url: str = ""


LOOKS = {
    "confirm": ("check", "good"),
    "propose": ("calendar-event", "active"),
    "move": ("calendar-event", "active"),
    "decline": ("x", "caution"),
    "release": ("clock-exclamation", "warning"),
    "remind": ("bell", "caution"),
    "escalate": ("bell", "urgent"),
    "raise": ("bell", "urgent"),
    "cancel": ("ban", "urgent"),
    "dissolve": ("ban", "neutral"),
    "start": ("player-play", "active"),
    "record": ("clipboard-check", "good"),
    "arrive": ("users", "active"),
}


def history_of(visit: Visit) -> list[Happening]:
    """What happened to a visit and its departments, newest first, from the audit entries (which hold no personal data)."""
    departments = dict(visit.participations.values_list("pk", "department__short_name"))
    entries = list(
        Entry.objects.filter(
            Q(object_kind="inspections.visit", object_id=str(visit.pk))
            | Q(object_kind="inspections.participation", object_id__in=[str(pk) for pk in departments])
        ).order_by("-at", "-pk")
    )
    posts = _posts({entry.actor_membership_id for entry in entries if entry.actor_membership_id})
    happenings = []
    for entry in entries:
        name = entry.action.rsplit(".", 1)[-1]
        department = departments.get(int(entry.object_id), "") if entry.object_kind.endswith("participation") else ""
        title = _title(entry, name)
        if not title:
            continue
        icon, tone = LOOKS.get(name, ("circle-dashed", "neutral"))
        who = posts.get(entry.actor_membership_id or 0, _("系统"))
        happenings.append(
            Happening(entry.at, f"{department} · {title}" if department else title, _detail(entry), who, icon, tone)
        )
    return happenings


def _posts(membership_ids: Iterable[int]) -> dict[int, str]:
    """Department and post, not the person: what matters is in whose name it was done."""
    rows = Membership.objects.filter(pk__in=list(membership_ids)).select_related("organisation")
    return {row.pk: f"{row.organisation.short_name} {row.role_class.label}" for row in rows}


def _title(entry: Entry, name: str) -> str:
    own = {
        "create": _("列入联合检查建议"),
        "move": _("改期"),
        "extend": _("延长答复期限"),
        "mend": _("任务变化，重新核对"),
        "arrive": _("登记到场人员"),
        "remind": _("提醒答复"),
        "escalate": _("逾期催办"),
        "raise": _("逾期，报统筹员"),
    }
    if name in own:
        return own[name]
    workflow = VISIT if entry.object_kind == "inspections.visit" else PARTICIPATION
    try:
        return str(workflow[name].label)
    except KeyError:
        return ""


def _detail(entry: Entry) -> str:
    """From when to when, for a change of date or of deadline."""
    name = entry.action.rsplit(".", 1)[-1]
    if name == "move":
        return f"{entry.payload['from']} → {entry.payload['to']}"
    if name == "extend":
        moments = (datetime.fromisoformat(entry.payload[key]) for key in ("from", "to"))
        return " → ".join(timezone.localtime(moment).strftime("%m-%d %H:%M") for moment in moments)
    return ""


def changes_of(visit: Visit) -> list[Replan]:
    """What answers and acts moved, newest first; each move says in `words` why a check was not placed again."""
    rows = list(visit.replans.select_related("department").order_by("-at", "-pk"))
    for row in rows:
        row.moves = [{**move, "words": left_in_words(move["left"])} for move in row.moves]
    return rows


def visible_targets(rows: Iterable[Replan], actor: Actor) -> set[int]:
    """The visits that moves lead to and that `actor` may open."""
    targets = {move["to_id"] for row in rows for move in row.moves if move.get("to_id")}
    return (
        set(Visit.objects.visible_to(actor).filter(pk__in=targets).values_list("pk", flat=True)) if targets else set()
    )


@dataclass
class Day:
    """One day of a calendar: how many visits, and the first few."""

    on: date
    inside: bool
    today: bool
    visits: list[Visit] = field(default_factory=list)
    total: int = 0

    @property
    def weekday(self) -> str:
        """周一 … 周日."""
        return words.weekday(self.on)

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.total - len(self.visits)


def calendar_days(
    visits: QuerySet[Visit], *, first: date, last: date, month: int | None, today: date, shown: int
) -> list[list[Day]]:
    """Whole weeks from `first` (a Monday) to `last` (a Sunday), each day with its first `shown` visits. Two queries whatever the number."""
    window = visits.filter(on__range=(first, last)).exclude(status=VisitStatus.CANCELLED)
    totals = dict(window.order_by().values_list("on").annotate(n=Count("pk")))
    days = {
        first + timedelta(days=n): Day(
            first + timedelta(days=n), month in (None, (first + timedelta(days=n)).month), False
        )
        for n in range((last - first).days + 1)
    }
    by_day: dict[date, list[Visit]] = defaultdict(list)
    for day, total in totals.items():
        days[day].total = total
    keys = _first_of_each_day(window, shown)
    for visit in window.filter(pk__in=keys).order_by("on", "number"):
        by_day[visit.on].append(visit)
    for day, those in by_day.items():
        days[day].visits = those
    if today in days:
        days[today].today = True
    ordered = [days[day] for day in sorted(days)]
    return [ordered[start : start + 7] for start in range(0, len(ordered), 7)]


def _first_of_each_day(window: QuerySet[Visit], shown: int) -> list[int]:
    ranked = window.order_by().annotate(place=Window(RowNumber(), partition_by=F("on"), order_by=F("number").asc()))
    return list(ranked.filter(place__lte=shown).values_list("pk", flat=True))


def facts_for_print(visit: Visit) -> dict[str, Any]:
    """What the notice and the record name besides results: bases, task sources and frequency, once each."""
    parts = [part for part in parts_of(visit) if part.is_living]
    return {"parts": parts, "checks": [check for part in parts for check in part.checks]}
