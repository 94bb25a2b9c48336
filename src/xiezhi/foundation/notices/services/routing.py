"""Which channels carry a notice, and when. Decided in batches by the ticker, so that an act never waits for it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from xiezhi.foundation.notices.channels import Way, ways
from xiezhi.foundation.notices.models import ChannelKind, Delivery, Line, Notice, QuietHours, Wish
from xiezhi.foundation.notices.topics import topic_of

BATCH = 2_000
LEVELS = [Notice.Level.INFO.value, Notice.Level.REMINDER.value, Notice.Level.URGENT.value]
GAP = timedelta(seconds=60)
"""Between two messages to one person on one channel: what comes meanwhile goes together. Group robots take 20 a minute."""
DIGEST_AT = (8, 30)
"""When daily digests go out, local time. A working default, as is the hour's full stroke for hourly ones."""

Place = tuple[int | None, str]
"""Who (None: the group) and on which channel."""


@transaction.atomic
def route_notices(*, at: datetime, most: int = BATCH) -> int:
    """Give up to `most` new notices to the channels that their people chose, joined to messages not yet sent; returns how many were looked
    at. A person's many notices become one message."""
    fresh = list(Notice.objects.select_for_update(skip_locked=True).filter(routed=False).order_by("pk")[:most])
    if not fresh:
        return 0
    open_ways = {kind.value: way for kind, way in ways().items()}
    if open_ways:
        _join(_personal(fresh, open_ways, at), at=at)
        _join(_for_groups(fresh, open_ways, at), at=at)
    Notice.objects.filter(pk__in=[notice.pk for notice in fresh]).update(routed=True)
    return len(fresh)


def _wanted(notice: Notice, least_level: str, left_out: Iterable[str]) -> bool:
    return LEVELS.index(notice.level) >= LEVELS.index(least_level) and topic_of(notice.key) not in left_out


def _personal(
    fresh: list[Notice], open_ways: Mapping[str, Way], at: datetime
) -> dict[tuple[Place, datetime], list[Notice]]:
    people = {notice.recipient_id for notice in fresh}
    personal = [kind for kind, way in open_ways.items() if way.personal]
    wishes: dict[int, list[Wish]] = defaultdict(list)
    for wish in Wish.objects.filter(user_id__in=people, channel__in=personal, user__is_active=True):
        wishes[wish.user_id].append(wish)
    quiet = {each.user_id: each for each in QuietHours.objects.filter(user_id__in=wishes)}
    found: dict[tuple[Place, datetime], list[Notice]] = defaultdict(list)
    for notice in fresh:
        for wish in wishes.get(notice.recipient_id, ()):
            if _wanted(notice, wish.least_level, wish.left_out):
                due = due_at(notice, wish, quiet.get(wish.user_id), at=at)
                found[(wish.user_id, wish.channel), due].append(notice)
    return found


def _for_groups(
    fresh: list[Notice], open_ways: Mapping[str, Way], at: datetime
) -> dict[tuple[Place, datetime], list[Notice]]:
    """What many people get is posted once to a group: one notice for each key, unless an earlier batch posted it."""
    found: dict[tuple[Place, datetime], list[Notice]] = {}
    for kind, way in open_ways.items():
        if way.personal:
            continue
        chosen = {notice.key: notice for notice in fresh if _wanted(notice, way.least_level, way.left_out)}
        posted = Line.objects.filter(delivery__recipient=None, delivery__channel=kind, notice__key__in=chosen)
        for key in posted.values_list("notice__key", flat=True):
            chosen.pop(key, None)
        if chosen:
            found[(None, kind), at] = list(chosen.values())
    return found


@dataclass(frozen=True)
class Quiet:
    """One person's quiet hours; without choices of theirs 22:00–07:00, and urgent notices come through."""

    on: bool
    starts_minute: int
    ends_minute: int
    passing: frozenset[str] | None

    @classmethod
    def of(cls, chosen: QuietHours | None) -> "Quiet":
        starts, ends = (chosen.starts_at, chosen.ends_at) if chosen else (QuietHours.STARTS, QuietHours.ENDS)
        return cls(
            on=chosen.on if chosen else True,
            starts_minute=starts.hour * 60 + starts.minute,
            ends_minute=ends.hour * 60 + ends.minute,
            passing=frozenset(chosen.passing) if chosen else None,
        )

    def lets_through(self, notice: Notice) -> bool:
        urgent = notice.level == Notice.Level.URGENT
        return urgent and (self.passing is None or topic_of(notice.key) in self.passing)

    def after(self, moment: datetime) -> datetime:
        """`moment`, or the end of the quiet hours it falls into. Beijing has no summer time."""
        local = timezone.localtime(moment)
        minute = local.hour * 60 + local.minute
        if self.starts_minute < self.ends_minute:
            silent = self.starts_minute <= minute < self.ends_minute
        else:
            silent = minute >= self.starts_minute or minute < self.ends_minute
        if not (self.on and silent):
            return moment
        ends = local.replace(hour=self.ends_minute // 60, minute=self.ends_minute % 60, second=0, microsecond=0)
        return ends if ends > local else ends + timedelta(days=1)


def due_at(notice: Notice, wish: Wish, chosen: QuietHours | None, *, at: datetime) -> datetime:
    """When `notice` goes out by `wish`: now, at the next digest, and not before the quiet hours end; at once for what comes through them."""
    quiet = Quiet.of(chosen)
    if quiet.lets_through(notice):
        return at
    local = timezone.localtime(at)
    due = at
    if wish.mode == Wish.Mode.HOURLY:
        due = local.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    elif wish.mode == Wish.Mode.DAILY:
        due = local.replace(hour=DIGEST_AT[0], minute=DIGEST_AT[1], second=0, microsecond=0)
        due += timedelta(days=1) if due <= local else timedelta()
    return quiet.after(due)


def _join(found: Mapping[tuple[Place, datetime], list[Notice]], *, at: datetime) -> None:
    """Add each group of notices to the message that goes to the same place at the same time, or make one."""
    people = {who for (who, _kind), _due in found}
    waiting: dict[tuple[Place, datetime], Delivery] = {}
    recent: dict[Place, datetime] = {}
    of_them = Delivery.objects.filter(purpose=Delivery.Purpose.NOTICES)
    of_them = of_them.filter(recipient=None) if people == {None} else of_them.filter(recipient_id__in=people)
    for each in of_them.select_for_update().filter(status=Delivery.Status.PENDING, attempts=0):
        waiting[(each.recipient_id, each.channel), max(each.due_at, at)] = each
    for each in of_them.filter(ended_at__gt=at - GAP):
        place = (each.recipient_id, each.channel)
        recent[place] = max(recent.get(place, each.created_at), each.ended_at or at)
    lines, made, grown = [], [], []
    for (place, due), notices in found.items():
        when = max(due, recent[place] + GAP) if place in recent else due
        delivery = waiting.get((place, max(when, at)))
        if delivery is None:
            delivery = Delivery(recipient_id=place[0], channel=ChannelKind(place[1]), due_at=when, created_at=at)
            waiting[place, when] = delivery
            made.append(delivery)
        elif delivery.pk:
            grown.append(delivery)
        delivery.count += len(notices)
        lines += [(delivery, notice) for notice in notices]
    Delivery.objects.bulk_create(made)
    for delivery in grown:
        added = sum(each is delivery for each, _notice in lines)
        Delivery.objects.filter(pk=delivery.pk).update(count=F("count") + added)
    Line.objects.bulk_create(Line(delivery=delivery, notice=notice) for delivery, notice in lines)
