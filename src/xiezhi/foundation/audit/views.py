from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.audit.permissions import AuditPermission
from xiezhi.foundation.audit.queries import object_history, visible_object


@require_GET
@needs(AuditPermission.READ.value)
def history(request: DeskRequest, kind: str, object_id: str) -> HttpResponse:
    """Who did what to one object, and when (审计记录)."""
    row = visible_object(kind, object_id, request.actor)
    if row is None:
        raise Http404
    acts = object_history(row._meta.label_lower, str(row.pk))
    return render(request, "audit/history.html", {"row": row, "kind": row._meta.verbose_name, "acts": acts})
