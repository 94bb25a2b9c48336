from django.db import models
from django.utils.translation import gettext_lazy as _


class CalendarPermission(models.TextChoices):
    IMPORT = "calendar.import", _("录入放假安排")
