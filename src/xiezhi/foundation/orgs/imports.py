"""Sheets about people and time: officers with certificates, teams with weekly patterns."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.imports.columns import Column, code, day, integer, lookup, lookup_table, text
from xiezhi.foundation.imports.specs import CheckedRow, ImportContext, ImportSpec, Outcome, Row
from xiezhi.foundation.orgs.models import Officer, Organisation, TeamPattern
from xiezhi.foundation.orgs.permissions import OrgsPermission
from xiezhi.foundation.orgs.services import certify_officer, set_team_pattern, update_officer

Kind = Organisation.Kind


def _load(context: ImportContext) -> None:
    found = Organisation.objects.all()
    context.tables["departments"] = lookup_table(found.filter(kind=Kind.DEPARTMENT), "name", "short_name", "code")
    context.tables["streets"] = lookup_table(found.filter(kind=Kind.STREET), "name", "short_name", "code")
    context.tables["stations"] = lookup_table(found.filter(kind=Kind.STATION), "name", "short_name", "code")


def _own(row: Row, context: ImportContext) -> bool:
    """Whether the row is about a department the actor may act for; refuses it otherwise."""
    if context.actor.district_wide or row["department"].pk == context.actor.department_id:
        return True
    row.refuse("department", _("这是其他部门的内容。"), _("只填本部门的行，其余由该部门自己导入。"))
    return False


DEPARTMENT = Column("department", _("部门"), lookup("departments", what=_("部门")), required=True, example="市场监管")


class OfficerImport(ImportSpec):
    """执法人员名册: one row an officer, known by the certificate number."""

    key = "orgs.officers"
    title = _("执法人员")
    description = _("姓名、部门、执法证号与有效期。证号相同视为同一人，重复导入不会重复登记。")
    permission = OrgsPermission.MANAGE_OFFICERS
    columns = (
        Column("number", _("执法证号"), code(r"[0-9A-Z-]{4,30}", what=_("执法证号")), required=True, example="YS-0001"),
        Column("name", _("姓名"), text(60), required=True, example="演示张某"),
        DEPARTMENT,
        Column("station", _("所"), lookup("stations", what=_("所")), aliases=("派出机构",)),
        Column("valid_from", _("有效期起"), day(), required=True, example=date(2026, 1, 1)),
        Column("valid_to", _("有效期止"), day(), required=True, example=date(2028, 12, 31)),
    )
    identity = ("number",)
    done_url_name = "orgs:officers"

    def prepare(self, context: ImportContext) -> None:
        _load(context)

    def check_chunk(self, rows: Sequence[Row], context: ImportContext) -> None:
        known = Officer.objects.in_bulk([row["number"] for row in rows], field_name="certificate_number")
        for row in rows:
            if not _own(row, context):
                continue
            if row["valid_to"] < row["valid_from"]:
                row.refuse("valid_to", _("有效期止早于有效期起。"), _("请对调或改正日期。"))
            if row["station"] and row["station"].parent_id != row["department"].pk:
                row.refuse("station", _("这个所不属于所填部门。"), _("请核对部门或所。"))
            officer = known.get(row["number"])
            if officer and officer.department_id != row["department"].pk:
                row.refuse("number", _("这个证号已登记在其他部门。"), _("请核对证号；调动人员请换发新证后登记。"))
            elif officer is None:
                row.settle(Outcome.NEW, _officer_values(row))
            else:
                changes = _changes(officer, row)
                row.settle(Outcome.CHANGED if changes else Outcome.UNCHANGED, _officer_values(row), changes=changes)

    def apply_chunk(self, rows: Sequence[CheckedRow], context: ImportContext) -> Mapping[str, int] | None:
        known = Officer.objects.in_bulk([row.clean["number"] for row in rows], field_name="certificate_number")
        departments = Organisation.objects.in_bulk([row.clean["department"] for row in rows])
        stations = Organisation.objects.in_bulk([row.clean["station"] for row in rows if row.clean["station"]])
        for row in rows:
            facts: dict[str, Any] = {
                "name": row.clean["name"],
                "station": stations.get(row.clean["station"]),
                "certificate_from": date.fromisoformat(row.clean["valid_from"]),
                "certificate_to": date.fromisoformat(row.clean["valid_to"]),
            }
            officer = known.get(row.clean["number"])
            if officer:
                update_officer(officer=officer, actor=context.actor, at=context.at, **facts)
            else:
                certify_officer(
                    department=departments[row.clean["department"]],
                    certificate_number=row.clean["number"],
                    actor=context.actor,
                    at=context.at,
                    **facts,
                )
        return None


def _officer_values(row: Row) -> dict[str, Any]:
    return {
        "number": row["number"],
        "name": row["name"],
        "department": row["department"].pk,
        "station": row["station"].pk if row["station"] else None,
        "valid_from": row["valid_from"],
        "valid_to": row["valid_to"],
    }


def _changes(officer: Officer, row: Row) -> dict[str, list[Any]]:
    pairs = {
        "name": (officer.name, row["name"]),
        "station": (officer.station_id, row["station"].pk if row["station"] else None),
        "valid_from": (officer.certificate_from, row["valid_from"]),
        "valid_to": (officer.certificate_to, row["valid_to"]),
    }
    return {column: [str(old), str(new)] for column, (old, new) in pairs.items() if old != new}


class TeamPatternImport(ImportSpec):
    """力量排班: one row a pool, weekdays and teams from a day on."""

    key = "orgs.team_patterns"
    title = _("检查力量排班")
    description = _("每个部门（或部门在某街道）每周哪几天有几支队。街道留空表示全区统一调配。")
    permission = OrgsPermission.MANAGE_CAPACITY
    columns = (
        DEPARTMENT,
        Column("street", _("街道"), lookup("streets", what=_("街道"))),
        Column(
            "weekdays",
            _("星期"),
            code(r"[1-7]{1,7}", what=_("星期数字")),
            required=True,
            help=_("1 为周一"),
            example="12345",
        ),
        Column("teams", _("队数"), integer(1, 200), required=True, example=2),
        Column("minutes", _("每队每天分钟"), integer(30, 720), example=360),
        Column("starts_on", _("开始日期"), day(), required=True, example=date(2026, 1, 1)),
        Column("ends_on", _("结束日期"), day()),
    )
    identity = ("department", "street", "starts_on", "weekdays")
    done_url_name = "orgs:capacity"

    def prepare(self, context: ImportContext) -> None:
        _load(context)

    def check_chunk(self, rows: Sequence[Row], context: ImportContext) -> None:
        held = {_pattern_key(each): each for each in TeamPattern.objects.all()}
        for row in rows:
            if not _own(row, context):
                continue
            if row["ends_on"] and row["ends_on"] < row["starts_on"]:
                row.refuse("ends_on", _("结束日期早于开始日期。"), _("请对调或改正日期。"))
                continue
            clean = {
                "department": row["department"].pk,
                "street": row["street"].pk if row["street"] else None,
                "weekdays": "".join(sorted(set(row["weekdays"]))),
                "teams": row["teams"],
                "minutes": row["minutes"] or 360,
                "starts_on": row["starts_on"],
                "ends_on": row["ends_on"],
            }
            same = held.get((clean["department"], clean["street"], clean["weekdays"], clean["starts_on"]))
            if same and (same.teams, same.minutes_per_team, same.ends_on) == (
                clean["teams"],
                clean["minutes"],
                clean["ends_on"],
            ):
                row.settle(Outcome.UNCHANGED)
            else:
                row.settle(Outcome.NEW, clean)

    def apply_chunk(self, rows: Sequence[CheckedRow], context: ImportContext) -> Mapping[str, int] | None:
        places = Organisation.objects.in_bulk(
            {row.clean[key] for row in rows for key in ("department", "street") if row.clean[key]}
        )
        for row in rows:
            set_team_pattern(
                department=places[row.clean["department"]],
                street=places.get(row.clean["street"]),
                weekdays=row.clean["weekdays"],
                teams=row.clean["teams"],
                minutes_per_team=row.clean["minutes"],
                starts_on=date.fromisoformat(row.clean["starts_on"]),
                ends_on=date.fromisoformat(row.clean["ends_on"]) if row.clean["ends_on"] else None,
                actor=context.actor,
                at=context.at,
            )
        return None


def _pattern_key(pattern: TeamPattern) -> tuple[int, int | None, str, date]:
    return pattern.department_id, pattern.street_id, pattern.weekdays, pattern.starts_on
