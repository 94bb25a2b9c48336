from django.db import models
from django.utils.translation import gettext_lazy as _


class RulesPermission(models.TextChoices):
    CHANGE = "rules.change", _("修改规则依据")
