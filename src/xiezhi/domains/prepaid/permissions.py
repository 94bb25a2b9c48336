from django.db import models
from django.utils.translation import gettext_lazy as _


class PrepaidPermission(models.TextChoices):
    VIEW = "prepaid.view", _("查看预付费资金")
    SUPERVISE = "prepaid.supervise", _("监管预付费资金：登记经营者、批准支取、处理差异")
    OPERATE = "prepaid.operate", _("经营本单位预付卡：产品、售卡、核销、退款、申请支取")
    SELL = "prepaid.sell", _("在收银页售卡与核销")
    REPORT = "prepaid.report", _("报送本行存管流水")
