"""Reads of the catalogue."""

from datetime import date

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from xiezhi.domains.inspections.models import CatalogueItem, Check, ItemVersion
from xiezhi.foundation.access.actors import Actor


def items_with_names(actor: Actor, *, on: date) -> QuerySet[CatalogueItem]:
    """The items that `actor` sees with `version_name`: the name in force on `on`, else the last one. Ordered by code."""
    versions = ItemVersion.objects.filter(item=OuterRef("pk")).order_by("-version")
    current = versions.filter(Q(effective_to=None) | Q(effective_to__gte=on), effective_from__lte=on)
    return (
        CatalogueItem.objects.visible_to(actor)
        .select_related("department")
        .annotate(version_name=Coalesce(Subquery(current.values("name")[:1]), Subquery(versions.values("name")[:1])))
        .order_by("code")
    )


def items_in_force(actor: Actor, *, on: date) -> QuerySet[CatalogueItem]:
    """`items_with_names`, only those that may be checked on `on` or later."""
    open_versions = ItemVersion.objects.filter(Q(effective_to=None) | Q(effective_to__gte=on))
    return items_with_names(actor, on=on).filter(pk__in=open_versions.values("item"))


def items_for_cases(*, on: date) -> QuerySet[CatalogueItem]:
    """Every department's items that may be checked on `on` or later, for rooms that raise cases on the system's behalf. Ordered by code."""
    open_versions = ItemVersion.objects.filter(Q(effective_to=None) | Q(effective_to__gte=on))
    return (
        CatalogueItem.objects.filter(pk__in=open_versions.values("item")).select_related("department").order_by("code")
    )


def current_versions(actor: Actor, *, on: date) -> QuerySet[ItemVersion]:
    """One version an item: the one in force on `on`, else the last one."""
    versions = ItemVersion.objects.filter(item=OuterRef("pk")).order_by("-version")
    in_force = versions.filter(Q(effective_to=None) | Q(effective_to__gte=on), effective_from__lte=on)
    chosen = Coalesce(Subquery(in_force.values("pk")[:1]), Subquery(versions.values("pk")[:1]))
    items = CatalogueItem.objects.visible_to(actor).annotate(chosen=chosen)
    return (
        ItemVersion.objects.filter(pk__in=items.values("chosen"))
        .select_related("item__department")
        .annotate(code=F("item__code"))
    )


def checks_after(item: CatalogueItem, day: date) -> int:
    """How many open checks of `item`, held by no visit, begin after `day`."""
    return Check.objects.open().filter(item_version__item=item, visit=None, earliest__gt=day).count()
