"""Items, plans and checks for tests, made through the services by the people who would make them."""

import itertools
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from tests.builders.cast import NOW, TODAY, Cast
from tests.builders.registry import a_subject, door_of
from xiezhi.domains.inspections.models import CatalogueItem, Check, ItemVersion, Plan, PlanRow
from xiezhi.domains.inspections.services.catalogue import Wording, publish_version
from xiezhi.domains.inspections.services.checks import raise_case_check
from xiezhi.domains.inspections.services.filing import file_plan
from xiezhi.domains.inspections.services.plan_rows import RowDraft, add_rows
from xiezhi.domains.inspections.services.plans import open_plan
from xiezhi.domains.registry.models import Premises

SINCE = date(2026, 1, 1)
YEAR_END = date(2026, 12, 31)
_serials = itertools.count(700_001)


def given_version(
    cast: Cast, department: str, code: str | None = None, *, since: date = SINCE, at: datetime = NOW, **wording: Any
) -> ItemVersion:
    """A version of an item, published by the department's planner; a further one when `code` stands already."""
    code = code or f"{department.upper()}-{next(_serials)}"
    given = {"name": f"演示事项 {code}", "legal_basis": "演示依据", "minutes": 40, **wording}
    version, _new = publish_version(
        code=code,
        department=cast[department],
        wording=Wording(**given),
        effective_from=since,
        actor=cast.actor(f"{department}.planner"),
        at=at,
    )
    return version


def given_item(cast: Cast, department: str, code: str | None = None, **wording: Any) -> CatalogueItem:
    """An item published since New Year."""
    return given_version(cast, department, code, **wording).item


def given_premises(cast: Cast, street: str = "110199001", name: str = "", **facts: Any) -> Premises:
    """The only door of a subject of its own."""
    return door_of(a_subject(cast, next(_serials), name, street=street, **facts))


def named_row(item: CatalogueItem, premises: Premises, **more: Any) -> RowDraft:
    """A row that names a door; a window from next week on for a month."""
    given = {
        "kind": PlanRow.Kind.NAMED,
        "source": PlanRow.Source.ROUTINE,
        "item_id": item.pk,
        "premises_id": premises.pk,
        "earliest": TODAY + timedelta(days=8),
        "latest": TODAY + timedelta(days=38),
    }
    return RowDraft(**{**given, **more})


def sampling_row(item: CatalogueItem, **more: Any) -> RowDraft:
    """A row that draws from the whole district unless told otherwise; three firms unless told how many or what share."""
    given = {
        "kind": PlanRow.Kind.SAMPLING,
        "source": PlanRow.Source.RANDOM,
        "item_id": item.pk,
        "earliest": TODAY + timedelta(days=8),
        "latest": TODAY + timedelta(days=38),
    }
    if "quantity" not in more and "ratio_per_mille" not in more:
        given["quantity"] = 3
    return RowDraft(**{**given, **more})


def given_plan(
    cast: Cast,
    department: str,
    rows: Sequence[RowDraft] = (),
    *,
    title: str = "",
    filed: bool = True,
    seed: str | None = "test",
    at: datetime = NOW,
    **head: Any,
) -> Plan:
    """A plan of the year with `rows`, filed unless told otherwise. The period reaches into February, as windows may."""
    planner = cast.actor(f"{department}.planner")
    period = {"starts_on": date(2026, 3, 1), "ends_on": date(2027, 2, 28)}
    plan = open_plan(
        department=cast[department],
        title=title or f"演示计划 {next(_serials)}",
        actor=planner,
        at=at,
        **{**period, **head},
    )
    if rows:
        add_rows(plan=plan, rows=rows, actor=planner, at=at)
    return file_plan(plan=plan, actor=planner, at=at, seed=seed) if filed else plan


def given_case(
    cast: Cast,
    premises: Premises,
    item: CatalogueItem,
    *,
    case_id: str = "",
    urgent: bool = False,
    actor: str = "",
    at: datetime = NOW,
    **more: Any,
) -> Check:
    """A 个案 check raised by the item's department's planner (or `actor`)."""
    given = {
        "case_kind": "complaint",
        "case_id": case_id or str(next(_serials)),
        "note": "演示投诉",
        "earliest": TODAY + timedelta(days=1),
        "latest": TODAY + timedelta(days=15),
    }
    return raise_case_check(
        premises=premises,
        item=item,
        urgent=urgent,
        actor=cast.actor(actor or f"{item.department.code}.planner"),
        at=at,
        **{**given, **more},
    )


def given_check(
    cast: Cast,
    premises: Premises,
    department: str,
    item: CatalogueItem | None = None,
    *,
    urgent: bool = False,
    superior_ordered: bool = False,
    at: datetime = NOW,
    **row: Any,
) -> Check:
    """One check that waits for a visit: by a plan of its own, or as a case when urgent. `row`: fields of the plan row."""
    item = item or given_item(cast, department)
    if urgent:
        return given_case(cast, premises, item, urgent=True, at=at, **row)
    head: dict[str, Any] = {}
    if superior_ordered or row.get("source") == PlanRow.Source.SPECIAL:
        row["source"] = PlanRow.Source.SPECIAL
        head = {
            "kind": Plan.Kind.SPECIAL,
            "superior_ordered": superior_ordered,
            "approval_number": "演示批准〔2026〕1号",
            "approved_on": date(2026, 10, 8),
        }
    plan = given_plan(cast, department, [named_row(item, premises, **row)], at=at, **head)
    return Check.objects.select_related("premises__subject", "department", "item_version__item").get(
        plan_row__plan=plan
    )


def statuses(checks: Iterable[Check]) -> list[str]:
    """The checks' states as they are stored now, in order of number."""
    return list(
        Check.objects.filter(pk__in=[check.pk for check in checks]).order_by("number").values_list("status", flat=True)
    )
