"""统筹成效 and 频次预警: what joining saves, and whom to spare. No department is ranked or measured here (R17)."""

from datetime import date
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from xiezhi.domains.inspections import rules
from xiezhi.domains.inspections.forms.figures import ScopeForm
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.queries import figures as queries
from xiezhi.domains.inspections.queries.warnings import warning_labels, warnings_for
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.rules.queries import reading
from xiezhi.foundation.ui.exports import export_response


def _scope(form: ScopeForm, today: date) -> queries.Scope:
    """What the form asks for; this year so far where it says nothing, or nothing sensible."""
    given: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    return queries.Scope(
        first=given.get("from_day") or date(today.year, 1, 1),
        last=given.get("to_day") or today,
        street=given.get("street"),
        scene=given.get("scene"),
    )


@require_GET
@needs(May.VIEW_FIGURES)
def figures(request: DeskRequest) -> HttpResponseBase:
    """The dashboard: seven figures with formula, numerator and denominator, two charts with their numbers, the volume beside them."""
    today = timezone.localdate()
    narrowed = any(request.GET.get(name) for name in ScopeForm.base_fields)
    form = ScopeForm(request.GET if narrowed else None, initial={"from_day": date(today.year, 1, 1), "to_day": today})
    scope = _scope(form, today)
    months = queries.by_month(request.actor, scope)
    if wanted := request.GET.get("export"):
        header, rows = queries.ratio_rows(months)
        return export_response(_("统筹成效"), header, rows, wanted)
    counted = queries.total(months)
    context = {
        "form": form,
        "scope": scope,
        "figures": [queries.figure_of(each) for each in queries.ratios(counted)],
        "ratios": queries.ratios(counted),
        "counted": counted,
        "saved_doors": counted.department_checks - counted.visits,
        "doors": queries.doors_chart(months),
        "time": queries.time_chart(months),
        "months": months,
        "no_targets": reading(rules.NO_COUNT_TARGETS, on=today),
        "one_record": reading(rules.ONE_VISIT_ONE_RECORD, on=today),
    }
    return render(request, "inspections/figures/dashboard.html", context, status=422 if form.errors else 200)


@require_GET
@needs(May.VIEW_FIGURES)
def warnings(request: DeskRequest) -> HttpResponse:
    """Subjects that are visited too often, by kind, each with its rule."""
    labels = warning_labels()
    kind = request.GET.get("kind", "")
    found = warnings_for(request.actor, timezone.localdate())
    context = {
        "labels": labels,
        "kind": kind if kind in labels else "",
        "counts": [(key, label, sum(each.kind == key for each in found)) for key, label in labels.items()],
        "groups": [
            (label, [each for each in found if each.kind == key])
            for key, label in labels.items()
            if kind in ("", key) or kind not in labels
        ],
        "total": len(found),
    }
    return render(request, "inspections/figures/warnings.html", context)
