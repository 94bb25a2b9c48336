"""未诉先办: what rises against its own four weeks before is told to the district every day, and becomes a check, a risk signal, or a reason
why not."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.complaints import rules
from xiezhi.domains.complaints.models import Case, Topic, TopicHandoff
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.words import CaseStatus, HandoffKind, Kind
from xiezhi.domains.complaints.workflow import TOPIC
from xiezhi.domains.inspections.services.checks import raise_case_check
from xiezhi.domains.registry.models import Premises
from xiezhi.engines.text.rising import Rising, rising
from xiezhi.foundation.access.actors import SYSTEM, Actor
from xiezhi.foundation.events.services import publish
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.notices.services import notify, people_holding
from xiezhi.foundation.rules.queries import rule_book
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance, advance_many

RECENT_DAYS, BASELINE_DAYS = 7, 28
DAYS = RECENT_DAYS + BASELINE_DAYS
FADES_AFTER = timedelta(days=RECENT_DAYS)
"""A topic that has not been rising for as long as the days it is measured by is over."""
COUNTED = (Kind.COMPLAINT, Kind.REPORT, Kind.HELP)
PLACES = ("street", "mall", "subject")
"""From the widest to the narrowest."""
OTHERS_SHARE = 0.5
AGAIN = timedelta(days=1)
MOST_DOORS = 20


@dataclass
class Counted:
    """Cases a day of the `DAYS` days, oldest first, and which cases the recent days hold."""

    days: list[int] = field(default_factory=lambda: [0] * DAYS)
    recent: set[int] = field(default_factory=set)


def counts_on(day: date) -> dict[tuple[str, ...], Counted]:
    """The five weeks up to `day` of each category at each street, mall and merchant; one query.

    Keys: what kind of place, the category's key, the place's key."""
    first = day - timedelta(days=DAYS - 1)
    midnight = timezone.make_aware(datetime.combine(first, datetime.min.time()))
    cases = Case.objects.filter(
        received_at__gte=midnight,
        received_at__lt=midnight + timedelta(days=DAYS),
        kind__in=COUNTED,
        category__isnull=False,
    ).exclude(status__in=[CaseStatus.DISMISSED, CaseStatus.MERGED])
    found: dict[tuple[str, ...], Counted] = defaultdict(Counted)
    columns = ("pk", "received_at", "category_id", *(f"{name}_id" for name in PLACES))
    for case, received_at, category, *places in (
        cases.exclude(category__code="other").values_list(*columns).iterator(5_000)
    ):
        at = (timezone.localdate(received_at) - first).days
        for name, place in zip(PLACES, places, strict=True):
            if place:
                counted = found[(name, str(category), str(place))]
                counted.days[at] += 1
                if at >= BASELINE_DAYS:
                    counted.recent.add(case)
    return dict(found)


def narrowest(found: Sequence[Rising], counts: Mapping[tuple[str, ...], Counted]) -> list[Rising]:
    """Of topics that rise by the same cases only the one that says most: the merchant rather than its mall, the mall rather than its
    street. A wider one stays where most of its recent cases are others'."""
    kept: list[Rising] = []
    for each in sorted(found, key=lambda one: PLACES.index(one.topic[0]), reverse=True):
        cases = counts[each.topic].recent
        told = {case for one in kept if one.topic[1] == each.topic[1] for case in counts[one.topic].recent}
        if len(cases - told) >= len(cases) * OTHERS_SHARE:
            kept.append(each)
    return [each for each in found if each in kept]


@transaction.atomic
def find_topics(*, at: datetime) -> list[Topic]:
    """The ticker's, once a day: which topics rise as of yesterday, which have fallen back. Tells the posts that dispatch what is new.

    Again on the same day changes nothing. Returns the new ones.
    """
    day = timezone.localdate(at) - timedelta(days=1)
    counts = counts_on(day)
    book = rule_book(rules.TOPIC_LEAST, rules.TOPIC_PERCENT).readings(on=day)
    least, percent = (int(book[rule.key].value) for rule in (rules.TOPIC_LEAST, rules.TOPIC_PERCENT))
    daily = {key: each.days for key, each in counts.items()}
    rises = rising(daily, recent_days=RECENT_DAYS, baseline_days=BASELINE_DAYS, least=least, ratio=percent / 100)
    found = narrowest(rises, counts)
    standing = {each.key: each for each in Topic.objects.exclude(status=Topic.Status.FADED).select_for_update()}
    new: list[Topic] = []
    for each in found:
        topic = standing.get(_key(each.topic)) or Topic(key=_key(each.topic), first_on=day, **_about(each.topic))
        if topic.last_on and topic.last_on >= day:
            continue
        if topic.pk is None:
            new.append(topic)
        _measure(topic, each, daily[each.topic], day)
        topic.save()
    over = [each for each in standing.values() if each.last_on < day - FADES_AFTER]
    for status in Topic.Status.values:
        gone = [each for each in over if each.status == status]
        advance_many(TOPIC, gone, "fade", actor=SYSTEM, at=at)
    if new:
        _tell(new, at=at)
    return new


def _key(topic: tuple[str, ...]) -> str:
    name, category, place = topic
    return f"{category}|{name}:{place}"


def _about(topic: tuple[str, ...]) -> dict[str, int]:
    name, category, place = topic
    return {"category_id": int(category), f"{name}_id": int(place)}


def _measure(topic: Topic, found: Rising, counts: Sequence[int], day: date) -> None:
    topic.last_on, topic.counts = day, list(counts)
    topic.recent, topic.expected, topic.ratio, topic.chance = found.recent, found.expected, found.ratio, found.q


def _tell(new: Sequence[Topic], *, at: datetime) -> None:
    first = Topic.objects.select_related("category", "street", "mall", "subject").get(pk=new[0].pk)
    title = _("未诉先办：%(topic)s近七天 %(n)s 件，明显多于前四周") % {"topic": first, "n": first.recent}
    more = _("另有 %(n)s 项。") % {"n": len(new) - 1} if len(new) > 1 else ""
    notify(
        people_holding(May.DISPATCH, organisation_ids=None, at=at),
        key=f"complaints.rising:{first.pk}",
        title=title,
        body=more + _("请打开“未诉先办”，看背后的诉求，登记检查、发出风险信号，或者写明为什么不处置。"),
        link=reverse("complaints:topics"),
        level=Notice.Level.REMINDER,
        at=at,
    )


def doors_of(topic: Topic) -> list[Premises]:
    """Open premises that the topic's recent cases are about, those with most cases first."""
    since = timezone.make_aware(datetime.combine(topic.last_on - timedelta(days=DAYS), datetime.min.time()))
    cases = topic.cases().filter(received_at__gte=since, premises__is_open=True)
    times: dict[int, int] = defaultdict(int)
    for premises in cases.values_list("premises_id", flat=True)[:2_000]:
        times[premises] += 1
    best = sorted(times, key=lambda key: (-times[key], key))[:MOST_DOORS]
    rows = Premises.objects.select_related("subject", "street").in_bulk(best)
    return [rows[key] for key in best if key in rows]


@transaction.atomic
def raise_checks(
    *,
    topic: Topic,
    item: Any,
    premises: Sequence[Premises],
    earliest: date,
    latest: date,
    note: str,
    actor: Actor,
    at: datetime,
    seen_status: str | None = None,
) -> Topic:
    """A topic becomes an inspection check (个案检查) at each of these doors, by the system on the desk's behalf. The department reads `note`:
    nothing about who complained belongs in it. Raises Refused without a door, and what `raise_case_check` raises: all or none."""
    if not premises:
        raise Refused(_("请至少选一个场所。"))
    topic = advance(TOPIC, topic, "check", actor=actor, at=at, seen_status=seen_status, changes=_decided(actor, at))
    for door in sorted(premises, key=lambda each: each.pk):
        check = raise_case_check(
            premises=door, item=item, case_kind="complaints.topic", case_id=str(topic.pk), note=note, urgent=False,
            earliest=earliest, latest=latest, on_site_reason=_("同类诉求上升，需要到现场核实"), actor=SYSTEM, at=at,
        )  # fmt: skip
        TopicHandoff.objects.create(
            topic=topic, kind=HandoffKind.INSPECTION, premises=door, made_at=at, told_at=at, taken_at=at,
            object_kind="inspections.check", object_id=str(check.pk), note=check.number,
        )  # fmt: skip
    return topic


@transaction.atomic
def signal_risk(*, topic: Topic, actor: Actor, at: datetime, seen_status: str | None = None) -> Topic:
    """Say that a topic is a risk signal: written down, told by the event `complaints.topic`, and told again daily until a system takes it
    up (event `complaints.topic_taken`)."""
    topic = advance(TOPIC, topic, "signal", actor=actor, at=at, seen_status=seen_status, changes=_decided(actor, at))
    handoff = TopicHandoff.objects.create(topic=topic, kind=HandoffKind.RISK, made_at=at)
    _announce(handoff, at=at)
    return topic


@transaction.atomic
def dismiss_topic(*, topic: Topic, reason: str, actor: Actor, at: datetime, seen_status: str | None = None) -> Topic:
    """Leave a topic alone, with a reason. Raises Refused without one."""
    changes = {**_decided(actor, at), "reason": reason.strip()[:500]}
    return advance(TOPIC, topic, "dismiss", actor=actor, at=at, reason=reason, seen_status=seen_status, changes=changes)


@transaction.atomic
def reopen_topic(*, topic: Topic, actor: Actor, at: datetime, seen_status: str | None = None) -> Topic:
    """Take back that a topic was left alone."""
    changes = {"reason": "", "decided_at": None, "decided_by_id": None}
    return advance(TOPIC, topic, "reopen", actor=actor, at=at, seen_status=seen_status, changes=changes)


def _decided(actor: Actor, at: datetime) -> dict[str, Any]:
    return {"decided_at": at, "decided_by_id": actor.user_id}


def _announce(handoff: TopicHandoff, *, at: datetime) -> None:
    topic = handoff.topic
    publish(
        "complaints.topic", at=at, handoff_id=handoff.pk, kind=handoff.kind, topic_id=topic.pk, category=topic.category.code,
        subject_id=topic.subject_id, mall_id=topic.mall_id, street_id=topic.street_id, recent=topic.recent,
    )  # fmt: skip
    TopicHandoff.objects.filter(pk=handoff.pk).update(told_at=at)


@transaction.atomic
def tell_topics_again(*, at: datetime) -> int:
    """The ticker's: risk signals that nobody took up are told again once a day. Returns how many."""
    waiting = TopicHandoff.objects.filter(taken_at=None, told_at__lte=at - AGAIN).select_related("topic__category")
    found = list(waiting.order_by("pk")[:500])
    for handoff in found:
        _announce(handoff, at=at)
    return len(found)


def topic_taken(payload: Mapping[str, Any], at: datetime) -> None:
    """Another room says what it made of a risk signal (event `complaints.topic_taken`). Hearing it twice changes nothing."""
    TopicHandoff.objects.filter(pk=payload["handoff_id"], taken_at=None).update(
        taken_at=at, object_kind=payload.get("object_kind", ""), object_id=str(payload.get("object_id", "")),
        note=payload.get("note", "")[:200],
    )  # fmt: skip
