"""Carrying messages out of the house: due ones by the ticker, with a lease, patience and a log; codes and tests at once."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record_many
from xiezhi.foundation.notices import sending
from xiezhi.foundation.notices.channels import Way, personal_template_of, ways
from xiezhi.foundation.notices.models import ChannelKind, Delivery, Notice, QuietHours, Wish
from xiezhi.foundation.notices.permissions import NoticesPermission
from xiezhi.foundation.notices.sealing import unseal
from xiezhi.foundation.notices.sending import ChannelMissing, NotSent
from xiezhi.foundation.notices.services.routing import Quiet
from xiezhi.foundation.workflow.errors import Refused

BATCH = 100
LEASE = timedelta(minutes=2)
NAMED = 10
WAITS = [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=12)]
"""Before the second, third … try. After the last it stays 未送到, and somebody may send it again by hand."""
KEPT = timedelta(days=90)


def deliver_due(*, at: datetime, most: int = BATCH) -> int:
    """Send up to `most` messages that are due at `at`; returns how many were tried.

    Each is taken by compare-and-set under a lease, so several tickers do not double; one whose sender was killed is taken up again when the
    lease is over, and may then arrive twice. A channel that cannot be reached is left alone for the rest of this call. Runs outside a
    transaction, because it waits for networks.
    """
    due = Q(status=Delivery.Status.PENDING, due_at__lte=at) | Q(status=Delivery.Status.SENDING, lease_until__lt=at)
    open_ways, down, tried = ways(), set[str](), 0
    for delivery in Delivery.objects.filter(due).order_by("due_at", "pk")[:most]:
        if delivery.channel in down or not _take(delivery, at):
            continue
        tried += 1
        try:
            _send(delivery, open_ways.get(ChannelKind(delivery.channel)), at)
        except NotSent as refused:
            _put_off(delivery, refused, at)
            if not refused.final:
                down.add(delivery.channel)
    return tried


def _take(delivery: Delivery, at: datetime) -> bool:
    seen = {"status": delivery.status, "attempts": delivery.attempts, "lease_until": delivery.lease_until}
    taken = Delivery.objects.filter(pk=delivery.pk, **seen).update(
        status=Delivery.Status.SENDING, attempts=delivery.attempts + 1, lease_until=at + LEASE
    )
    delivery.attempts += 1
    return bool(taken)


def _send(delivery: Delivery, way: Way | None, at: datetime) -> None:
    """Send one message and note the outcome. Raises NotSent."""
    unread = list(Notice.objects.filter(pk__in=delivery.lines.values("notice"), read_at=None).order_by("-pk"))
    if delivery.recipient_id and not unread:
        return _end(delivery, Delivery.Status.DROPPED, at, _("都已经在站内读过"))
    if way is None or way.personal != (delivery.recipient_id is not None):
        return _end(delivery, Delivery.Status.DROPPED, at, _("这个通道已经停用"))
    to = ""
    if delivery.recipient_id is not None:
        wish = Wish.objects.filter(user_id=delivery.recipient_id, channel=delivery.channel).first()
        if wish is None:
            return _end(delivery, Delivery.Status.DROPPED, at, _("接收人已经关闭这个通道"))
        to = unseal(wish.sealed_address)
        if not to:
            return _end(delivery, Delivery.Status.DROPPED, at, _("接收地址读不出来，请接收人重新填写"))
    with override(settings.LANGUAGE_CODE):
        title, body = in_words(unread or list(Notice.objects.filter(pk__in=delivery.lines.values("notice"))))
    sending.send(sending.address_for(way.template, to), title=title, body=body)
    return _end(delivery, Delivery.Status.SENT, at, "")


def in_words(notices: list[Notice]) -> tuple[str, str]:
    """Title and text of the message that carries these notices. Titles alone leave the house: what a notice says further may be personal."""
    product = str(settings.PRODUCT_NAME)
    if len(notices) == 1:
        (one,) = notices
        return product, _("【%(level)s】%(title)s") % {"level": one.get_level_display(), "title": one.title}
    order = [Notice.Level.URGENT, Notice.Level.REMINDER, Notice.Level.INFO]
    first = sorted(notices, key=lambda each: order.index(Notice.Level(each.level)))[:NAMED]
    lines = [_("【%(level)s】%(title)s") % {"level": each.get_level_display(), "title": each.title} for each in first]
    if (rest := len(notices) - len(first)) > 0:
        lines.append(ngettext("另有 %(n)s 条，请登录查看。", "另有 %(n)s 条，请登录查看。", rest) % {"n": rest})
    count = len(notices)
    return (
        _("%(product)s：%(n)s 条新消息") % {"product": product, "n": count},
        "\n".join(lines),
    )


def _end(delivery: Delivery, status: str, at: datetime, reason: str) -> None:
    Delivery.objects.filter(pk=delivery.pk, status=Delivery.Status.SENDING, attempts=delivery.attempts).update(
        status=status, error=reason, ended_at=at, lease_until=None
    )


def _put_off(delivery: Delivery, refused: NotSent, at: datetime) -> None:
    if refused.final or delivery.attempts > len(WAITS):
        return _end(delivery, Delivery.Status.FAILED, at, str(refused))
    due = _unless_quiet(delivery, at + WAITS[delivery.attempts - 1])
    Delivery.objects.filter(pk=delivery.pk, status=Delivery.Status.SENDING, attempts=delivery.attempts).update(
        status=Delivery.Status.PENDING, error=str(refused), lease_until=None, due_at=due
    )
    return None


def _unless_quiet(delivery: Delivery, due: datetime) -> datetime:
    """`due`, or the end of the person's quiet hours when nothing in the message comes through them."""
    if delivery.recipient_id is None:
        return due
    quiet = Quiet.of(QuietHours.objects.filter(user_id=delivery.recipient_id).first())
    urgent = Notice.objects.filter(pk__in=delivery.lines.values("notice"), level=Notice.Level.URGENT)
    return due if any(quiet.lets_through(notice) for notice in urgent) else quiet.after(due)


@transaction.atomic
def resend(*, delivery_ids: Collection[int], actor: Actor, at: datetime) -> int:
    """Queue messages again that did not arrive; returns how many. Raises PermissionRefused, and Refused when none of them can be."""
    actor.require(NoticesPermission.MANAGE)
    failed = Delivery.objects.select_for_update().filter(
        pk__in=list(delivery_ids), status=Delivery.Status.FAILED, purpose=Delivery.Purpose.NOTICES
    )
    rows = list(failed)
    if not rows:
        raise Refused(_("选中的记录里没有“未送到”的消息，不用重新发送。"))
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        status=Delivery.Status.PENDING, attempts=0, due_at=at, ended_at=None
    )
    record_many("notices.resend", rows, actor=actor, at=at)
    return len(rows)


def _now(
    kind: ChannelKind, purpose: str, who: int | None, address: str, text: str, *, at: datetime, title: str = ""
) -> None:
    """Send at once and log how it ended. Raises NotSent."""
    log = {"channel": kind.value, "purpose": purpose, "recipient_id": who, "attempts": 1}
    try:
        sending.send(address, body=text, title=title)
    except NotSent as refused:
        Delivery.objects.create(
            **log, status=Delivery.Status.FAILED, error=str(refused), due_at=at, created_at=at, ended_at=at
        )
        raise
    Delivery.objects.create(**log, status=Delivery.Status.SENT, due_at=at, created_at=at, ended_at=at)


def send_code(*, phone: str, text: str, at: datetime) -> None:
    """Send one short message (短信) to a phone number now, for a code that somebody waits for; returns when the gateway took it.

    `phone` in full, as the gateway wants it; `text` is the whole message in the words of its receiver. It waits for the network (at
    most about 9 s), so call it outside a transaction and after the code is saved. Neither number nor text is kept or logged. Raises
    ChannelMissing when no SMS channel is configured and NotSent when the gateway did not take it; both are Refused, with a sentence for
    the person. How often one number or one visitor may ask is the caller's to limit.
    """
    address = sending.address_for(personal_template_of(ChannelKind.SMS), phone)
    _now(ChannelKind.SMS, Delivery.Purpose.CODE, None, address, text, at=at)


def send_letter(*, to: str, title: str, text: str, at: datetime) -> None:
    """Answer somebody's mail now, by the mail channel; neither address nor text is kept or logged. Outside a transaction.

    Raises ChannelMissing when no mail channel is configured that reaches a person, and NotSent when it did not take it.
    """
    address = sending.address_for(personal_template_of(ChannelKind.MAIL), to)
    _now(ChannelKind.MAIL, Delivery.Purpose.LETTER, None, address, text, at=at, title=title)


def send_test(*, kind: ChannelKind, actor: Actor, at: datetime, to: str = "") -> None:
    """Send a test message now: to one's own chosen place, or, for who keeps the channels, to `to` or the group.

    Raises PermissionRefused, ChannelMissing, Refused when one has chosen no place, and NotSent. Outside a transaction.
    """
    way = ways().get(kind)
    if way is None:
        raise ChannelMissing(_("还没有配置%(channel)s通道，请联系管理员。") % {"channel": kind.label})
    if to or not way.personal:
        actor.require(NoticesPermission.MANAGE)
    else:
        wish = Wish.objects.filter(user_id=actor.user_id or 0, channel=kind).first()
        if wish is None:
            raise Refused(_("请先填写接收地址并保存，再试发。"))
        to = unseal(wish.sealed_address)
        if not to:
            raise Refused(_("请先填写接收地址并保存，再试发。"))
    text = _("这是一条试发消息：%(channel)s通道可以用了。") % {"channel": kind.label}
    _now(kind, Delivery.Purpose.TEST, actor.user_id, sending.address_for(way.template, to), text, at=at)


def forget_old(*, at: datetime) -> int:
    """Forget how messages of more than 90 days ago went. Returns how many."""
    ended = Delivery.objects.filter(ended_at__lt=at - KEPT)
    by_model: dict[str, int] = defaultdict(int, ended.delete()[1])
    return by_model["notices.Delivery"]
