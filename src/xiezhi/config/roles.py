"""Every role of the product on one page, for people who do not program.

A role lists what it may do; what it may *see* is `district_wide` or its own department (each model's `visible_to`).
"""

from django.utils.translation import gettext_lazy as _

from xiezhi.domains.complaints.permissions import ComplaintPermission as Complaints
from xiezhi.domains.inspections.permissions import InspectionPermission as Inspect
from xiezhi.domains.prepaid.permissions import PrepaidPermission as Prepaid
from xiezhi.domains.registry.permissions import RegistryPermission as Registry
from xiezhi.foundation.access.permissions import AccessPermission as Access
from xiezhi.foundation.access.roles import Role
from xiezhi.foundation.audit.permissions import AuditPermission as Audit
from xiezhi.foundation.calendar.permissions import CalendarPermission as Calendar
from xiezhi.foundation.notices.permissions import NoticesPermission as Notices
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.orgs.permissions import OrgsPermission as Orgs
from xiezhi.foundation.privacy.permissions import PrivacyPermission as Privacy
from xiezhi.foundation.rules.permissions import RulesPermission as Rules

DISTRICT = frozenset({Organisation.Kind.DISTRICT.value})
DEPARTMENT = frozenset({Organisation.Kind.DEPARTMENT.value})
ENTERPRISE = frozenset({Organisation.Kind.ENTERPRISE.value})
UNITS = frozenset({Organisation.Kind.DEPARTMENT.value, Organisation.Kind.STATION.value})


class Administrator(Role):
    key, label = "administrator", _("系统管理员")
    description = _("管理机构、人员、任职与规则；不参与检查业务。")
    organisation_kinds, district_wide = DISTRICT, True
    second_factor = True
    permissions = frozenset(
        {
            *(each.value for each in Access),
            Complaints.TEACH.value,
            Notices.MANAGE.value,
            Rules.CHANGE.value,
            Calendar.IMPORT.value,
            Privacy.MANAGE.value,
            Complaints.KEEP_CHANNELS.value,
            *(each.value for each in Orgs),
        }
    )


_READS = {Registry.VIEW.value, Inspect.VIEW.value, Inspect.VIEW_FIGURES.value, Orgs.VIEW_CAPACITY.value}


class Coordinator(Role):
    key, label = "coordinator", _("区级统筹员")
    description = _(
        "汇总全区检查事项清单和各部门计划，生成并发送联合检查建议，督促答复，看全区成效。不能代任何部门答复。"
    )
    organisation_kinds, district_wide = DISTRICT, True
    permissions = frozenset(_READS | {Inspect.RUN_ROUND.value, Inspect.MANAGE_CATALOGUE.value, Registry.MATCH.value})


class Registrar(Role):
    key, label = "registrar", _("主体库管理员")
    description = _("导入和维护经营主体、场所与场景，确认待匹配名称。")
    organisation_kinds, district_wide = DISTRICT, True
    permissions = frozenset({each.value for each in Registry})


class Supervisor(Role):
    key, label = "supervisor", _("执法监督员")
    description = _("只读：查看全区计划、检查、成效与审计记录。")
    organisation_kinds, district_wide = DISTRICT, True
    permissions = frozenset(
        _READS | {Audit.READ.value, Complaints.VIEW.value, Complaints.VIEW_FIGURES.value, Complaints.VIEW_TOPICS.value}
    )


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
    may_take = frozenset({"planner"})
    permissions = frozenset(
        _READS
        | {
            Inspect.CONFIRM.value,
            Inspect.RAISE_CASE.value,
            Complaints.VIEW.value,
            Complaints.APPROVE.value,
            Complaints.VIEW_FIGURES.value,
        }
    )


class Inspector(Role):
    key, label = "inspector", _("执法人员")
    description = _("到场检查，按事项记录结果。")
    organisation_kinds = UNITS
    permissions = frozenset(_READS | {Inspect.RECORD.value})


class ComplaintDispatcher(Role):
    key, label = "dispatcher", _("派单员")
    description = _("登记各渠道来的诉求，派给承办单位，审定退单，督办，回访，批准剔除与挂账。不代承办单位办理。")
    organisation_kinds, district_wide = DISTRICT, True
    permissions = frozenset(
        {
            Registry.VIEW.value,
            Complaints.VIEW.value,
            Complaints.REGISTER.value,
            Complaints.DISPATCH.value,
            Complaints.SEE_PERSON.value,
            Complaints.SUPERVISE.value,
            Complaints.TEACH.value,
            Complaints.CALL_BACK.value,
            Complaints.VIEW_TOPICS.value,
            Complaints.APPROVE.value,
            Complaints.VIEW_FIGURES.value,
        }
    )


class ComplaintOfficer(Role):
    key, label = "complaint_officer", _("诉求承办人")
    description = _("签收、受理、调解、答复派到本单位的诉求；登记窗口和电话来的诉求。")
    organisation_kinds = UNITS
    permissions = frozenset(
        {
            Registry.VIEW.value,
            Complaints.VIEW.value,
            Complaints.REGISTER.value,
            Complaints.HANDLE.value,
            Complaints.SEE_PERSON.value,
            Complaints.VIEW_FIGURES.value,
        }
    )


class FundSupervisor(Role):
    key, label = "fund_supervisor", _("预付费资金监管员")
    description = _("登记发卡经营者与存管账户，看全区存管与应存，批准支取，处理对账差异，停止或恢复发卡。")
    organisation_kinds = frozenset({Organisation.Kind.DISTRICT.value, Organisation.Kind.DEPARTMENT.value})
    district_wide = True
    permissions = frozenset(
        {Registry.VIEW.value, Registry.TENANCIES.value, Prepaid.VIEW.value, Prepaid.SUPERVISE.value}
    )


class MerchantOwner(Role):
    key, label = "merchant", _("发卡经营者")
    description = _("管理本单位预付卡：产品、售卡、核销、退款、收银接口、批量文件，存入存管与申请支取。")
    organisation_kinds = ENTERPRISE
    permissions = frozenset({Prepaid.VIEW.value, Prepaid.OPERATE.value, Prepaid.SELL.value})


class Cashier(Role):
    key, label = "cashier", _("收银员")
    description = _("在手机收银页售卡、充值与核销。")
    organisation_kinds = ENTERPRISE
    permissions = frozenset({Prepaid.VIEW.value, Prepaid.SELL.value})


class MallManager(Role):
    key, label = "mall", _("商场管理员")
    description = _("看本商场收取预付款的商户：存管与应存、缺口与变化；24 小时内回应转来的诉求。")
    organisation_kinds = ENTERPRISE
    permissions = frozenset({Prepaid.VIEW.value, Complaints.ANSWER.value})


class BankOfficer(Role):
    key, label = "bank", _("存管银行经办")
    description = _("导入本行存管账户流水，看对账结果。")
    organisation_kinds = ENTERPRISE
    permissions = frozenset({Prepaid.VIEW.value, Prepaid.REPORT.value})
