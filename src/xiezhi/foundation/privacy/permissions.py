from django.db import models
from django.utils.translation import gettext_lazy as _


class PrivacyPermission(models.TextChoices):
    MANAGE = "privacy.manage", _("管理个人信息")
