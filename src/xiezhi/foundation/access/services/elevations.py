"""临时授权: services. Nobody holds standing powers for the rare case; they are asked for, given for minutes, and end by themselves."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import SYSTEM, Actor
from xiezhi.foundation.access.models import Elevation, Membership
from xiezhi.foundation.access.permissions import AccessPermission
from xiezhi.foundation.access.roles import Role, roles
from xiezhi.foundation.access.workflow import ELEVATION, OWN
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.ui.words import moment
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance

MOST_MINUTES = 480
"""Working default (工作默认值): longer is no exception any more but an appointment."""


def takeable_roles(membership: Membership) -> dict[str, type[Role]]:
    """Roles that the post's organisation can have and that hold something its own role does not. What one sees stays the same: a post of one
    department takes no district-wide role."""
    own = membership.role_class
    return {
        key: role
        for key, role in roles().items()
        if membership.organisation.kind in role.organisation_kinds
        and not role.permissions <= own.permissions
        and role.district_wide <= own.district_wide
    }


@transaction.atomic
def request_elevation(*, role: str, minutes: int, reason: str, actor: Actor, at: datetime) -> Elevation:
    """Ask for another role's permissions beside one's own post. Where the post's role may take it with a reason alone (`Role.may_take`) it
    begins at once, and approvers are told; else they are asked.

    Raises Refused without a reason, for a role that this organisation cannot have, for a time out of bounds, and while another is open.
    """
    post = Membership.objects.select_related("organisation", "user").filter(pk=actor.membership_id or 0).first()
    if post is None or role not in takeable_roles(post):
        raise Refused(_("这个岗位不能临时授权给您现在的任职。"))
    if not 1 <= minutes <= MOST_MINUTES:
        raise Refused(_("时长从 1 到 %(most)s 分钟。") % {"most": MOST_MINUTES})
    if not reason.strip():
        raise Refused(_("请写明理由。"))
    _lapse_over(at=at, membership=post.pk)
    try:
        with transaction.atomic():
            asked = Elevation.objects.create(
                membership=post, role=role, minutes=minutes, reason=reason.strip()[:500], asked_at=at
            )
    except IntegrityError as error:
        raise Refused(_("您已有一项临时授权在申请或生效中，请先结束它。")) from error
    record("access.elevation.requested", asked, actor=actor, at=at, role=role, minutes=minutes)
    if role not in post.role_class.may_take:
        _tell_approvers(asked, _("%(who)s 申请临时授权：%(role)s，%(minutes)s 分钟"), at=at)
        return asked
    taken = _begin(asked, "take", actor=lent(actor), at=at)
    _tell_approvers(taken, _("%(who)s 凭理由启用了临时授权：%(role)s，%(minutes)s 分钟"), at=at)
    return taken


def lent(actor: Actor) -> Actor:
    """The actor with what everybody may do about an elevation of their own."""
    return replace(actor, permissions=actor.permissions | {OWN})


def _begin(asked: Elevation, move: str, *, actor: Actor, at: datetime) -> Elevation:
    until = at + timedelta(minutes=asked.minutes)
    changes = {"until": until, "decided_by_id": actor.user_id}
    return advance(
        ELEVATION, asked, move, actor=actor, at=at, changes=changes, until=until.isoformat(timespec="seconds")
    )


def _tell_approvers(asked: Elevation, title: str, *, at: datetime) -> None:
    from xiezhi.foundation.notices.models import Notice
    from xiezhi.foundation.notices.services import notify, people_holding

    post = asked.membership
    approvers = people_holding(AccessPermission.APPROVE_ELEVATION, organisation_ids=None, at=at)
    notify(
        [each for each in approvers if each != post.user_id],
        key=f"access.elevation:{asked.pk}:{asked.status}",
        title=title % {"who": post.user, "role": asked.role_class.label, "minutes": asked.minutes},
        body=f"{post}{_('：')}{asked.reason}",
        link=reverse("access:elevations"),
        level=Notice.Level.REMINDER,
        at=at,
    )


def _tell_person(row: Elevation, title: str, *, at: datetime) -> None:
    from xiezhi.foundation.notices.services import notify

    key = f"access.elevation:{row.pk}:{row.status}:own"
    notify([row.membership.user_id], key=key, title=title, link=reverse("access:elevation"), body=row.answer, at=at)


@transaction.atomic
def move_elevation(
    *, elevation: Elevation, move: str, actor: Actor, at: datetime, reason: str = "", seen_status: str | None = None
) -> Elevation:
    """Make one of the table's moves (`access.workflow.ELEVATION`), and tell the person what became of it. Raises as `workflow.advance`."""
    who = lent(actor) if ELEVATION[move].permission == OWN else actor
    values: dict[str, Any] = {"answer": reason.strip()[:500]} if reason.strip() else {}
    if move in {"grant", "take"}:
        row = _begin(elevation, move, actor=who, at=at)
        said = _("临时授权已批准：%(role)s，到 %(until)s") % {"role": row.role_class.label, "until": moment(row.until)}
    else:
        if move == "refuse":
            values["decided_by_id"] = actor.user_id
        row = advance(
            ELEVATION, elevation, move, actor=who, at=at, reason=reason, changes=values, seen_status=seen_status
        )
        said = f"{_('临时授权')}{_('：')}{row.get_status_display()}"
    if move in {"grant", "refuse", "revoke"}:
        _tell_person(row, said, at=at)
    return row


@transaction.atomic
def _lapse_over(*, at: datetime, membership: int | None = None) -> int:
    over = Elevation.objects.filter(status=Elevation.Status.GRANTED, until__lte=at)
    if membership is not None:
        over = over.filter(membership_id=membership)
    count = 0
    for row in over.order_by("pk"):
        advance(ELEVATION, row, "lapse", actor=SYSTEM, at=at)
        count += 1
    return count


def lapse_elevations(*, at: datetime) -> int:
    """Write down which elevations have ended by the clock; returns how many. The ticker's: they open nothing from their last minute on,
    whether it has come by or not (`Membership.with_elevation`)."""
    return _lapse_over(at=at)


def running_elevation(actor: Actor, *, at: datetime) -> Elevation | None:
    """What is granted to the post that the actor acts in, if it has not lapsed."""
    return Elevation.objects.running(at).filter(membership_id=actor.membership_id or 0).first()
