from django.db import models
from django.utils.translation import gettext_lazy as _


class AccessPermission(models.TextChoices):
    MANAGE_PEOPLE = "access.manage_people", _("管理账号与任职")
    APPROVE_ELEVATION = "access.approve_elevation", _("批准临时授权")
