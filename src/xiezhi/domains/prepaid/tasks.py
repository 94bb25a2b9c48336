"""What the ticker does for prepaid funds: each duty is idempotent."""

from datetime import datetime

from xiezhi.domains.prepaid.models import Merchant
from xiezhi.domains.prepaid.services import bank, custody, posting


def end_what_ran_out(at: datetime) -> None:
    """Release requests and holds whose time is over."""
    custody.expire_releases(at=at)
    posting.expire_holds(at=at)


def watch_custody(at: datetime) -> None:
    """Shortfalls that opened, changed or closed (a new day, a new quarter), and differences that waited too long."""
    custody.check_custody(Merchant.objects.select_related("subject").order_by("pk"), at=at)
    bank.escalate_differences(at=at)
