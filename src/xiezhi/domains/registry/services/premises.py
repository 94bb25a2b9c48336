from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.domains.registry import facts
from xiezhi.domains.registry.differences import label
from xiezhi.domains.registry.facts import BadFact, PremisesFacts
from xiezhi.domains.registry.models import Premises, Subject
from xiezhi.domains.registry.permissions import RegistryPermission
from xiezhi.domains.registry.services.timeline import add_to_timeline
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.events.services import publish
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.errors import Refused, Stale


@transaction.atomic
def register_premises(*, subject: Subject, premises: PremisesFacts, actor: Actor, at: datetime) -> Premises:
    """Add a door to a subject. Raises BadFact, and Refused for a number that the subject has already."""
    actor.require(RegistryPermission.MANAGE)
    locked = _lock(subject, None)
    if locked.premises.filter(number=premises.number).exists():
        raise Refused(_("这家主体已经有编号 %(number)s 的场所，请换一个编号。") % {"number": premises.number})
    made = create_premises(locked, premises)
    _touch(locked, at)
    record("registry.premises_registered", made, actor=actor, at=at, subject=locked.pk, number=made.number)
    add_to_timeline(
        subject=locked, premises=made, kind="registry.premises", title=_("新增场所：%(p)s") % {"p": made}, at=at
    )
    return made


@transaction.atomic
def update_premises(
    *, premises: Premises, to: PremisesFacts, actor: Actor, at: datetime, seen_at: datetime | None = None
) -> Premises:
    """Make the premises what `to` says. Publishes `registry.premises_closed` when the door closes.

    `seen_at`: the subject's `updated_at` on the person's page. Raises BadFact, Stale, and Refused for a number of another door.
    """
    actor.require(RegistryPermission.MANAGE)
    subject = _lock(premises.subject, seen_at)
    locked = Premises.objects.select_for_update(of=("self",)).get(pk=premises.pk)
    values = _columns(clean_premises(to))
    changed = [key for key, value in values.items() if getattr(locked, key) != value]
    if not changed:
        return locked
    if "number" in changed and subject.premises.filter(number=to.number).exists():
        raise Refused(_("这家主体已经有编号 %(number)s 的场所，请换一个编号。") % {"number": to.number})
    for key in changed:
        setattr(locked, key, values[key])
    locked.save(update_fields=changed)
    _touch(subject, at)
    record("registry.premises_updated", locked, actor=actor, at=at, subject=subject.pk, fields=sorted(changed))
    labels = _("、").join(label(Premises, key) for key in changed)
    title = _("场所“%(premises)s”更新：%(labels)s") % {"premises": locked, "labels": labels}
    if "is_open" in changed:
        title = _("场所“%(premises)s”恢复营业") if locked.is_open else _("场所“%(premises)s”停止营业")
        title %= {"premises": locked}
    add_to_timeline(subject=subject, premises=locked, kind="registry.premises", title=title, at=at)
    if "is_open" in changed and not locked.is_open:
        publish("registry.premises_closed", at=at, premises_id=locked.pk, subject_id=subject.pk)
    return locked


def create_premises(subject: Subject, premises: PremisesFacts) -> Premises:
    """Insert a door, in the caller's transaction and on the caller's permission. Raises BadFact."""
    return Premises.objects.create(subject=subject, **_columns(clean_premises(premises)))


def clean_premises(given: PremisesFacts) -> PremisesFacts:
    """The same facts as stored. Raises BadFact for the first that cannot be."""
    number = facts.folded(given.number)
    if not number or len(number) > 20:
        raise BadFact("number", _("场所编号应为 1 至 20 个字符。"), _("请写 1、2 …… 或部门自己的编号。"))
    if given.street.kind != Organisation.Kind.STREET:
        raise BadFact("street", _("“%(name)s”不是街道。") % {"name": given.street}, _("请从街道名单里选。"))
    facts.check_pair(given.longitude, given.latitude)
    return replace(
        given,
        number=number,
        name=facts.clean_name(given.name, field="premises_name") if given.name.strip() else "",
        address=facts.clean_name(given.address, field="address", most=200),
        closed_weekdays=facts.clean_weekdays(given.closed_weekdays),
        longitude=_degrees(given.longitude, "longitude"),
        latitude=_degrees(given.latitude, "latitude"),
    )


def _degrees(value: Any, field: str) -> Any:
    return None if value is None else facts.clean_coordinate(str(value), field)


def _columns(given: PremisesFacts) -> dict[str, Any]:
    return {**asdict(replace(given, street=None)), "street": given.street}  # type: ignore[arg-type]


def _lock(subject: Subject, seen_at: datetime | None) -> Subject:
    locked = Subject.objects.select_for_update().get(pk=subject.pk)
    if seen_at is not None and locked.updated_at != seen_at:
        raise Stale(_("这家主体刚刚被他人修改过。请重新打开这一页，在最新内容上再改一次。"))
    return locked


def _touch(subject: Subject, at: datetime) -> None:
    subject.updated_at = at
    subject.save(update_fields=["updated_at"])
