"""What the desk's search finds here: people with an account, by name. Phones are sealed and not looked through."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.permissions import AccessPermission
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.ui.search import Found, Hit, closest, first_of, holding, register


def people(actor: Actor, words: Sequence[str], limit: int) -> Found:
    """By name or login name; for whoever manages accounts, as on the list."""
    seen = User.objects.all() if actor.can(AccessPermission.MANAGE_PEOPLE) else User.objects.none()
    rows = closest(holding(seen, words, "display_name", "username"), words, "display_name")
    return first_of(rows, limit, lambda row: Hit(str(row), reverse("access:person", args=[row.pk]), row.username))


register(
    "access.person",
    _("人员"),
    "users",
    find=people,
    permission=AccessPermission.MANAGE_PEOPLE,
    more="access:people",
    order=200,
)
