"""What is asked of a book, and the reasons for which it refuses."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.workflow.errors import Refused

MOST_FEN = 10**13
"""One entry moves at most a hundred billion yuan: a typing mistake stops here, long before 64 bits do."""
MOST_TOTAL = 2**63 - 1
KEY = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Purse(models.TextChoices):
    """What an account holds. A debit makes FUNDS, CUSTODY … grow and PRINCIPAL, EARNED … shrink."""

    PRINCIPAL = "principal", gettext_lazy("卡内本金")
    BONUS = "bonus", gettext_lazy("卡内赠送")
    USES = "uses", gettext_lazy("卡内次数")
    REFUNDS = "refunds", gettext_lazy("应付退款")
    EARNED = "earned", gettext_lazy("已消费")
    BONUS_ISSUED = "bonus_issued", gettext_lazy("赠送发放")
    USES_ISSUED = "uses_issued", gettext_lazy("次数发放")
    FUNDS = "funds", gettext_lazy("商户自有资金")
    CUSTODY = "custody", gettext_lazy("存管账户")
    FEES = "fees", gettext_lazy("银行费用")
    GUARANTEE = "guarantee", gettext_lazy("担保可用额度")
    GUARANTEE_GIVEN = "guarantee_given", gettext_lazy("担保额度来源")
    GUARANTOR = "guarantor", gettext_lazy("应付担保人")


class Kind(models.TextChoices):
    """What happened."""

    PURCHASE = "purchase", gettext_lazy("购卡充值")
    REDEMPTION = "redemption", gettext_lazy("消费")
    REFUND = "refund", gettext_lazy("退款")
    REFUND_PAID = "refund_paid", gettext_lazy("退款付出")
    TRANSFER = "transfer", gettext_lazy("转让")
    REISSUE = "reissue", gettext_lazy("挂失补卡")
    DEPOSIT = "deposit", gettext_lazy("存入存管")
    RELEASE = "release", gettext_lazy("支取")
    BANK_FEE = "bank_fee", gettext_lazy("银行费用")
    GUARANTEE = "guarantee", gettext_lazy("担保额度")
    GUARANTEE_CALL = "guarantee_call", gettext_lazy("担保代偿")
    REVERSAL = "reversal", gettext_lazy("冲正")
    RECOGNITION = "recognition", gettext_lazy("按期确认")
    EXCHANGE = "exchange", gettext_lazy("换卡")


class Phase(models.TextChoices):
    """Posted at once; or pending first, and then one of the three that resolve it."""

    POSTED = "posted", gettext_lazy("已入账")
    PENDING = "pending", gettext_lazy("待确认")
    CONFIRMED = "confirmed", gettext_lazy("确认入账")
    VOIDED = "voided", gettext_lazy("已取消")
    EXPIRED = "expired", gettext_lazy("已过期")


DEBIT_GROWS = frozenset(
    {Purse.FUNDS, Purse.CUSTODY, Purse.FEES, Purse.GUARANTEE, Purse.BONUS_ISSUED, Purse.USES_ISSUED}
)
"""Accounts whose balance is debits less credits; the others' is credits less debits."""
LIMITED = frozenset({Purse.PRINCIPAL, Purse.BONUS, Purse.USES, Purse.REFUNDS, Purse.CUSTODY, Purse.GUARANTEE})
"""Accounts that can never be spent below zero, holds counted."""
TOTALLED: dict[str, str] = {
    Purse.PRINCIPAL: "owed", Purse.REFUNDS: "owed", Purse.CUSTODY: "kept", Purse.GUARANTEE: "guaranteed"
}  # fmt: skip
"""Which of the book's totals by day an account counts for."""
COUNTED = frozenset({Purse.USES, Purse.USES_ISSUED})
"""Accounts that count uses (次), not fen."""
RESOLVING = frozenset({Phase.CONFIRMED, Phase.VOIDED, Phase.EXPIRED})


class LedgerRefused(Refused):
    """The book does not take this operation; nothing of it was posted. `code` is the API's word for the reason."""

    code = "refused"


class BadAmount(LedgerRefused):
    code = "bad_amount"


class Overdrawn(LedgerRefused):
    code = "insufficient_balance"


class Closed(LedgerRefused):
    code = "account_closed"


class KeyReused(LedgerRefused):
    code = "idempotency_key_reused"


class HoldGone(LedgerRefused):
    """The hold does not exist, is resolved already, has run out, or is smaller than what was asked."""

    code = "hold_gone"


class AlreadyReversed(LedgerRefused):
    code = "already_reversed"


def overdrawn() -> Overdrawn:
    return Overdrawn(_("余额不足，没有入账。请核对余额后再试。"))


def closed() -> Closed:
    return Closed(_("这张卡或这个账户已经停用，不能再入账。"))


def key_reused() -> KeyReused:
    return KeyReused(_("这个幂等键已经用于另一笔内容不同的业务。新业务请换一个键。"))


def hold_gone() -> HoldGone:
    return HoldGone(_("这笔待确认业务不存在、已经处理、已经过期，或金额小于所要确认的金额。"))


def already_reversed() -> AlreadyReversed:
    return AlreadyReversed(_("这笔业务已经冲正过，或者不能冲正。"))


def too_large() -> BadAmount:
    return BadAmount(_("金额过大，超出账簿能够记录的范围。"))


class Leg(NamedTuple):
    """Move `amount` (fen, or uses between COUNTED accounts): debit one account of the book, credit another. Ids of accounts."""

    debit: int
    credit: int
    amount: int


class Draft(NamedTuple):
    """One operation asked of one book. `request`: digest of what was asked, see `request_digest`. `refers`: the first sequence of the
    operation that this one resolves (a phase of RESOLVING) or reverses."""

    book_id: int
    kind: str
    legs: tuple[Leg, ...]
    key: str
    request: bytes
    at: datetime
    phase: str = Phase.POSTED
    source: str = "desk"
    actor_user_id: int | None = None
    refers: int | None = None
    expires_at: datetime | None = None


_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def request_digest(content: Mapping[str, Any]) -> bytes:
    """SHA-256 of what a client asked, as canonical JSON: equal for equal content whatever the order of its fields."""
    return hashlib.sha256(_CANONICAL.encode(content).encode()).digest()


def redemption_request(number: str, amount_fen: int, uses: int) -> bytes:
    """`request_digest` of a redemption, the commonest request by far, without the detour through a dictionary."""
    text = f'{{"amount":{amount_fen},"redeem":"{number}","uses":{uses}}}'
    return hashlib.sha256(text.encode()).digest()


def check_amount(amount: object) -> int:
    """`amount` when it is a whole number from 1 to MOST_FEN. Raises BadAmount."""
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise BadAmount(_("金额须是以分为单位的整数，例如 12.50 元写作 1250。"))
    if amount <= 0:
        raise BadAmount(_("金额须大于零。"))
    if amount > MOST_FEN:
        raise too_large()
    return amount


def check_draft(draft: Draft) -> None:
    """Raise LedgerRefused for an operation that no book could take."""
    if not KEY.fullmatch(draft.key):
        raise LedgerRefused(_("幂等键须是 1 至 64 位字母、数字或 . _ : - 。"))
    if not draft.legs:
        raise BadAmount(_("没有要入账的金额。"))
    for leg in draft.legs:
        check_amount(leg.amount)
        if leg.debit == leg.credit:
            raise LedgerRefused(_("借方和贷方不能是同一个账户。"))
