"""Many rows of a subject list at once, in the caller's transaction: a few statements per thousand rows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.domains.registry.differences import (
    DOOR_COLUMNS,
    Difference,
    Lists,
    SubjectRow,
    compare,
    door_columns,
    label,
    row_about,
)
from xiezhi.domains.registry.matching import normal_name
from xiezhi.domains.registry.models import PendingMatch, Premises, Subject, TimelineEntry
from xiezhi.domains.registry.permissions import RegistryPermission
from xiezhi.domains.registry.services.subjects import publish_closed
from xiezhi.domains.registry.workflow import OPEN, SUBJECT
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record_many
from xiezhi.foundation.events.services import publish
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance_many

FACTS = ("name", "normal_name", "kind", "industry", "credit_class", "risk_class", "joint_opt_out", "updated_at")
DOOR = ("number", "name", "address", "street", "longitude", "latitude", "closed_weekdays", "is_open")


@dataclass
class _Work:
    """What a chunk comes to, gathered before anything is written."""

    created: list[Subject] = field(default_factory=list)
    changed: dict[int, Subject] = field(default_factory=dict)
    columns: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    new_doors: list[Premises] = field(default_factory=list)
    doors: dict[int, Premises] = field(default_factory=dict)
    shut: list[Premises] = field(default_factory=list)
    scenes: dict[int, list[str]] = field(default_factory=dict)
    moves: dict[str, dict[int, Subject]] = field(default_factory=lambda: defaultdict(dict))
    joint: dict[int, Subject] = field(default_factory=dict)
    lines: list[TimelineEntry] = field(default_factory=list)


@transaction.atomic
def store_rows(
    *, rows: Sequence[SubjectRow], lists: Lists, actor: Actor, at: datetime, batch_id: int | None = None
) -> dict[str, int]:
    """Store checked rows by code and premises number; storing them again changes nothing. Returns how many subjects were `created` and
    `updated`, and how many `doors` are new. Raises Refused, naming the code, for a row that no longer fits what the register holds."""
    actor.require(RegistryPermission.MANAGE)
    return _store(rows, lists, actor, at, {"batch": batch_id})


def store_confirmed(*, pending: PendingMatch, actor: Actor, at: datetime) -> None:
    """Store what a matched row tells about its subject, but for its name, street and address: those only said who was meant.

    In the caller's transaction, on the permission of whoever sent the list.
    """
    if pending.subject is None or pending.premises is None:
        raise ValueError("not matched")
    told = SubjectRow.from_json({**pending.payload, "code": ""})
    row = row_about(told, pending.subject.code, pending.premises.number)
    _store([row], Lists.load(), actor, at, {"match": pending.pk})


def _store(
    rows: Sequence[SubjectRow], lists: Lists, actor: Actor, at: datetime, source: dict[str, Any]
) -> dict[str, int]:
    codes = sorted({row.code for row in rows})
    subjects = {each.code: each for each in Subject.objects.select_for_update().filter(code__in=codes).order_by("pk")}
    doors: dict[int, list[Premises]] = defaultdict(list)
    for door in Premises.objects.filter(subject__in=subjects.values()).select_related("street").order_by("pk"):
        doors[door.subject_id].append(door)
    carried = carried_scenes(list(subjects.values()))
    work = _Work()
    _create_missing(rows, subjects, lists, at, work)
    fresh = {subject.pk for subject in work.created}
    for row in rows:
        subject = subjects[row.code]
        is_new = subject.pk in fresh and not doors[subject.pk]
        if is_new:
            subject_known, scenes = None, set(row.scenes or ())
        else:
            subject_known, scenes = subject, carried.get(subject.pk, set(row.scenes or ()))
        difference = compare(row, subject_known, doors[subject.pk], scenes, lists)
        if difference.problems:
            raise Refused(_refusal(row, difference.problems[0]))
        _gather(subject, difference, doors[subject.pk], lists, work, at)
    _write(work, lists, actor, at, source)
    return {"created": len(work.created), "updated": len(work.columns), "doors": len(work.new_doors)}


def carried_scenes(subjects: Sequence[Subject]) -> dict[int, set[str]]:
    """Codes of the scenes that each subject carries; every subject has a key. One query."""
    found: dict[int, set[str]] = {subject.pk: set() for subject in subjects}
    links = Subject.scenes.through.objects.filter(subject__in=found)
    for subject_id, code in links.values_list("subject_id", "scene__code"):
        found[subject_id].add(code)
    return found


def _create_missing(
    rows: Sequence[SubjectRow], subjects: dict[str, Subject], lists: Lists, at: datetime, work: _Work
) -> None:
    missing: dict[str, SubjectRow] = {}
    for row in rows:
        if row.code not in subjects:
            missing.setdefault(row.code, row)
    for row in missing.values():
        if problems := compare(row, None, [], (), lists).problems:
            raise Refused(_refusal(row, problems[0]))
    work.created = Subject.objects.bulk_create(
        Subject(
            code=row.code,
            normal_name=normal_name(row.facts["name"]),
            status=row.status or Subject.Status.ACTIVE,
            joint_opt_out=bool(row.joint_opt_out),
            updated_at=at,
            **row.facts,
        )
        for row in missing.values()
    )
    title = _("录入主体库（批量导入）")
    for subject, row in zip(work.created, missing.values(), strict=True):
        subjects[row.code] = subject
        work.scenes[subject.pk] = row.scenes or []
        work.lines.append(TimelineEntry(subject=subject, at=at, kind="registry.registered", title=title))


def _gather(
    subject: Subject, found: Difference, doors: list[Premises], lists: Lists, work: _Work, at: datetime
) -> None:
    if found.nothing:
        return
    if found.new_door is not None:
        door = Premises(subject=subject, **door_columns(found.new_door, lists))
        work.new_doors.append(door)
        doors.append(door)
    if not found.told:
        return  # a new subject with its first door: told as registered
    for key, value in found.facts.items():
        setattr(subject, key, value)
    if "name" in found.facts:
        subject.normal_name = normal_name(subject.name)
    if found.joint_opt_out is not None:
        subject.joint_opt_out = found.joint_opt_out
        work.joint[subject.pk] = subject
    if found.scenes is not None:
        work.scenes[subject.pk] = found.scenes
    if found.move is not None:
        work.moves[found.move][subject.pk] = subject
    if found.door is not None and found.door_changes:
        for key, value in door_columns(found.door_changes, lists).items():
            setattr(found.door, key, value)
        if found.door.pk:
            work.doors[found.door.pk] = found.door
        if found.door_changes.get("is_open") is False:
            work.shut.append(found.door)
    subject.updated_at = at
    work.changed[subject.pk] = subject
    work.columns[subject.pk].update(found.told)
    title = _("；").join(f"{_column(key)}{_('：')}{old} → {new}" for key, (old, new) in found.told.items())
    work.lines.append(TimelineEntry(subject=subject, premises=None, at=at, kind="registry.updated", title=title[:200]))


def _refusal(row: SubjectRow, problem: tuple[str, str, str]) -> str:
    _key, reason, mend = problem
    return _("%(code)s：%(reason)s%(mend)s") % {"code": row.code, "reason": reason, "mend": mend}


def _column(key: str) -> str:
    door = {DOOR_COLUMNS.get(each, each): each for each in DOOR}
    return label(Premises, door[key]) if key in door else label(Subject, key)


def _write(work: _Work, lists: Lists, actor: Actor, at: datetime, source: dict[str, Any]) -> None:
    Subject.objects.bulk_update(work.changed.values(), FACTS, batch_size=400)
    Premises.objects.bulk_create(work.new_doors)
    Premises.objects.bulk_update(work.doors.values(), DOOR, batch_size=400)
    link = Subject.scenes.through
    link.objects.filter(subject__in=[pk for pk in work.scenes if pk in work.changed]).delete()
    link.objects.bulk_create(
        link(subject_id=pk, scene_id=lists.scenes[code].pk) for pk, codes in work.scenes.items() for code in codes
    )
    for move, subjects in work.moves.items():
        closing = [each for each in subjects.values() if each.status in OPEN and SUBJECT[move].target not in OPEN]
        advance_many(SUBJECT, list(subjects.values()), move, actor=actor, at=at, **source)
        for subject in closing:
            subject.status = SUBJECT[move].target
            publish_closed(subject, at)
    TimelineEntry.objects.bulk_create(work.lines)
    record_many("registry.subject_registered", work.created, actor=actor, at=at, **source)
    alike: dict[tuple[str, ...], list[Subject]] = defaultdict(list)
    for pk, columns in work.columns.items():
        alike[tuple(sorted(columns))].append(work.changed[pk])
    for fields, same in alike.items():
        record_many("registry.subject_updated", same, actor=actor, at=at, fields=list(fields), **source)
    for subject in work.joint.values():
        publish("registry.joint_choice_changed", at=at, subject_id=subject.pk, opted_out=subject.joint_opt_out)
    for door in work.shut:
        publish("registry.premises_closed", at=at, premises_id=door.pk, subject_id=door.subject_id)
