"""What the desk's search finds here: organisations, for whoever keeps them."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.orgs.permissions import OrgsPermission
from xiezhi.foundation.ui.search import Found, Hit, closest, first_of, holding, register


def organisations(actor: Actor, words: Sequence[str], limit: int) -> Found:
    """By name or code, as on the list."""
    keeps = actor.can(OrgsPermission.MANAGE_ORGANISATIONS)
    seen = Organisation.objects.all() if keeps else Organisation.objects.none()
    rows = closest(holding(seen, words, "name", "short_name", "code"), words, "name")
    return first_of(rows, limit, lambda row: Hit(row.name, reverse("orgs:rename", args=[row.pk]), row.code))


register(
    "orgs.organisation",
    _("机构"),
    "building",
    find=organisations,
    permission=OrgsPermission.MANAGE_ORGANISATIONS,
    more="orgs:list",
    order=210,
)
