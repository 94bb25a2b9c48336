"""What a change of the prepaid rules would alter: counts for the preview, and deadlines that it would open again."""

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.prepaid import rules
from xiezhi.domains.prepaid.models import Difference, Merchant
from xiezhi.foundation.rules.effects import Change, Effect

CUSTODY = (*rules.CUSTODY_BY_INDUSTRY.values(), rules.CUSTODY_NEW, rules.NEW_MONTHS, rules.GUARANTEE_OFFSET)
"""Rules that say how much must lie in custody."""


def required_custody(change: Change) -> Iterator[Effect]:
    """Every merchant's required custody is computed again, from the change's first day on."""
    industry = next((name for name, rule in rules.CUSTODY_BY_INDUSTRY.items() if rule is change.rule), None)
    merchants = Merchant.objects.exclude(status=Merchant.Status.CLOSED)
    if industry:
        merchants = merchants.filter(industry=industry)
    yield Effect(
        _("%(count)s 家发卡经营者的应存金额自 %(day)s 起按新值计算，缺口可能出现或消失。")
        % {"count": merchants.count(), "day": change.effective_from.isoformat()},
        "active",
        reverse("prepaid:merchants"),
    )


def overdue_differences(change: Change) -> Iterator[Effect]:
    """Differences that were told of as overdue and would not be overdue under a longer wait."""
    if change.effective_from > timezone.localdate(change.at):
        return
    told = Difference.objects.filter(
        status=Difference.Status.OPEN,
        escalated_at__isnull=False,
        found_at__gt=change.at - timedelta(days=change.after),
    )
    names = tuple(
        _("对账差异 %(number)s（%(day)s）") % {"number": each.pk, "day": each.on.isoformat()}
        for each in told.order_by("pk")
    )
    if names:
        yield Effect(_("已经升级的对账差异又变成未到期。"), "urgent", reverse("prepaid:differences"), reopens=names)
