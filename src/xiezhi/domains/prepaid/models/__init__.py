"""Tables of prepaid funds."""

from xiezhi.domains.prepaid.models.api import ApiKey, Webhook, WebhookDelivery
from xiezhi.domains.prepaid.models.cards import Card, Holder, Product
from xiezhi.domains.prepaid.models.custody import (
    BankLine,
    Difference,
    Dispute,
    Release,
    ReleaseStatus,
    Reversal,
    ReversalStatus,
    Shortfall,
    Statement,
)
from xiezhi.domains.prepaid.models.ledger import Account, Book, DayTotal, Entry
from xiezhi.domains.prepaid.models.merchants import BankAccount, Merchant

__all__ = [
    "Account",
    "ApiKey",
    "BankAccount",
    "BankLine",
    "Book",
    "Card",
    "DayTotal",
    "Difference",
    "Dispute",
    "Entry",
    "Holder",
    "Merchant",
    "Product",
    "Release",
    "ReleaseStatus",
    "Reversal",
    "ReversalStatus",
    "Shortfall",
    "Statement",
    "Webhook",
    "WebhookDelivery",
]
