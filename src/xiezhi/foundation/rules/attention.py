from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.rules.models import Verification
from xiezhi.foundation.rules.permissions import RulesPermission
from xiezhi.foundation.ui.attention import Attention


def due_verifications(actor: Actor, at: datetime) -> Iterator[Attention]:
    """For whoever keeps the rules: working defaults whose day for being confirmed has come."""
    if not actor.can(RulesPermission.CHANGE):
        return
    count = Verification.objects.filter(due_on__lte=timezone.localdate(at)).count()
    if count:
        yield Attention(
            text=_("工作默认值到了核实期限"),
            url=reverse("rules:pending"),
            tone="caution",
            count=count,
            unit=_("条"),
            icon="book-2",
        )
