"""What the desk's search finds here: cases, by number, title, respondent or place. Who brought them is not looked through."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.complaints.models import Case
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.queries.search import search_cases
from xiezhi.domains.complaints.words import CaseStatus
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.ui.search import Found, Hit, first_of, register
from xiezhi.foundation.ui.statuses import look


def cases(actor: Actor, words: Sequence[str], limit: int) -> Found:
    """As on the list; the latest first."""
    rows = search_cases(Case.objects.visible_to(actor), " ".join(words))
    return first_of(rows.order_by("-arrived_at", "pk"), limit, _case)


def _case(row: Case) -> Hit:
    return Hit(row.title, reverse("complaints:case", args=[row.pk]), row.number, look(row.status, CaseStatus))


register("complaints.case", _("诉求"), "phone", find=cases, permission=May.VIEW, more="complaints:cases", order=60)
