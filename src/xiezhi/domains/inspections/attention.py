"""What plans and checks ask of a person on their desk."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import Check, Plan
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.workflow import CheckStatus, PlanStatus
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.ui.attention import Attention


def plans_and_checks(actor: Actor, at: datetime) -> Iterator[Attention]:
    """Drafts to file, and checks to settle off-site or to send on site. Only for departments."""
    if actor.department_id is None or not actor.can(May.VIEW):
        return
    if actor.can(May.SUBMIT_PLAN):
        drafts = Plan.objects.visible_to(actor).filter(status=PlanStatus.DRAFT).count()
        if drafts:
            url = f"{reverse('inspections:plans')}?status={PlanStatus.DRAFT}"
            yield Attention(_("检查计划草稿等待核对和报送"), url, "active", drafts, _("份"), icon="clipboard-list")
    if actor.can(May.SUBMIT_PLAN) or actor.can(May.RECORD):
        asked = Check.objects.visible_to(actor).filter(status=CheckStatus.OFF_SITE_FIRST).count()
        if asked:
            url = f"{reverse('inspections:checks')}?status={CheckStatus.OFF_SITE_FIRST}"
            text = _("任务可以非现场办理，请办结或写明到现场的理由")
            yield Attention(text, url, "caution", asked, _("项"), icon="device-floppy")
