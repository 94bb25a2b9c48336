"""交接: the open cases of an officer who leaves go to a colleague of the same unit."""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.complaints.models import Case
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.words import ENDED
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.services.handover import Kind, Thing
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.notices.services import people_holding
from xiezhi.foundation.workflow.errors import Refused


def _open(user: User) -> QuerySet[Case]:
    return Case.objects.filter(officer=user).exclude(status__in=ENDED).order_by("pk")


def _list(user: User, at: datetime) -> Iterator[Thing]:
    return (Thing(str(case), reverse("complaints:case", args=[case.pk])) for case in _open(user))


@transaction.atomic
def transfer_cases(*, user: User, to: Membership, actor: Actor, at: datetime) -> int:
    """Make the colleague the officer (承办人) of every open case of `user`; returns how many. Raises Refused, naming the case, where the
    colleague handles no cases of its unit: the unit itself then names another officer first."""
    cases = list(_open(user).select_for_update(of=("self",)))
    units = {
        unit: people_holding(May.HANDLE, organisation_ids=[unit], at=at)
        for unit in {each.unit_id or 0 for each in cases}
    }
    for case in cases:
        if to.user_id not in units[case.unit_id or 0]:
            raise Refused(_("%(case)s的承办单位不由接手人办件，请先由该单位更换承办人。") % {"case": case})
        case.officer_id = to.user_id
        case.save(update_fields=["officer"])
        tell(case, "handed_over", _("更换承办人"), actor=actor, at=at)
        record("complaints.case.handed_over", case, actor=actor, at=at, to=to.user_id)
    return len(cases)


KIND = Kind("complaints", gettext_lazy("在办诉求"), _list, transfer_cases)
"""What the hand-over (交接) is told at start."""
