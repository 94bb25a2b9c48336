from django.db import models
from django.utils.translation import gettext_lazy as _


class OrgsPermission(models.TextChoices):
    """District-wide posts act for every department, department posts for their own."""

    MANAGE_ORGANISATIONS = "orgs.manage_organisations", _("管理机构")
    MANAGE_OFFICERS = "orgs.manage_officers", _("管理执法人员")
    VIEW_CAPACITY = "orgs.view_capacity", _("查看检查力量")
    MANAGE_CAPACITY = "orgs.manage_capacity", _("维护力量与缺勤")
