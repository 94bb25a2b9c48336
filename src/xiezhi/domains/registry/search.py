"""What the desk's search finds here: subjects and their doors."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.registry.models import Premises, Subject
from xiezhi.domains.registry.permissions import RegistryPermission as May
from xiezhi.domains.registry.queries import mentioning
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.ui.search import Found, Hit, closest, first_of, holding, register
from xiezhi.foundation.ui.statuses import look


def subjects(actor: Actor, words: Sequence[str], limit: int) -> Found:
    """As on the list: by name, code, street or address."""
    rows = mentioning(Subject.objects.visible_to(actor), " ".join(words))
    return first_of(closest(rows, words, "name"), limit, _subject)


def _subject(row: Subject) -> Hit:
    return Hit(row.name, reverse("registry:subject", args=[row.pk]), row.code, look(row.status, Subject.Status))


def premises(actor: Actor, words: Sequence[str], limit: int) -> Found:
    """Doors by name or address; a door's page is its subject's."""
    rows = holding(Premises.objects.visible_to(actor).select_related("subject"), words, "name", "address")
    return first_of(closest(rows, words, "address"), limit, _premises)


def _premises(row: Premises) -> Hit:
    return Hit(row.address, reverse("registry:subject", args=[row.subject_id]), row.name or row.subject.name)


register(
    "registry.subject",
    _("经营主体"),
    "building-store",
    find=subjects,
    permission=May.VIEW,
    more="registry:subjects",
    order=10,
)
register("registry.premises", _("场所"), "map-pin", find=premises, permission=May.VIEW, order=20)
