"""What a subject's page shows of complaints, without the register knowing them."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Case
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.words import Kind
from xiezhi.domains.complaints.workflow import CASE
from xiezhi.domains.registry.models import Subject
from xiezhi.domains.registry.panels import Panel
from xiezhi.foundation.access.actors import Actor

SHOWN = 5
YEAR = timedelta(days=365)


def subject_panel(subject: Subject, actor: Actor) -> Panel | None:
    """The latest complaints about a subject as far as `actor` sees them, and how many in a year. Reports stay out of it (art. 37)."""
    if not actor.can(May.VIEW):
        return None
    cases = Case.objects.visible_to(actor).filter(subject=subject).exclude(kind=Kind.REPORT)
    context = {
        "complaints": list(cases.order_by("-received_at")[:SHOWN]),
        "complaints_in_year": cases.filter(received_at__gt=timezone.now() - YEAR).count(),
        "case_workflow": CASE,
    }
    return Panel(_("诉求"), "complaints/subject_panel.html", context)
