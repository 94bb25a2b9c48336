"""Every role of the product on one page, for people who do not program.

A role lists what it may do; what it may *see* is `district_wide` or its own department (each model's `visible_to`).
"""

from django.utils.translation import gettext_lazy as _

from xiezhi.domains.inspections.permissions import InspectionPermission as Inspect
from xiezhi.domains.registry.permissions import RegistryPermission as Registry
from xiezhi.foundation.access.permissions import AccessPermission as Access
from xiezhi.foundation.access.roles import Role
from xiezhi.foundation.audit.permissions import AuditPermission as Audit
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.orgs.permissions import OrgsPermission as Orgs
from xiezhi.foundation.rules.permissions import RulesPermission as Rules

DISTRICT = frozenset({Organisation.Kind.DISTRICT.value})
DEPARTMENT = frozenset({Organisation.Kind.DEPARTMENT.value})
UNITS = frozenset({Organisation.Kind.DEPARTMENT.value, Organisation.Kind.STATION.value})


class Administrator(Role):
    key, label = "administrator", _("系统管理员")
    description = _("管理机构、人员、任职与规则；不参与检查业务。")
    organisation_kinds, district_wide = DISTRICT, True
    permissions = frozenset({Access.MANAGE_PEOPLE.value, Rules.CHANGE.value, *(each.value for each in Orgs)})


_READS = {Registry.VIEW.value, Inspect.VIEW.value, Inspect.VIEW_FIGURES.value}


class Coordinator(Role):
    key, label = "coordinator", _("区级统筹员")
    description = _("汇总各部门计划，生成并发送联合检查建议，督促答复，看全区成效。不能代任何部门答复。")
    organisation_kinds, district_wide = DISTRICT, True
    permissions = frozenset(_READS | {Inspect.RUN_ROUND.value, Registry.MATCH.value})


class Registrar(Role):
    key, label = "registrar", _("主体库管理员")
    description = _("导入和维护经营主体、场所与场景，确认待匹配名称。")
    organisation_kinds, district_wide = DISTRICT, True
    permissions = frozenset({each.value for each in Registry})


class Supervisor(Role):
    key, label = "supervisor", _("执法监督员")
    description = _("只读：查看全区计划、检查、成效与审计记录。")
    organisation_kinds, district_wide = DISTRICT, True
    permissions = frozenset(_READS | {Audit.READ.value})


class DepartmentPlanner(Role):
    key, label = "planner", _("部门计划员")
    description = _("维护本部门检查事项、报送计划，维护执法人员、力量与缺勤，登记个案检查。")
    organisation_kinds = DEPARTMENT
    permissions = frozenset(
        _READS
        | {
            Inspect.MANAGE_CATALOGUE.value,
            Inspect.SUBMIT_PLAN.value,
            Inspect.RAISE_CASE.value,
            Registry.MATCH.value,
            Orgs.MANAGE_OFFICERS.value,
            Orgs.MANAGE_CAPACITY.value,
        }
    )


class DepartmentHead(Role):
    key, label = "head", _("部门负责人")
    description = _("代表本部门确认、提议改期或不参加联合检查。")
    organisation_kinds = DEPARTMENT
    permissions = frozenset(_READS | {Inspect.CONFIRM.value, Inspect.RAISE_CASE.value})


class Inspector(Role):
    key, label = "inspector", _("执法人员")
    description = _("到场检查，按事项记录结果。")
    organisation_kinds = UNITS
    permissions = frozenset(_READS | {Inspect.RECORD.value})
