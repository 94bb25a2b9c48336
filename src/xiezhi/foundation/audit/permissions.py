from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditPermission(models.TextChoices):
    READ = "audit.read", _("查看审计记录")
