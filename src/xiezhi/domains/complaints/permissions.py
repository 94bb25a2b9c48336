from django.db import models
from django.utils.translation import gettext_lazy as _


class ComplaintPermission(models.TextChoices):
    VIEW = "complaints.view", _("查看诉求")
    REGISTER = "complaints.register", _("登记诉求")
    DISPATCH = "complaints.dispatch", _("派单、审定退单")
    HANDLE = "complaints.handle", _("办理本单位诉求")
    SEE_PERSON = "complaints.see_person", _("打开诉求人信息（留痕）")
    APPROVE = "complaints.approve", _("批准延期、剔除与挂账")
    SUPERVISE = "complaints.supervise", _("督办诉求")
    CALL_BACK = "complaints.call_back", _("回访诉求人")
    ANSWER = "complaints.answer", _("商场回应诉求")
    VIEW_FIGURES = "complaints.view_figures", _("查看诉求成效")
    VIEW_TOPICS = "complaints.view_topics", _("查看未诉先办")
    TEACH = "complaints.teach", _("管理识别模型")
    KEEP_CHANNELS = "complaints.keep_channels", _("管理公众渠道的接口密钥")
