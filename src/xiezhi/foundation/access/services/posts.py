from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.keepers import someone_stays
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.permissions import AccessPermission
from xiezhi.foundation.access.roles import roles
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.orgs.services import create_organisation
from xiezhi.foundation.workflow.errors import Refused

ONE_DAY = timedelta(days=1)
MUST_CHANGE_WITHIN = timedelta(days=7)
"""How long a first password, told by the administrator, signs in before the person has chosen their own."""


def actor_for(membership: Membership) -> Actor:
    """The actor that a person is while acting through `membership`, with what is granted to it for a while if it was read `with_elevation`."""
    role, taken = membership.role_class, roles().get(getattr(membership, "elevated_role", None) or "")
    return Actor(
        role=role.key,
        permissions=role.permissions | taken.permissions if taken else role.permissions,
        user_id=membership.user_id,
        membership_id=membership.pk,
        organisation_id=membership.organisation_id,
        department_id=membership.organisation.department_id,
        district_wide=role.district_wide,
    )


@transaction.atomic
def open_account(
    *, username: str, display_name: str, password: str | None, actor: Actor, at: datetime, must_change: bool = False
) -> User:
    """Give a person an account. `must_change`: the password was told to them and is to be changed at the first sign-in, within seven days.
    Raises Refused when the login name is taken."""
    actor.require(AccessPermission.MANAGE_PEOPLE)
    taken = _("登录名“%(name)s”已有人使用，请换一个。") % {"name": username}
    if User.objects.filter(username=username).exists():
        raise Refused(taken)
    try:
        with transaction.atomic():
            lasts = at + MUST_CHANGE_WITHIN if must_change else None
            user = User.objects.create_user(
                username, password, display_name=display_name, joined_at=at, password_expires_at=lasts
            )
    except IntegrityError as error:  # somebody took it at the same moment
        raise Refused(taken) from error
    record("access.account_opened", user, actor=actor, at=at)
    return user


@transaction.atomic
def appoint(
    *,
    user: User,
    organisation: Organisation,
    role: str,
    starts_on: date,
    ends_on: date | None = None,
    actor: Actor,
    at: datetime,
) -> Membership:
    """Appoint a person (任职). Raises Refused for an unknown role, one that the organisation cannot hold, or reversed dates."""
    actor.require(AccessPermission.MANAGE_PEOPLE)
    role_class = roles().get(role)
    if role_class is None or organisation.kind not in role_class.organisation_kinds:
        raise Refused(_("“%(organisation)s”不能设置这个岗位。") % {"organisation": organisation})
    if ends_on and ends_on < starts_on:
        raise Refused(_("结束日期早于开始日期，请改正。"))
    membership, created = Membership.objects.get_or_create(
        user=user, organisation=organisation, role=role, starts_on=starts_on, defaults={"ends_on": ends_on}
    )
    if created:
        record("access.appointed", membership, actor=actor, at=at, role=role, organisation=organisation.code)
    return membership


@transaction.atomic
def end_membership(*, membership: Membership, ends_on: date, actor: Actor, at: datetime) -> Membership:
    """End an appointment on `ends_on` (last valid day). Nobody ends their own, and one administrator is always left: two who end each other's
    post at the same moment take turns, and the second is refused."""
    actor.require(AccessPermission.MANAGE_PEOPLE)
    if membership.pk == actor.membership_id:
        raise Refused(_("不能结束自己正在使用的任职，请由另一位管理员办理。"))
    someone_stays(on=ends_on + ONE_DAY, without_posts=frozenset({membership.pk}))
    locked = Membership.objects.select_for_update().get(pk=membership.pk)
    if ends_on < locked.starts_on:
        raise Refused(_("结束日期早于开始日期，请改正。"))
    locked.ends_on = ends_on
    locked.save(update_fields=["ends_on"])
    record("access.membership_ended", locked, actor=actor, at=at, ends_on=ends_on.isoformat())
    return locked


@transaction.atomic
def found_district(
    *, code: str, name: str, administrator: str, display_name: str, password: str, at: datetime
) -> Membership:
    """Begin an installation: the district and its first administrator, who does all the rest. Raises Refused when there is one already."""
    if Organisation.objects.exists():
        raise Refused(_("这里已经有机构，不能再次初始化。"))
    key = "administrator"
    founder = Actor(role=key, permissions=roles()[key].permissions, district_wide=True)
    district = create_organisation(
        kind=Organisation.Kind.DISTRICT, code=code, name=name, short_name=name[:20], actor=founder, at=at
    )
    user = open_account(username=administrator, display_name=display_name, password=password, actor=founder, at=at)
    return appoint(user=user, organisation=district, role=key, starts_on=timezone.localdate(at), actor=founder, at=at)
