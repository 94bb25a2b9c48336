"""识别建议 on pages: while an officer types, on a case, and taking one with a click."""

from urllib.parse import parse_qsl

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from xiezhi.domains.complaints.forms import IntakeForm
from xiezhi.domains.complaints.models import Case, Suggestion
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.queries.suggestions import Shown, look, similar_to
from xiezhi.domains.complaints.services.adopting import adopt_suggestion, may_adopt
from xiezhi.domains.complaints.services.linking import group_cases
from xiezhi.domains.complaints.services.suggesting import values_of
from xiezhi.domains.complaints.views.common import case_of, who
from xiezhi.domains.complaints.words import CaseStatus
from xiezhi.domains.complaints.workflow import CASE
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.workflow.services import why_not

EARLY = frozenset({CaseStatus.LEAD, CaseStatus.REGISTERED, CaseStatus.DISPATCHED})
"""States in which what a case is about is still being settled."""


@require_POST
@needs(May.REGISTER)
def look_again(request: DeskRequest) -> HttpResponse:
    """The panel beside the intake form, for what is typed so far; saves nothing."""
    found = look(request.POST.dict(), actor=request.actor, at=timezone.now())
    return render(request, "complaints/looked.html", {"looked": found, "workflow": CASE})


def typed(request: HttpRequest) -> dict[str, object]:
    """The intake form's fields as they were typed, and those of a suggestion that was taken without script (`adopt`)."""
    sent: QueryDict = request.POST.copy()
    fields = IntakeForm.base_fields
    for name, value in parse_qsl(sent.get("adopt", "")):
        if name in fields:
            sent[name] = value
    ticked = {name: name in sent for name in ("anonymous", "may_call_back", "safety", "hostile")}
    return {**{name: sent[name] for name in fields if name in sent}, **ticked}


def suggestions_shown(case: Case, actor: Actor) -> list[Shown]:
    """The suggestions of a case whose matter is still being settled, as this person sees them; nothing for later ones."""
    if case.status not in EARLY or not (actor.can(May.DISPATCH) or actor.can(May.HANDLE)):
        return []
    now = values_of(case)
    order = {kind: at for at, kind in enumerate(Suggestion.Kind.values)}
    rows = sorted(case.suggestions.all(), key=lambda row: order[row.kind])
    return [Shown(row, now[row.kind], may_adopt(case, row.kind, actor)) for row in rows]


@require_POST
@needs(May.VIEW)
def adopt(request: DeskRequest, pk: int, kind: str) -> HttpResponseBase:
    """Take one suggestion: it goes into the case."""
    case = case_of(request, pk)
    adopt_suggestion(case=case, kind=kind, seen=request.POST.get("seen", ""), **who(request))
    messages.success(request, _("已采纳，可以在下面核对。"))
    return redirect("complaints:case", pk)


@require_GET
@needs(May.VIEW)
def similar(request: DeskRequest, pk: int) -> HttpResponse:
    """Cases that may be the same matter: a page, or (htmx) its list within the case's page."""
    case, actor = case_of(request, pk), request.actor
    context = {
        "case": case,
        "workflow": CASE,
        "found": similar_to(case, actor),
        "may_merge": why_not(CASE, case, CASE["merge"], actor) is None,
        "may_group": case.is_open and actor.can(May.DISPATCH) and case.parent_id is None,
    }
    part = bool(getattr(request, "htmx", None))
    return render(request, f"complaints/{'similar_list' if part else 'similar'}.html", context)


@require_POST
@needs(May.DISPATCH)
def join(request: DeskRequest, pk: int, of: int) -> HttpResponseBase:
    """群体诉求: put the case under the other one, or under the one that it is under."""
    case = case_of(request, pk)
    other = get_object_or_404(Case.objects.visible_to(request.actor).select_related("parent"), pk=of)
    parent = other.parent or other
    group_cases(parent=parent, children=[case], **who(request))
    messages.success(request, _("已归入群体诉求 %(number)s；每件仍然各自答复、回访。") % {"number": parent.number})
    return redirect("complaints:case", pk)
