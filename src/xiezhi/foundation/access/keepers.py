"""A district never loses its last administrator: whatever ends a post or closes an account asks here first, inside its transaction."""

from datetime import date

from django.utils.translation import gettext as _

from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.permissions import AccessPermission
from xiezhi.foundation.access.roles import roles
from xiezhi.foundation.workflow.errors import Refused


def keeper_roles() -> list[str]:
    """Roles that can appoint others."""
    return [key for key, role in roles().items() if AccessPermission.MANAGE_PEOPLE in role.permissions]


def someone_stays(*, on: date, without_posts: frozenset[int] = frozenset(), without_user: int | None = None) -> None:
    """Raise Refused unless an administrator is left for good from `on`, not counting the given posts and person.

    Locks every administrator's post, in order of id, so that two people who end each other's post take turns and the second sees what the first
    did. An appointment with an end is no keeper: it would only put the moment off.
    """
    posts = Membership.objects.select_for_update(of=("self",)).filter(role__in=keeper_roles()).order_by("pk")
    locked = list(posts.select_related("user"))
    ended = [each for each in locked if each.pk in without_posts or each.user_id == without_user]
    if not ended:
        return  # nobody of those who keep the place is touched
    left = [
        each
        for each in locked
        if each not in ended and each.user.is_active and each.starts_on <= on and each.ends_on is None
    ]
    if not left:
        raise Refused(_("这样就没有系统管理员了。请先任命另一位不定期的系统管理员，再办理。"))
