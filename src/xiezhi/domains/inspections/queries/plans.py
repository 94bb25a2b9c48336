"""Reads of plans."""

from collections import Counter
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from xiezhi.domains.inspections.models import Check, ItemVersion, Plan, PlanRow
from xiezhi.domains.inspections.workflow import CheckStatus


def _name_of_item() -> Subquery:
    versions = ItemVersion.objects.filter(item=OuterRef("item"), effective_from__lte=OuterRef("earliest"))
    return Subquery(versions.order_by("-version").values("name")[:1])


def rows_with_names(plan: Plan) -> QuerySet[PlanRow]:
    """The plan's rows with `item_name`, as the item is called on the row's earliest day."""
    return PlanRow.objects.filter(plan=plan).annotate(item_name=_name_of_item())


def plan_overview(plan: Plan) -> dict[str, Any]:
    """What a department reviews before filing and follows afterwards: rows by kind and item, checks by state. Three queries."""
    kinds: Counter[tuple[str, str]] = Counter(plan.rows.values_list("kind", "source"))
    items = (
        plan.rows.annotate(item_name=_name_of_item())
        .values("item__code", "item_id", "item_name")
        .annotate(
            named=Count("pk", filter=Q(kind=PlanRow.Kind.NAMED)),
            sampling=Count("pk", filter=Q(kind=PlanRow.Kind.SAMPLING)),
        )
        .order_by("item__code")
    )
    states = Counter(Check.objects.filter(plan_row__plan=plan).values_list("status", flat=True))
    return {
        "rows": sum(kinds.values()),
        "named": sum(count for (kind, _source), count in kinds.items() if kind == PlanRow.Kind.NAMED),
        "sampling": sum(count for (kind, _source), count in kinds.items() if kind == PlanRow.Kind.SAMPLING),
        "special": sum(count for (_kind, source), count in kinds.items() if source == PlanRow.Source.SPECIAL),
        "items": list(items),
        "states": [(CheckStatus(value), states[value]) for value in CheckStatus.values if states[value]],
        "checks": sum(states.values()),
    }


def frame_words(row: PlanRow) -> str:
    """What a sampling row draws from, in words; a named row's subject."""
    if row.premises:
        return row.premises.subject.name
    parts = [row.scene.name if row.scene else "", row.industry, row.street.short_name if row.street else ""]
    return " · ".join(part for part in parts if part)
