from datetime import date, datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from xiezhi.domains.registry.models import Subject, Tenancy
from xiezhi.domains.registry.permissions import RegistryPermission
from xiezhi.domains.registry.services.timeline import add_to_timeline
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.errors import Refused


@transaction.atomic
def register_tenancy(
    *,
    mall: Organisation,
    subject: Subject,
    unit: str,
    starts_on: date,
    ends_on: date | None = None,
    takes_prepayment: bool = False,
    actor: Actor,
    at: datetime,
) -> Tenancy:
    """Note that a subject rents a unit of a mall (租约). Raises Refused for a unit that is let in that time, or reversed dates."""
    actor.require(RegistryPermission.TENANCIES)
    unit = unit.strip()
    if not unit:
        raise Refused(_("请填写铺位。"))
    if ends_on is not None and ends_on < starts_on:
        raise Refused(_("结束日期早于开始日期，请改正。"))
    let = Tenancy.objects.filter(Q(ends_on=None) | Q(ends_on__gte=starts_on), mall=mall, unit=unit)
    if ends_on is not None:
        let = let.filter(starts_on__lte=ends_on)
    if let.exists():
        raise Refused(_("这个铺位在这段时间已经有租约，请核对铺位和日期。"))
    tenancy = Tenancy.objects.create(
        mall=mall,
        subject=subject,
        unit=unit[:40],
        starts_on=starts_on,
        ends_on=ends_on,
        takes_prepayment=takes_prepayment,
    )
    record("registry.tenancy_registered", tenancy, actor=actor, at=at, mall=mall.code)
    title = _("入驻 %(mall)s %(unit)s") % {"mall": mall.name, "unit": unit}
    add_to_timeline(subject=subject, kind="registry.tenancy", title=title, at=at)
    return tenancy


@transaction.atomic
def end_tenancy(*, tenancy: Tenancy, ends_on: date, actor: Actor, at: datetime) -> Tenancy:
    """End a lease on `ends_on` (last day). Raises Refused for a day before it began."""
    actor.require(RegistryPermission.TENANCIES)
    locked = Tenancy.objects.select_for_update(of=("self",)).select_related("subject", "mall").get(pk=tenancy.pk)
    if ends_on < locked.starts_on:
        raise Refused(_("结束日期早于开始日期，请改正。"))
    locked.ends_on = ends_on
    locked.save(update_fields=["ends_on"])
    record("registry.tenancy_ended", locked, actor=actor, at=at, ends_on=ends_on.isoformat())
    title = _("租约到 %(day)s 结束：%(mall)s %(unit)s") % {
        "day": ends_on,
        "mall": locked.mall.name,
        "unit": locked.unit,
    }
    add_to_timeline(subject=locked.subject, kind="registry.tenancy", title=title, at=at)
    return locked
