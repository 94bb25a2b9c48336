from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.orgs.models import Absence, Officer, Organisation, TeamPattern
from xiezhi.foundation.orgs.permissions import OrgsPermission
from xiezhi.foundation.workflow.errors import Refused

ONE_DAY = timedelta(days=1)
KIND_OF_PARENT = {
    Organisation.Kind.DISTRICT: None,
    Organisation.Kind.DEPARTMENT: Organisation.Kind.DISTRICT,
    Organisation.Kind.STREET: Organisation.Kind.DISTRICT,
    Organisation.Kind.STATION: Organisation.Kind.DEPARTMENT,
    Organisation.Kind.ENTERPRISE: Organisation.Kind.DISTRICT,
}
OFFICER_FIELDS = {"name", "station", "certificate_number", "certificate_from", "certificate_to", "is_active", "user"}


@transaction.atomic
def create_organisation(
    *,
    kind: str,
    code: str,
    name: str,
    short_name: str,
    parent: Organisation | None = None,
    street: Organisation | None = None,
    qualified: bool = False,
    actor: Actor,
    at: datetime,
) -> Organisation:
    """Add an organisation. `qualified`: it may inspect (R01).

    Raises Refused for a code or name that is taken, a parent of the wrong kind, and a station without the street it works in.
    """
    actor.require(OrgsPermission.MANAGE_ORGANISATIONS)
    if not actor.district_wide:
        raise PermissionRefused(_("机构由区级管理员设立。"))
    organisation = Organisation(
        kind=kind, code=code, name=name, short_name=short_name, parent=parent, street=street, qualified=qualified
    )
    _clean(organisation)
    wanted = KIND_OF_PARENT[Organisation.Kind(kind)]
    if (parent.kind if parent else None) != wanted:
        label = wanted.label if wanted else _("（无）")
        raise Refused(_("“%(name)s”的上级应是：%(kind)s。") % {"name": name, "kind": label})
    if kind == Organisation.Kind.STATION and (street is None or street.kind != Organisation.Kind.STREET):
        raise Refused(_("请选择“%(name)s”所在的街道。") % {"name": name})
    organisation.save()
    record("orgs.organisation_created", organisation, actor=actor, at=at, code=code, kind=kind)
    return organisation


@transaction.atomic
def rename_organisation(
    *, organisation: Organisation, name: str, short_name: str, qualified: bool, actor: Actor, at: datetime
) -> Organisation:
    """Change names and whether the organisation may inspect (R01); its code, kind and place stay. Raises Refused for a taken name."""
    actor.require(OrgsPermission.MANAGE_ORGANISATIONS)
    locked = Organisation.objects.select_for_update(of=("self",)).get(pk=organisation.pk)
    locked.name, locked.short_name, locked.qualified = name, short_name, qualified
    _clean(locked)
    locked.save(update_fields=["name", "short_name", "qualified"])
    record("orgs.organisation_renamed", locked, actor=actor, at=at, qualified=qualified)
    return locked


@transaction.atomic
def certify_officer(
    *,
    name: str,
    department: Organisation,
    certificate_number: str,
    certificate_from: date,
    certificate_to: date,
    station: Organisation | None = None,
    user: User | None = None,
    actor: Actor,
    at: datetime,
) -> Officer:
    """Enter an officer with their certificate (执法证). Raises Refused for a number that is taken, reversed dates or a station of
    another department; PermissionRefused for another department's officer."""
    actor.require(OrgsPermission.MANAGE_OFFICERS)
    _own_department(department, actor)
    officer = Officer(
        name=name,
        department=department,
        station=station,
        certificate_number=certificate_number,
        certificate_from=certificate_from,
        certificate_to=certificate_to,
        user=user,
    )
    _check_officer(officer)
    officer.save()
    record("orgs.officer_certified", officer, actor=actor, at=at, department=department.code)
    return officer


@transaction.atomic
def update_officer(*, officer: Officer, actor: Actor, at: datetime, **changes: Any) -> Officer:
    """Change an officer's name, station, certificate, account or whether they are in service; the department stays. As `certify_officer`."""
    actor.require(OrgsPermission.MANAGE_OFFICERS)
    unknown = changes.keys() - OFFICER_FIELDS
    if unknown:
        raise TypeError(f"update_officer() cannot change {sorted(unknown)}")
    locked = Officer.objects.select_for_update(of=("self",)).select_related("department").get(pk=officer.pk)
    _own_department(locked.department, actor)
    for field, value in changes.items():
        setattr(locked, field, value)
    _check_officer(locked)
    if changes:
        locked.save(update_fields=list(changes))
        record("orgs.officer_updated", locked, actor=actor, at=at, fields=sorted(changes))
    return locked


def _check_officer(officer: Officer) -> None:
    if officer.department.kind != Organisation.Kind.DEPARTMENT:
        raise Refused(_("执法人员应归属一个部门。"))
    if officer.station and officer.station.parent_id != officer.department_id:
        raise Refused(
            _("“%(station)s”不属于“%(department)s”。") % {"station": officer.station, "department": officer.department}
        )
    _in_order(officer.certificate_from, officer.certificate_to)
    _clean(officer)


@transaction.atomic
def set_team_pattern(
    *,
    department: Organisation,
    street: Organisation | None = None,
    weekdays: str,
    teams: int,
    minutes_per_team: int,
    starts_on: date,
    ends_on: date | None = None,
    actor: Actor,
    at: datetime,
) -> TeamPattern:
    """Let `teams` teams of a pool work on `weekdays` (ISO digits, "12345") from `starts_on`.

    An earlier pattern of the same pool and weekdays ends the day before. Raises Refused when some of the weekdays are already
    covered by another pattern that this one does not simply follow, for reversed dates, unknown weekdays, a street that is none.
    """
    actor.require(OrgsPermission.MANAGE_CAPACITY)
    _own_department(department, actor)
    _check_pool(department, street)
    pattern = TeamPattern(
        department=department,
        street=street,
        weekdays="".join(sorted(set(weekdays))),
        teams=teams,
        minutes_per_team=minutes_per_team,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    _in_order(starts_on, ends_on)
    _clean(pattern)
    _lock_department(department)
    for earlier in _overlapping(TeamPattern.objects.all(), department, street, starts_on, ends_on):
        if not set(earlier.weekdays) & set(pattern.weekdays):
            continue
        if earlier.weekdays != pattern.weekdays or earlier.starts_on >= starts_on:
            raise Refused(
                _("星期 %(weekdays)s 自 %(day)s 起已有排班（%(teams)s 队），请先结束那一条。")
                % {"weekdays": earlier.weekdays, "day": earlier.starts_on, "teams": earlier.teams}
            )
        earlier.ends_on = starts_on - ONE_DAY
        earlier.save(update_fields=["ends_on"])
        record("orgs.team_pattern_ended", earlier, actor=actor, at=at, ends_on=earlier.ends_on.isoformat())
    pattern.save()
    record(
        "orgs.team_pattern_set",
        pattern,
        actor=actor,
        at=at,
        department=department.code,
        street=street.code if street else "",
        weekdays=pattern.weekdays,
        teams=teams,
        minutes_per_team=minutes_per_team,
        starts_on=starts_on.isoformat(),
    )
    return pattern


@transaction.atomic
def end_team_pattern(*, pattern: TeamPattern, ends_on: date, actor: Actor, at: datetime) -> TeamPattern:
    """Let `ends_on` be the pattern's last day. Raises Refused before its first day and after an end that it already has."""
    actor.require(OrgsPermission.MANAGE_CAPACITY)
    locked = TeamPattern.objects.select_for_update(of=("self",)).select_related("department").get(pk=pattern.pk)
    _own_department(locked.department, actor)
    _in_order(locked.starts_on, ends_on)
    if locked.ends_on and ends_on > locked.ends_on:
        raise Refused(_("这条排班到 %(day)s 已经结束，要延长请另设一条。") % {"day": locked.ends_on})
    locked.ends_on = ends_on
    locked.save(update_fields=["ends_on"])
    record("orgs.team_pattern_ended", locked, actor=actor, at=at, ends_on=ends_on.isoformat())
    return locked


@transaction.atomic
def record_absence(
    *,
    department: Organisation,
    street: Organisation | None = None,
    starts_on: date,
    ends_on: date,
    teams: int,
    reason: str,
    actor: Actor,
    at: datetime,
) -> Absence:
    """Take `teams` teams out of a pool from `starts_on` to `ends_on` (inclusive).

    Raises Refused when the pool has no pattern in these days or never so many teams, for reversed dates and without a reason.
    """
    actor.require(OrgsPermission.MANAGE_CAPACITY)
    _own_department(department, actor)
    _check_pool(department, street)
    absence = Absence(
        department=department, street=street, starts_on=starts_on, ends_on=ends_on, teams=teams, reason=reason.strip()
    )
    _in_order(starts_on, ends_on)
    _clean(absence)
    most = _overlapping(TeamPattern.objects.all(), department, street, starts_on, ends_on).aggregate(
        models.Max("teams")
    )["teams__max"]
    if most is None:
        raise Refused(_("这些日子没有排班，无需登记缺勤；请核对街道和日期。"))
    if teams > most:
        raise Refused(_("这些日子最多排了 %(most)s 队，不能减少 %(teams)s 队。") % {"most": most, "teams": teams})
    absence.save()
    record(
        "orgs.absence_recorded",
        absence,
        actor=actor,
        at=at,
        department=department.code,
        street=street.code if street else "",
        teams=teams,
        starts_on=starts_on.isoformat(),
        ends_on=ends_on.isoformat(),
    )
    return absence


@transaction.atomic
def cancel_absence(*, absence: Absence, actor: Actor, at: datetime) -> None:
    """Give the teams back from today on: an absence that has begun ends yesterday, one to come is removed. Refused when it is over."""
    actor.require(OrgsPermission.MANAGE_CAPACITY)
    today = timezone.localdate(at)
    locked = Absence.objects.select_for_update(of=("self",)).select_related("department").filter(pk=absence.pk).first()
    if locked is None:
        raise Refused(_("这条缺勤已经取消。"))
    _own_department(locked.department, actor)
    if locked.ends_on < today:
        raise Refused(_("这条缺勤到 %(day)s 已经结束。") % {"day": locked.ends_on})
    record("orgs.absence_cancelled", locked, actor=actor, at=at, was_until=locked.ends_on.isoformat())
    if locked.starts_on < today:
        locked.ends_on = today - ONE_DAY
        locked.save(update_fields=["ends_on"])
    else:
        locked.delete()


def _own_department(department: Organisation, actor: Actor) -> None:
    if not actor.district_wide and department.pk != actor.department_id:
        raise PermissionRefused(_("这是其他部门的内容，请由该部门办理。"))


def _check_pool(department: Organisation, street: Organisation | None) -> None:
    if department.kind != Organisation.Kind.DEPARTMENT:
        raise Refused(_("力量归部门所有，“%(name)s”不是部门。") % {"name": department})
    if street is not None and street.kind != Organisation.Kind.STREET:
        raise Refused(_("“%(name)s”不是街道。") % {"name": street})


def _overlapping(
    patterns: models.QuerySet[TeamPattern],
    department: Organisation,
    street: Organisation | None,
    starts_on: date,
    ends_on: date | None,
) -> models.QuerySet[TeamPattern]:
    found = patterns.filter(Q(ends_on=None) | Q(ends_on__gte=starts_on), department=department, street=street)
    return found.filter(starts_on__lte=ends_on) if ends_on else found


def _lock_department(department: Organisation) -> None:
    """Two people setting patterns of one department at once take turns: a pattern that does not exist yet can't be locked."""
    Organisation.objects.select_for_update(of=("self",)).get(pk=department.pk)


def _in_order(first: date, last: date | None) -> None:
    if last and last < first:
        raise Refused(_("结束日期早于开始日期，请改正。"))


def _clean(row: models.Model) -> None:
    """The model's own field checks and unique columns; every fault in one message, each with the name of its field."""
    try:
        row.full_clean(validate_constraints=False)
    except ValidationError as error:
        labels = {field.name: field.verbose_name for field in row._meta.fields}
        faults = [
            f"{labels[name]}{_('：')}{message}" if name in labels else message
            for name, messages in error.message_dict.items()
            for message in messages
        ]
        raise Refused(" ".join(faults)) from None
