"""What the ticker does for prepaid funds: each duty is idempotent."""

from datetime import datetime

from xiezhi.domains.prepaid.ledger.drafts import Phase
from xiezhi.domains.prepaid.models import Merchant
from xiezhi.domains.prepaid.services import bank, custody, posting, terms, webhooks


def end_what_ran_out(at: datetime) -> None:
    """Release requests and holds whose time is over."""
    custody.expire_releases(at=at)
    posting.expire_holds(
        at=at, then=lambda book, operation: webhooks.announce_settled(book, operation, Phase.EXPIRED, at=at)
    )


def recognise_periods(at: datetime) -> None:
    """The days of period cards that are over."""
    terms.recognise_periods(at=at)


def send_notices(at: datetime) -> None:
    """Signed notices to merchants' own systems."""
    webhooks.send_due(at=at)


def watch_custody(at: datetime) -> None:
    """Shortfalls that opened, changed or closed (a new day, a new quarter), and differences that waited too long."""
    custody.check_custody(Merchant.objects.select_related("subject").order_by("pk"), at=at)
    bank.escalate_differences(at=at)
