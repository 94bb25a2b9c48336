"""Every role of the product on one page, for people who do not program.

A role lists what it may do; what it may *see* is `district_wide` or its own department (each model's `visible_to`).
"""

from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.permissions import AccessPermission as Access
from xiezhi.foundation.access.roles import Role
from xiezhi.foundation.orgs.models import Organisation

DISTRICT = frozenset({Organisation.Kind.DISTRICT.value})
DEPARTMENT = frozenset({Organisation.Kind.DEPARTMENT.value})
UNITS = frozenset({Organisation.Kind.DEPARTMENT.value, Organisation.Kind.STATION.value})


class Administrator(Role):
    key, label = "administrator", _("系统管理员")
    description = _("管理机构、人员、任职与规则；不参与检查业务。")
    organisation_kinds, district_wide = DISTRICT, True
    permissions = frozenset({Access.MANAGE_PEOPLE.value})
