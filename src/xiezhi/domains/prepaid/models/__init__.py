"""Tables of prepaid funds."""

from xiezhi.domains.prepaid.models.cards import Card, Holder, Product
from xiezhi.domains.prepaid.models.ledger import Account, Book, Entry
from xiezhi.domains.prepaid.models.merchants import BankAccount, Merchant

__all__ = ["Account", "BankAccount", "Book", "Card", "Entry", "Holder", "Merchant", "Product"]
