from collections.abc import Iterable
from datetime import datetime

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.roles import roles
from xiezhi.foundation.notices import sending
from xiezhi.foundation.notices.channels import ChannelKind, personal_template_of
from xiezhi.foundation.notices.models import Notice


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
    """Put one notice in each person's inbox, once per `key`; returns how many were new. Runs in the caller's transaction."""
    wanted = sorted(set(recipients))
    already = set(Notice.objects.filter(recipient_id__in=wanted, key=key).values_list("recipient_id", flat=True))
    fresh = [
        Notice(recipient_id=person, key=key, title=title[:200], body=body, link=link, level=level, sent_at=at)
        for person in wanted
        if person not in already
    ]
    Notice.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


def mark_read(*, notice_ids: Iterable[int] | None, actor: Actor, at: datetime) -> int:
    """Mark the person's own notices read (None: all); returns how many changed."""
    mine = Notice.objects.visible_to(actor).filter(read_at=None)
    if notice_ids is not None:
        mine = mine.filter(pk__in=list(notice_ids))
    return mine.update(read_at=at)


def send_code(*, phone: str, text: str, at: datetime) -> None:
    """Send one short message (短信) to a phone number now, for a code that somebody waits for; returns when the gateway took it.

    `phone` in full, as the gateway wants it; `text` is the whole message in the words of its receiver. It waits for the network (at
    most about 9 s), so call it outside a transaction and after the code is saved. Neither number nor text is kept or logged. Raises
    ChannelMissing when no SMS channel is configured and NotSent when the gateway did not take it; both are Refused, with a sentence for
    the person. How often one number or one visitor may ask is the caller's to limit.
    """
    template = personal_template_of(ChannelKind.SMS)
    sending.send(sending.address_for(template, phone), body=text)
