from django.db import models
from django.utils.translation import gettext_lazy as _


class InspectionPermission(models.TextChoices):
    VIEW = "inspections.view", _("查看检查事项、计划与联合检查")
    MANAGE_CATALOGUE = "inspections.manage_catalogue", _("维护检查事项清单")
    SUBMIT_PLAN = "inspections.submit_plan", _("报送检查计划")
    RUN_ROUND = "inspections.run_round", _("统筹生成联合检查建议")
    CONFIRM = "inspections.confirm", _("确认本部门参加")
    RECORD = "inspections.record", _("记录检查结果")
    RAISE_CASE = "inspections.raise_case", _("登记个案检查")
    VIEW_FIGURES = "inspections.view_figures", _("查看统筹成效")
