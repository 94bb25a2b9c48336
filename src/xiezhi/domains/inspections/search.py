"""What the desk's search finds here: visits, checks, plans and items of the published list. The columns are those of the lists."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.inspections.models import Check, ItemVersion, Plan, Visit
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.queries.catalogue import current_versions
from xiezhi.domains.inspections.workflow import CheckStatus, PlanStatus, VisitStatus
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.ui import words as said
from xiezhi.foundation.ui.search import Found, Hit, closest, first_of, holding, register
from xiezhi.foundation.ui.statuses import look

DOOR = ("premises__subject__name", "premises__subject__code", "premises__address", "number")


def visits(actor: Actor, words: Sequence[str], limit: int) -> Found:
    """By number, and by whose door it is; the latest first."""
    rows = holding(Visit.objects.visible_to(actor).select_related("premises__subject"), words, *DOOR)
    return first_of(closest(rows, words, "number", "-on"), limit, _visit)


def _visit(row: Visit) -> Hit:
    text = f"{row.premises.subject.name} · {said.day(row.on)}"
    return Hit(row.number, reverse("inspections:visit", args=[row.pk]), text, look(row.status, VisitStatus))


def checks(actor: Actor, words: Sequence[str], limit: int) -> Found:
    """By number, item, and whose door it is; the latest first."""
    seen = Check.objects.visible_to(actor).select_related("premises__subject", "item_version")
    rows = holding(seen, words, *DOOR, "item_version__name")
    return first_of(closest(rows, words, "number", "-latest"), limit, _check)


def _check(row: Check) -> Hit:
    text = f"{row.premises.subject.name} · {row.item_version.name}"
    return Hit(row.number, reverse("inspections:check", args=[row.pk]), text, look(row.status, CheckStatus))


def plans(actor: Actor, words: Sequence[str], limit: int) -> Found:
    """By title or approval number; the latest first."""
    rows = holding(Plan.objects.visible_to(actor).select_related("department"), words, "title", "approval_number")
    return first_of(closest(rows, words, "title", "-starts_on"), limit, _plan)


def _plan(row: Plan) -> Hit:
    text = row.department.short_name
    return Hit(row.title, reverse("inspections:plan", args=[row.pk]), text, look(row.status, PlanStatus))


def items(actor: Actor, words: Sequence[str], limit: int) -> Found:
    """By code, name, content or field, in the version of today."""
    seen = current_versions(actor, on=timezone.localdate())
    rows = holding(seen, words, "item__code", "name", "content", "field")
    return first_of(closest(rows, words, "item__code"), limit, _item)


def _item(row: ItemVersion) -> Hit:
    text = f"{row.item.code} · {row.item.department.short_name}"
    return Hit(row.name, reverse("inspections:item", args=[row.item_id]), text)


for key, title, icon, find, more, order in (
    ("inspections.visit", _("联合检查"), "calendar-check", visits, "inspections:visits", 30),
    ("inspections.check", _("检查任务"), "list-check", checks, "inspections:checks", 40),
    ("inspections.plan", _("检查计划"), "clipboard-list", plans, "inspections:plans", 50),
    ("inspections.item", _("检查事项"), "checklist", items, "inspections:items", 90),
):
    register(key, title, icon, find=find, permission=May.VIEW, more=more, order=order)
