"""Plan rows that name a subject without its code: they wait in the register's match queue, and come back when somebody has decided."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import Check, Plan, PlanRow
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.services.checks import CheckDraft, create_checks
from xiezhi.domains.inspections.services.plan_rows import (
    RowDraft,
    RowJudge,
    admit_standing,
    is_being_filed,
    premises_of,
    save_rows,
)
from xiezhi.domains.inspections.services.shelf import version_for
from xiezhi.domains.inspections.workflow import PlanStatus
from xiezhi.domains.registry.models import PendingMatch, Premises
from xiezhi.domains.registry.services.matches import NamedRow, queue_names
from xiezhi.foundation.access.actors import SYSTEM, Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.notices.services import notify, people_holding
from xiezhi.foundation.orgs.models import Organisation

ORIGIN = "inspections.plan_row"


class PlanBusy(Exception):
    """The plan is being filed at this moment; the event is delivered again later."""


def queued_already(rows: Sequence[NamedRow], *, organisation: Organisation) -> list[bool]:
    """For each row, whether the very same one was sent before (and waits, was matched or dismissed). One query."""
    payloads: dict[str, list[dict[str, Any]]] = {}
    names = {row.name for row in rows}
    if names:
        waiting = PendingMatch.objects.filter(origin=ORIGIN, organisation=organisation, name__in=names)
        for name, payload in waiting.values_list("name", "payload"):
            payloads.setdefault(name, []).append({key: value for key, value in payload.items() if key != "plan_id"})
    return [row.payload in payloads.get(row.name, []) for row in rows]


def queue_plan_names(*, plan: Plan, rows: Sequence[NamedRow], batch_id: int | None, actor: Actor, at: datetime) -> int:
    """Let named rows of `plan` wait for a match, in the caller's transaction; what was matched before is added at once.

    Returns how many wait now. Sending the same rows again changes nothing.
    """
    with_plan = [replace(row, payload={**row.payload, "plan_id": plan.pk}) for row in rows]
    found = queue_names(rows=with_plan, origin=ORIGIN, organisation=plan.department, batch_id=batch_id, at=at)
    waiting = 0
    for pending in found:
        if pending.status == PendingMatch.Status.MATCHED and pending.premises:
            add_matched_row(pending=pending, premises=pending.premises, at=at)
        waiting += pending.status == PendingMatch.Status.WAITING
    record("inspections.plan.names_queued", plan, actor=actor, at=at, rows=waiting)
    return waiting


@transaction.atomic
def add_matched_row(*, pending: PendingMatch, premises: Premises, at: datetime) -> PlanRow | None:
    """Put a row whose subject is known now into its plan; if the plan is filed already, its check stands at once.

    None when the row cannot stand (plan withdrawn, window over, duplicate, closed …): the department is told why. Doing it again
    changes nothing. Raises PlanBusy while the plan is being filed.
    """
    plan = Plan.objects.select_for_update(of=("self",)).select_related("department").get(pk=pending.payload["plan_id"])
    if is_being_filed(plan):
        raise PlanBusy
    stored = dict(pending.payload["row"])
    stored["earliest"], stored["latest"] = (date.fromisoformat(stored[name]) for name in ("earliest", "latest"))
    draft = replace(RowDraft(**stored), premises_id=premises.pk)
    standing = plan.rows.filter(
        premises=premises, item_id=draft.item_id, earliest=draft.earliest, latest=draft.latest
    ).first()
    if standing:
        return standing
    fault = _why_not(plan, draft, timezone.localdate(at))
    if fault:
        _tell(plan, pending, fault, at)
        return None
    row = save_rows(plan=plan, rows=[draft])[0]
    record("inspections.plan.name_matched", plan, actor=SYSTEM, at=at, number=row.number, pending_match=pending.pk)
    if plan.status == PlanStatus.FILED:
        _create_check(plan, row, draft, at)
    return row


def _why_not(plan: Plan, draft: RowDraft, today: date) -> str:
    if plan.status == PlanStatus.WITHDRAWN:
        return _("计划已撤回。")
    if draft.latest < today:
        return _("最晚日期已经过去。")
    judge = RowJudge(plan, [draft.item_id])
    admit_standing(judge, plan, but=[draft])
    faults = judge.faults(draft, premises_of([draft])[draft.premises_id or 0]) + judge.admit(draft, "")
    return faults[0].reason if faults else ""


def _create_check(plan: Plan, row: PlanRow, draft: RowDraft, at: datetime) -> Check:
    premises = premises_of([draft])[draft.premises_id or 0]
    check = CheckDraft(
        premises=premises,
        version=version_for(row.item, row.earliest, row.latest),
        source=row.source,
        earliest=row.earliest,
        latest=row.latest,
        superior_ordered=plan.superior_ordered,
        plan_row_id=row.pk,
        on_site_reason=row.on_site_reason,
    )
    text = _("列入%(department)s检查计划：%(item)s（%(earliest)s 至 %(latest)s）")
    return create_checks([check], year=timezone.localdate(at).year, timeline=text, at=at)[0]


def _tell(plan: Plan, pending: PendingMatch, fault: str, at: datetime) -> None:
    recipients = people_holding(May.SUBMIT_PLAN, organisation_ids=[plan.department_id], at=at)
    words = {"title": plan.title, "number": pending.row_number}
    notify(
        recipients,
        key=f"inspections.plan.name_refused:{pending.pk}",
        title=_("《%(title)s》第 %(number)d 行没有补进计划") % words,
        body=fault,
        at=at,
        link=reverse("inspections:plan", args=[plan.pk]),
    )


def names_waiting(plan: Plan) -> int:
    """How many named rows of `plan` still wait for a match."""
    return PendingMatch.objects.filter(
        origin=ORIGIN, status=PendingMatch.Status.WAITING, organisation_id=plan.department_id, payload__plan_id=plan.pk
    ).count()
