import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.roles import roles
from xiezhi.foundation.notices.models import Notice

NAMED = 10
"""How many things a grouped notice names before it counts the rest."""


def people_holding(permission: str, *, organisation_ids: Iterable[int] | None, at: datetime) -> list[int]:
    """Ids of the people who today hold `permission` in one of the organisations (None: in any district-wide post)."""
    keys = [key for key, role in roles().items() if permission in role.permissions]
    memberships = Membership.objects.valid_on(at.date()).filter(role__in=keys)
    if organisation_ids is None:
        memberships = memberships.filter(role__in=[key for key in keys if roles()[key].district_wide])
    else:
        memberships = memberships.filter(organisation_id__in=list(organisation_ids))
    return sorted(set(memberships.values_list("user_id", flat=True)))


def notify(
    recipients: Iterable[int],
    *,
    key: str,
    title: str,
    at: datetime,
    body: str = "",
    link: str = "",
    level: str = Notice.Level.INFO,
) -> int:
    """Put one notice in each person's inbox, once per `key`; returns how many were new. Runs in the caller's transaction.

    The start of `key`, up to the first dot, names the room; people choose by it. Which channels carry it besides is decided later by the
    ticker, so ten thousand notices cost one batch of inserts here.
    """
    wanted = sorted(set(recipients))
    already = set(Notice.objects.filter(recipient_id__in=wanted, key=key).values_list("recipient_id", flat=True))
    fresh = [
        Notice(recipient_id=person, key=key, title=title[:200], body=body, link=link, level=level, sent_at=at)
        for person in wanted
        if person not in already
    ]
    Notice.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


@dataclass(frozen=True)
class Told:
    """One thing to be told, and to whom: what `notify` would take for it alone. `name`: how a grouped notice lists it."""

    recipients: frozenset[int]
    key: str
    title: str
    name: str
    link: str = ""


def notify_many(
    things: Iterable[Told],
    *,
    key: str,
    title: Callable[[int], str],
    link: str,
    at: datetime,
    level: str = Notice.Level.INFO,
) -> int:
    """Tell several things at once, in one notice a person: who hears of one hears it as `notify` would say it, who hears of several gets
    `title(how many)` with their names and `link`. Returns how many notices were new. `key` is the start of a grouped notice's key.
    """
    by_person: dict[int, list[Told]] = defaultdict(list)
    for thing in things:
        for person in thing.recipients:
            by_person[person].append(thing)
    groups: dict[tuple[Told, ...], list[int]] = defaultdict(list)
    for person, theirs in by_person.items():
        groups[tuple(theirs)].append(person)
    count = 0
    for theirs_all, people in groups.items():
        if len(theirs_all) == 1:
            (one,) = theirs_all
            count += notify(people, key=one.key, title=one.title, link=one.link, at=at, level=level)
            continue
        names = "\n".join(each.name for each in theirs_all[:NAMED]) + ("\n……" if len(theirs_all) > NAMED else "")
        together = hashlib.sha256("\n".join(sorted(each.key for each in theirs_all)).encode()).hexdigest()[:32]
        count += notify(
            people, key=f"{key}:{together}", title=title(len(theirs_all)), body=names, link=link, at=at, level=level
        )
    return count


def mark_read(*, notice_ids: Iterable[int] | None, actor: Actor, at: datetime) -> int:
    """Mark the person's own notices read (None: all); returns how many changed."""
    mine = Notice.objects.visible_to(actor).filter(read_at=None)
    if notice_ids is not None:
        mine = mine.filter(pk__in=list(notice_ids))
    return mine.update(read_at=at)
