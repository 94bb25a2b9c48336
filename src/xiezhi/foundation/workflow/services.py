from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.db import models, transaction
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.audit.services import record, record_many
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale
from xiezhi.foundation.workflow.tables import Transition, Workflow

CHUNK = 500
Row = TypeVar("Row", bound=models.Model)


def why_not(workflow: Workflow, row: models.Model, move: Transition, actor: Actor) -> str | None:
    """The reason why `actor` cannot make `move` on `row` now; None when they can."""
    status = getattr(row, workflow.field)
    if status not in move.sources:
        current = workflow.states(status).label
        return _("当前状态是“%(status)s”，不能“%(move)s”。") % {"status": current, "move": move.label}
    if not _permitted(row, move, actor):
        return _("您的岗位不能“%(move)s”。") % {"move": move.label}
    return move.guard(row, actor) if move.guard else None


def _permitted(row: models.Model, move: Transition, actor: Actor) -> bool:
    if actor.is_system:
        return move.by_system
    return move.permission is not None and actor.can(move.permission) and (move.owner is None or move.owner(row, actor))


def available(workflow: Workflow, row: models.Model, actor: Actor) -> list[Transition]:
    """The moves that `actor` can make on `row` now, in the table's order. Buttons come from here and from nowhere else."""
    return [move for move in workflow.transitions if why_not(workflow, row, move, actor) is None]


def advance(
    workflow: Workflow,
    row: Row,
    name: str,
    *,
    actor: Actor,
    at: datetime,
    reason: str = "",
    changes: dict[str, Any] | None = None,
    seen_status: str | None = None,
    **details: Any,
) -> Row:
    """Move `row` through `name`: lock it, check table, permission and guard, set status, `stamp` and `changes`, write the audit entry.

    Must run inside a transaction. Returns the locked, saved row. Raises Stale when `seen_status` (what the person's page showed) is
    no longer the status, AlreadyDone on a double click, PermissionRefused when this actor may not, Refused with the reason otherwise. `details` go to the audit
    payload and must hold no personal data; `reason` is kept by the caller's own field, never in the audit payload.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("advance() outside a transaction")
    move = workflow[name]
    locked = type(row)._default_manager.select_for_update(of=("self",)).get(pk=row.pk)
    before = getattr(locked, workflow.field)
    if before == move.target and before not in move.sources and _made_by(workflow, locked, name, actor):
        raise AlreadyDone(_("已经办好：%(status)s。") % {"status": workflow.states(before).label})
    if seen_status is not None and before != seen_status:
        raise Stale(
            _("这条记录刚刚被他人改为“%(status)s”，页面已更新，请再看一眼。")
            % {"status": workflow.states(before).label}
        )
    refusal = why_not(workflow, locked, move, actor)
    if refusal:
        raise Refused(refusal) if _permitted(locked, move, actor) else PermissionRefused(refusal)
    if move.needs_reason and not reason.strip():
        raise Refused(_("请写明理由。"))
    values = {**(changes or {}), workflow.field: move.target}
    if move.stamp:
        values[move.stamp] = at
    for column, value in values.items():
        setattr(locked, column, value)
    locked.save(update_fields=list(values))
    record(f"{workflow.key}.{name}", locked, actor=actor, at=at, **{"from": before, "to": move.target}, **details)
    return locked


def advance_many(
    workflow: Workflow,
    rows: Sequence[Row],
    name: str,
    *,
    actor: Actor,
    at: datetime,
    changes: dict[str, Any] | None = None,
    **details: Any,
) -> int:
    """`advance` for many rows in a few statements, all or none; `changes` are the same for each. Returns how many moved.

    Locks in order of id. Raises what `advance` raises for the first row that cannot move.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("advance_many() outside a transaction")
    if not rows:
        return 0
    move, model = workflow[name], type(rows[0])
    values = {**(changes or {}), workflow.field: move.target}
    if move.stamp:
        values[move.stamp] = at
    wanted = sorted(row.pk for row in rows)
    for start in range(0, len(wanted), CHUNK):
        keys = wanted[start : start + CHUNK]
        locked = list(model._default_manager.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk"))
        for row in locked:
            refusal = why_not(workflow, row, move, actor)
            if refusal:
                raise Refused(refusal) if _permitted(row, move, actor) else PermissionRefused(refusal)
        model._default_manager.filter(pk__in=keys).update(**values)
        record_many(f"{workflow.key}.{name}", locked, actor=actor, at=at, to=move.target, **details)
    return len(wanted)


def _made_by(workflow: Workflow, row: models.Model, name: str, actor: Actor) -> bool:
    last = (
        Entry.objects.filter(
            object_kind=row._meta.label_lower, object_id=str(row.pk), action__startswith=f"{workflow.key}."
        )
        .order_by("-pk")
        .first()
    )
    return (
        last is not None and last.action == f"{workflow.key}.{name}" and last.actor_membership_id == actor.membership_id
    )
