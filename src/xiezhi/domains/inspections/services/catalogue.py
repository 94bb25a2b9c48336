"""The published list of items (检查事项清单), version by version. What is not in it may not be checked (清单之外无检查, R01)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import CatalogueItem, Check, FormLine, IncompatiblePair, ItemVersion
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.services.checks import cancel_checks
from xiezhi.domains.inspections.workflow import CheckStatus
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.errors import Refused

UNPLANNED = (CheckStatus.OFF_SITE_FIRST, CheckStatus.WAITING)


@dataclass(frozen=True)
class Line:
    """One line of the check form: what is looked at, and what counts as in order."""

    content: str
    standard: str = ""


@dataclass(frozen=True)
class Wording:
    """Everything that one version of an item says. Field names are `ItemVersion`'s."""

    name: str
    legal_basis: str
    minutes: int
    category: str = ItemVersion.Category.GENERAL.value
    field: str = ""
    subject_kind: str = ""
    assisting: str = ""
    level: str = ""
    content: str = ""
    method: str = ItemVersion.Method.ON_SITE.value
    off_site_possible: bool = False
    safety: bool = False
    annual_cap: int | None = None
    contact: str = ""
    lines: tuple[Line, ...] = ()


WORDING_FIELDS = tuple(each.name for each in fields(Wording) if each.name != "lines")


def wording_of(version: ItemVersion) -> Wording:
    """What `version` says; two queries at most."""
    lines = tuple(Line(each.content, each.standard) for each in sorted(version.form_lines.all(), key=_by_position))
    return Wording(**{name: getattr(version, name) for name in WORDING_FIELDS}, lines=lines)


def _by_position(line: FormLine) -> int:
    return line.position


def require_own_catalogue(department: Organisation, actor: Actor) -> None:
    """Raise PermissionRefused unless `actor` keeps the catalogue of `department`."""
    actor.require(May.MANAGE_CATALOGUE)
    if not actor.district_wide and actor.department_id != department.pk:
        raise PermissionRefused(_("只能维护本部门的检查事项。"))


@transaction.atomic
def publish_version(
    *, code: str, department: Organisation, wording: Wording, effective_from: date, actor: Actor, at: datetime
) -> tuple[ItemVersion, bool]:
    """Publish what item `code` says from `effective_from` on; returns (version in the list, whether it is new).

    The same wording again changes nothing. A new wording closes the version before it on the day before. Checks that wait and may only
    begin under the new version move to it. Raises Refused when the code is another department's, the new version does not start later
    than the last one, or something was already checked under the old wording on or after that day.
    """
    require_own_catalogue(department, actor)
    if not department.qualified:
        raise Refused(_("“%(department)s”没有行政检查主体资格，不能设置检查事项（R01）。") % {"department": department})
    item = _locked_item(code, department, actor=actor, at=at)
    last = item.versions.order_by("-version").prefetch_related("form_lines").first()
    if last and last.effective_to is None and wording_of(last) == wording:
        return last, False
    if last:
        _close(last, effective_from)
    version = ItemVersion.objects.create(
        item=item,
        version=last.version + 1 if last else 1,
        effective_from=effective_from,
        **{name: value for name, value in asdict(wording).items() if name != "lines"},
    )
    FormLine.objects.bulk_create(
        FormLine(version=version, position=position, content=line.content, standard=line.standard)
        for position, line in enumerate(wording.lines, start=1)
    )
    moved = _move_waiting_checks(version)
    record(
        "inspections.item.published",
        version,
        actor=actor,
        at=at,
        code=code,
        version=version.version,
        checks_moved=moved,
    )
    return version, True


def _locked_item(code: str, department: Organisation, *, actor: Actor, at: datetime) -> CatalogueItem:
    CatalogueItem.objects.bulk_create([CatalogueItem(code=code, department=department)], ignore_conflicts=True)
    item = CatalogueItem.objects.select_for_update(of=("self",)).get(code=code)
    if item.department_id != department.pk:
        raise Refused(
            _("事项代码 %(code)s 已由“%(department)s”使用，请换一个代码。")
            % {"code": code, "department": item.department}
        )
    return item


def version_fault(last: ItemVersion, effective_from: date, last_use: date | None) -> str | None:
    """Why a new wording cannot start on `effective_from`: not after `last`, or behind something done under it on `last_use`."""
    earliest = max(last.effective_from, last.effective_to or last.effective_from) + timedelta(days=1)
    if effective_from < earliest:
        return _("内容与第 %(version)d 版不同，生效日期却没有更晚：最早可以是 %(day)s。") % {
            "version": last.version,
            "day": earliest.isoformat(),
        }
    if last_use and last_use >= effective_from:
        return _("%(day)s 已有按现行版本办结的检查，新版本不能追溯到那一天以前。") % {"day": last_use.isoformat()}
    return None


def _close(last: ItemVersion, effective_from: date) -> None:
    """End `last` on the day before. Raises Refused as `version_fault` says."""
    done = Check.objects.filter(item_version=last).aggregate(last=Max("done_at"))["last"]
    fault = version_fault(last, effective_from, timezone.localdate(done) if done else None)
    if fault:
        raise Refused(fault)
    if last.effective_to is None:
        last.effective_to = effective_from - timedelta(days=1)
        last.save(update_fields=["effective_to"])


def _move_waiting_checks(version: ItemVersion) -> int:
    """Checks that no visit holds and that cannot begin before `version` does are due under it."""
    waiting = Check.objects.filter(
        item_version__item_id=version.item_id, status__in=UNPLANNED, earliest__gte=version.effective_from
    ).exclude(item_version=version)
    return waiting.update(item_version=version, minutes=version.minutes, safety=version.safety)


@transaction.atomic
def end_item(*, item: CatalogueItem, last_day: date, actor: Actor, at: datetime) -> int:
    """Take an item out of the list after `last_day` (取消事项). Returns how many checks are no longer due.

    Checks that begin later are cancelled, those that began in time must be done by `last_day`. Raises Refused when the item is not in
    the list, or a visit after that day still holds a check of it.
    """
    require_own_catalogue(item.department, actor)
    version = item.versions.select_for_update(of=("self",)).filter(effective_to=None).first()
    if version is None or last_day < version.effective_from:
        raise Refused(_("这一事项在 %(day)s 没有生效的版本，无需取消。") % {"day": last_day.isoformat()})
    still = Check.objects.open().filter(item_version=version)
    held = still.filter(visit__on__gt=last_day).select_related("visit").first()
    if held and held.visit:
        raise Refused(
            _("联合检查 %(number)s 在 %(day)s 之后仍有这一事项，请先改期或退出。")
            % {"number": held.visit.number, "day": last_day.isoformat()}
        )
    version.effective_to = last_day
    version.save(update_fields=["effective_to"])
    late = list(still.filter(visit=None, earliest__gt=last_day))
    cancel_checks(checks=late, reason=_("检查事项已取消，清单之外不检查（R01）。"), actor=actor, at=at)
    still.filter(visit=None, latest__gt=last_day).update(latest=last_day)
    record("inspections.item.ended", version, actor=actor, at=at, code=item.code, last_day=last_day.isoformat())
    return len(late)


@transaction.atomic
def keep_apart(
    *, first: CatalogueItem, second: CatalogueItem, reason: str, actor: Actor, at: datetime
) -> tuple[IncompatiblePair, bool]:
    """Say that two items may never be in one visit (不宜同场), and why. Returns (pair, whether it is new).

    One of the two must be the actor's own. Raises Refused for an item with itself, or without a reason.
    """
    if first.pk == second.pk:
        raise Refused(_("一个事项不能与自己不宜同场。"))
    if not reason.strip():
        raise Refused(_("请写明不宜同场的原因。"))
    _require_one_of(first, second, actor)
    one, other = sorted((first, second), key=lambda item: item.pk)
    try:
        with transaction.atomic():
            pair, new = IncompatiblePair.objects.get_or_create(
                first=one, second=other, defaults={"reason": reason.strip()[:200]}
            )
    except IntegrityError:
        pair, new = IncompatiblePair.objects.get(first=one, second=other), False
    if new:
        record("inspections.items.kept_apart", pair, actor=actor, at=at, items=[one.code, other.code])
    return pair, new


@transaction.atomic
def allow_together(*, pair: IncompatiblePair, actor: Actor, at: datetime) -> None:
    """Take a pair back: the two items may be in one visit again."""
    _require_one_of(pair.first, pair.second, actor)
    record("inspections.items.allowed_together", pair, actor=actor, at=at, items=[pair.first.code, pair.second.code])
    pair.delete()


def _require_one_of(first: CatalogueItem, second: CatalogueItem, actor: Actor) -> None:
    actor.require(May.MANAGE_CATALOGUE)
    if not actor.district_wide and actor.department_id not in {first.department_id, second.department_id}:
        raise PermissionRefused(_("两个事项中至少要有一个属于本部门。"))


def incompatible_with(item: CatalogueItem) -> Sequence[IncompatiblePair]:
    """The pairs that `item` is in, both items loaded."""
    pairs = IncompatiblePair.objects.filter(Q(first=item) | Q(second=item))
    return list(pairs.select_related("first__department", "second__department").order_by("pk"))
