"""What a subject's page shows of inspections, without the register knowing them."""

from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import Check, Visit
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.workflow import VISIT
from xiezhi.domains.registry.models import Subject
from xiezhi.domains.registry.panels import Panel
from xiezhi.foundation.access.actors import Actor

VISITS_SHOWN = 5


def subject_panel(subject: Subject, actor: Actor) -> Panel | None:
    """The subject's latest visits and how many checks are still open, as far as `actor` sees them."""

    if not actor.can(May.VIEW):
        return None
    visits = (
        Visit.objects.visible_to(actor)
        .filter(premises__subject=subject)
        .select_related("lead", "premises")
        .order_by("-on", "-pk")[: VISITS_SHOWN + 1]
    )
    context = {
        "subject": subject,
        "visits": list(visits)[:VISITS_SHOWN],
        "more": len(visits) > VISITS_SHOWN,
        "open_checks": Check.objects.visible_to(actor).open().filter(premises__subject=subject).count(),
        "workflow": VISIT,
    }
    return Panel(_("检查"), "inspections/subject_panel.html", context)
