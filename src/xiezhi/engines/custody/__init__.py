"""Custody of prepaid funds (预付资金存管): how much must be kept, over time, and whether the bank agrees. Pure computation."""

from xiezhi.engines.custody.matching import BankItem, BookItem, Match, Outcome, reconcile
from xiezhi.engines.custody.requirement import CustodyRule, Day, History, last_quarter_end, over_time, required_fen

__all__ = [
    "BankItem",
    "BookItem",
    "CustodyRule",
    "Day",
    "History",
    "Match",
    "Outcome",
    "last_quarter_end",
    "over_time",
    "reconcile",
    "required_fen",
]
