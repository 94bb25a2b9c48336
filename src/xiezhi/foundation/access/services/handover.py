"""交接: what hangs on a person, and how it goes to a colleague when they leave. Rooms and domains register what they know in `ready()`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.keepers import someone_stays
from xiezhi.foundation.access.models import Handover, Membership
from xiezhi.foundation.access.permissions import AccessPermission
from xiezhi.foundation.accounts import services as accounts
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.workflow.errors import Refused

Text = str | Promise


@dataclass(frozen=True)
class Thing:
    """One thing that hangs on somebody: what it is, and where to look at it (empty: nowhere)."""

    title: str
    url: str = ""


@dataclass(frozen=True)
class Kind:
    """A kind of thing. `found(user, at)` lists it. `transfer(user=, to=, actor=, at=)` hands all of it to a colleague's post and returns how
    many; it runs in the hand-over's transaction and may raise Refused. None: it is shown, and somebody settles it by hand."""

    key: str
    label: Text
    found: Callable[[User, datetime], Iterable[Thing]]
    transfer: Callable[..., int] | None = None


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Let `kind` be listed and handed over. The same key again replaces it."""
    _kinds[kind.key] = kind


@dataclass(frozen=True)
class Hanging:
    """What of one kind hangs on a person now."""

    kind: Kind
    things: tuple[Thing, ...]


def hanging_on(user: User, *, at: datetime) -> list[Hanging]:
    """Everything that hangs on `user`, kinds with nothing left out."""
    listed = [Hanging(kind, tuple(kind.found(user, at))) for kind in _kinds.values()]
    return [each for each in listed if each.things]


def colleagues_of(user: User, *, at: datetime) -> list[Membership]:
    """Posts held today by others in the organisations where the person has, or last had, one: who could take over."""
    places = user.memberships.values_list("organisation_id", flat=True)
    posts = Membership.objects.valid_on(at.date()).filter(organisation_id__in=list(places)).exclude(user=user)
    return list(posts.select_related("user", "organisation").order_by("organisation__code", "user__display_name", "pk"))


@transaction.atomic
def hand_over(
    *, user: User, to: Membership | None, last_day: date, close: bool, reason: str, actor: Actor, at: datetime
) -> Handover:
    """Hand what hangs on `user` to the colleague's post `to`, end every post on `last_day` (last valid day; those that begin later never begin)
    and sign them out everywhere; `close` also suspends the account at once.

    Raises Refused for oneself, without a reason, without a colleague where something is to be handed over, for a colleague without a valid
    post, and where no administrator would be left. Nothing is changed then.
    """
    actor.require(AccessPermission.MANAGE_PEOPLE)
    if user.pk == actor.user_id:
        raise Refused(_("不能为自己办理交接，请由另一位管理员办理。"))
    if not reason.strip():
        raise Refused(_("请写明理由。"))
    if to is not None and not Membership.objects.valid_on(at.date()).filter(pk=to.pk).exclude(user=user).exists():
        raise Refused(_("接手人今天没有有效的任职，请换一位。"))
    open_posts = list(user.memberships.exclude(ends_on__lte=last_day).order_by("pk"))
    someone_stays(
        on=at.date() if close else last_day + timedelta(days=1),
        without_posts=frozenset(each.pk for each in open_posts),
        without_user=user.pk if close else None,
    )
    moved = _move_all(user, to, actor=actor, at=at)
    _end_posts(open_posts, last_day, actor=actor, at=at)
    if close and user.is_active:
        accounts.suspend(user=user, reason=reason, actor=actor, at=at)
    else:
        accounts.end_sessions(user=user, reason=reason, actor=actor, at=at)
    done = Handover.objects.create(
        user=user, to=to.user if to else None, last_day=last_day, reason=reason.strip()[:500], closed=close, moved=moved,
        by_id=actor.user_id, at=at,
    )  # fmt: skip
    record(
        "access.handed_over",
        done,
        actor=actor,
        at=at,
        to=to.pk if to else None,
        last_day=last_day.isoformat(),
        moved=moved,
    )
    return done


def _move_all(user: User, to: Membership | None, *, actor: Actor, at: datetime) -> dict[str, int]:
    moved = {}
    for each in hanging_on(user, at=at):
        if each.kind.transfer is None:
            continue
        if to is None:
            raise Refused(_("还有“%(what)s”在此人名下，请选接手人。") % {"what": each.kind.label})
        moved[each.kind.key] = each.kind.transfer(user=user, to=to, actor=actor, at=at)
    return moved


def _end_posts(posts: list[Membership], last_day: date, *, actor: Actor, at: datetime) -> None:
    mine = Membership.objects.select_for_update(of=("self",)).filter(pk__in=[each.pk for each in posts])
    for post in mine.order_by("pk"):
        if post.starts_on > last_day:  # it never begins; what is left of it is in the audit
            record(
                "access.appointment_withdrawn",
                post,
                actor=actor,
                at=at,
                role=post.role,
                starts_on=post.starts_on.isoformat(),
            )
            post.delete()
            continue
        post.ends_on = last_day
        post.save(update_fields=["ends_on"])
        record("access.membership_ended", post, actor=actor, at=at, ends_on=last_day.isoformat())
