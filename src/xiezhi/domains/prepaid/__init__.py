"""Prepaid funds (预付费资金): what merchants owe card holders, and the money that is kept safe for it.

Words: a *merchant* (发卡经营者) is a subject that sells prepaid cards; its *book* (账簿) is one gap-free, hash-chained journal; an *entry*
(分录) moves an amount from one account to another; an *operation* is one to a few linked entries that stand or fall together; a *hold*
(待确认) is a pending operation, later posted, voided or expired; *custody* (存管) is the merchant's supervised bank account.
Invariants: entries are never changed or removed; corrections are reversals; every entry debits what it credits; no limited account goes
below zero, in the database; a hold resolves at most once; the same key with the same request gives the first answer; card principals add
up to what the merchant owes; bonus never becomes cash.
Events out: `prepaid.shortfall_opened`, `prepaid.shortfall_closed`, `prepaid.bank_item_escalated`.
"""
