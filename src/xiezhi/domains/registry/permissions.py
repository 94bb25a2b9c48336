from django.db import models
from django.utils.translation import gettext_lazy as _


class RegistryPermission(models.TextChoices):
    VIEW = "registry.view", _("查看经营主体")
    MANAGE = "registry.manage", _("维护经营主体")
    MATCH = "registry.match", _("确认待匹配名称")
    TENANCIES = "registry.tenancies", _("登记商场租约")
