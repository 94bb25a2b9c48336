from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from xiezhi.domains.registry import facts
from xiezhi.domains.registry.differences import CHOICES, label, word
from xiezhi.domains.registry.facts import PremisesFacts
from xiezhi.domains.registry.matching import normal_name
from xiezhi.domains.registry.models import Scene, Subject
from xiezhi.domains.registry.permissions import RegistryPermission
from xiezhi.domains.registry.services.premises import create_premises
from xiezhi.domains.registry.services.timeline import add_to_timeline
from xiezhi.domains.registry.workflow import SUBJECT, move_between
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.events.services import publish
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale
from xiezhi.foundation.workflow.services import advance

CHANGEABLE = ("name", "kind", "industry", "credit_class", "risk_class")


@transaction.atomic
def register_subject(
    *,
    code: str,
    name: str,
    premises: PremisesFacts,
    kind: str = Subject.Kind.COMPANY,
    industry: str = "",
    credit_class: str = "",
    risk_class: str = "",
    status: str = Subject.Status.ACTIVE,
    joint_opt_out: bool = False,
    scenes: Iterable[Scene] = (),
    actor: Actor,
    at: datetime,
) -> Subject:
    """Add a subject with its first premises. Raises BadFact for a fact that cannot be stored, Refused for a code already there."""
    actor.require(RegistryPermission.MANAGE)
    code = facts.clean_code(code)
    there = _("统一社会信用代码 %(code)s 已经在库里，请搜索后修改原记录。") % {"code": code}
    if Subject.objects.filter(code=code).exists():
        raise Refused(there)
    values = clean_facts({"name": name, "kind": kind, "industry": industry, "status": status})
    values |= clean_facts({"credit_class": credit_class, "risk_class": risk_class})
    values |= {"normal_name": normal_name(values["name"]), "joint_opt_out": joint_opt_out, "updated_at": at}
    try:
        with transaction.atomic():
            subject = Subject.objects.create(code=code, **values)
    except IntegrityError as error:  # somebody registered the same one at the same moment
        raise Refused(there) from error
    subject.scenes.set(scenes)
    create_premises(subject, premises)
    record("registry.subject_registered", subject, actor=actor, at=at, code=code)
    add_to_timeline(subject=subject, kind="registry.registered", title=_("录入主体库"), at=at)
    return subject


@transaction.atomic
def update_subject(
    *,
    subject: Subject,
    changes: Mapping[str, Any],
    scenes: Iterable[Scene] | None = None,
    actor: Actor,
    at: datetime,
    seen_at: datetime | None = None,
) -> Subject:
    """Change facts (`name`, `kind`, `industry`, `credit_class`, `risk_class`) and, unless None, the scenes.

    Returns the saved row; what stays the same is neither written nor told. Raises BadFact, and Stale when the subject was changed
    after `seen_at` (its `updated_at` on the person's page).
    """
    actor.require(RegistryPermission.MANAGE)
    locked = lock_subject(subject, seen_at)
    if strange := set(changes) - set(CHANGEABLE):
        raise ValueError(f"not a fact that can be changed: {sorted(strange)}")
    values = {key: value for key, value in clean_facts(changes).items() if getattr(locked, key) != value}
    told = [tell_change(locked, key, value) for key, value in values.items()]
    if "name" in values:
        values["normal_name"] = normal_name(values["name"])
    changed = sorted(set(values) - {"normal_name"})
    if scenes is not None:
        wanted = {scene.pk: scene for scene in scenes}
        if set(locked.scenes.values_list("pk", flat=True)) != set(wanted):
            locked.scenes.set(wanted)
            changed.append("scenes")
            names = _("、").join(scene.name for scene in wanted.values())
            told.append(_("场景改为：%(names)s") % {"names": names or _("无")})
    if not changed:
        return locked
    for key, value in values.items():
        setattr(locked, key, value)
    locked.updated_at = at
    locked.save(update_fields=[*values, "updated_at"])
    record("registry.subject_updated", locked, actor=actor, at=at, fields=changed)
    add_to_timeline(subject=locked, kind="registry.updated", title=_("；").join(told), at=at)
    return locked


@transaction.atomic
def change_status(
    *, subject: Subject, move: str, actor: Actor, at: datetime, reason: str = "", seen_status: str | None = None
) -> Subject:
    """Make one `move` of the subject's transition table. Publishes `registry.subject_closed` when nobody is left to inspect.

    Raises what `advance` raises: Stale, AlreadyDone, PermissionRefused, Refused.
    """
    before = subject.status
    moved = advance(SUBJECT, subject, move, actor=actor, at=at, reason=reason, seen_status=seen_status)
    title = _("状态改为“%(status)s”：%(reason)s") if reason.strip() else _("状态改为“%(status)s”")
    add_to_timeline(
        subject=moved,
        kind=f"registry.{moved.status}",
        title=title % {"status": moved.get_status_display(), "reason": reason.strip()},
        at=at,
    )
    if not moved.is_open and before in {Subject.Status.ACTIVE, Subject.Status.SUSPENDED}:
        publish_closed(moved, at)
    return moved


def close_subject(
    *, subject: Subject, status: str, reason: str, actor: Actor, at: datetime, seen_status: str | None = None
) -> Subject:
    """Record that a subject is deregistered, revoked or moved out (`status`), by the same table as `change_status`.

    Raises AlreadyDone when it has that status already, Refused when `status` is none of the three or the table has no such move.
    """
    move = move_between(subject.status, status)
    if subject.status == status:
        raise AlreadyDone(_("已经是“%(status)s”。") % {"status": Subject.Status(status).label})
    if move is None or status in {Subject.Status.ACTIVE, Subject.Status.SUSPENDED}:
        raise Refused(_("不能从“%(status)s”改为这个状态。") % {"status": subject.get_status_display()})
    return change_status(subject=subject, move=move, actor=actor, at=at, reason=reason, seen_status=seen_status)


@transaction.atomic
def set_joint_choice(*, subject: Subject, opted_out: bool, actor: Actor, at: datetime, reason: str = "") -> Subject:
    """Note that the subject does not (or again does) take part in joint visits (R08). Raises AlreadyDone when it is so already."""
    actor.require(RegistryPermission.MANAGE)
    locked = lock_subject(subject)
    title = _("选择不参加联合检查") if opted_out else _("重新参加联合检查")
    if locked.joint_opt_out == opted_out:
        raise AlreadyDone(_("已经登记：%(title)s。") % {"title": title})
    locked.joint_opt_out, locked.updated_at = opted_out, at
    locked.save(update_fields=["joint_opt_out", "updated_at"])
    record("registry.joint_choice_changed", locked, actor=actor, at=at, opted_out=opted_out)
    told = _("%(title)s：%(reason)s") % {"title": title, "reason": reason.strip()} if reason.strip() else title
    add_to_timeline(subject=locked, kind="registry.joint_choice", title=told, at=at)
    publish("registry.joint_choice_changed", at=at, subject_id=locked.pk, opted_out=opted_out)
    return locked


def publish_closed(subject: Subject, at: datetime) -> None:
    """Tell the other rooms that there is nobody left to inspect."""
    publish("registry.subject_closed", at=at, subject_id=subject.pk, code=subject.code, status=subject.status)


def lock_subject(subject: Subject, seen_at: datetime | None = None) -> Subject:
    """The row, locked. Raises Stale when it was changed after `seen_at`."""
    locked = Subject.objects.select_for_update().get(pk=subject.pk)
    if seen_at is not None and locked.updated_at != seen_at:
        raise Stale(_("这家主体刚刚被他人修改过。请重新打开这一页，在最新内容上再改一次。"))
    return locked


def clean_facts(given: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as stored. Raises BadFact for the first that cannot be."""
    values: dict[str, Any] = dict(given)
    if "name" in values:
        values["name"] = facts.clean_name(values["name"])
    if "industry" in values:
        values["industry"] = facts.clean_industry(values["industry"])
    for field, choices in CHOICES.items():
        optional = field in {"credit_class", "risk_class"}
        if field in values and values[field] not in choices.values and not (optional and not values[field]):
            labels = _("、").join(str(label) for label in choices.labels)
            raise facts.BadFact(field, _("没有这个选项。"), _("可选：%(labels)s。") % {"labels": labels})
    return values


def tell_change(subject: Subject, field: str, value: str) -> str:
    """`名称：旧 → 新`, with the words of choices."""
    return f"{label(Subject, field)}{_('：')}{word(field, getattr(subject, field))} → {word(field, value)}"
