"""Files of operations for merchants without a till interface: CSV or Parquet, all of a file or nothing, refused rows named."""

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.prepaid import rules
from xiezhi.domains.prepaid.ledger import drafts
from xiezhi.domains.prepaid.ledger.drafts import Draft, Kind, Leg, Purse, redemption_request
from xiezhi.domains.prepaid.ledger.shares import Share, share_amount, share_uses
from xiezhi.domains.prepaid.models import Account, Card, Merchant, Product
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.services import posting
from xiezhi.domains.prepaid.services.cards import book_accounts, lock_book, require_usable
from xiezhi.domains.prepaid.services.merchants import require_own
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.rules.queries import reading
from xiezhi.foundation.workflow.errors import Refused

MOST_ROWS = 500_000
MOST_SHOWN = 1_000
COLUMNS = ("key", "card", "amount_fen", "uses", "at")
CHUNK = 500
_COUNTED_KINDS = frozenset({Product.Kind.COUNT, Product.Kind.COURSE})


@dataclass(frozen=True)
class RefusedRow:
    """A row that keeps its file from being posted. `number` counts the file's rows from 1, the heading not counted."""

    number: int
    key: str
    code: str
    reason: str


@dataclass(frozen=True)
class BatchResult:
    """Either `posted` and `replayed` count all rows, or `refused` names (up to MOST_SHOWN) rows and nothing was posted."""

    rows: int
    posted: int
    replayed: int
    refused: tuple[RefusedRow, ...] = ()


@dataclass
class _Purses:
    """A card while its rows are read: ids of its accounts, and what will be left in them."""

    card: Card
    ids: dict[str, int]
    left: dict[str, int]
    kind: str
    refusal: Refused | None
    """Why no row can use the card, whatever it says."""


def post_redemptions(
    *, merchant: Merchant, path: Path, actor: Actor, at: datetime, source: str = "file"
) -> BatchResult:
    """Redeem what a file says: columns key, card, amount_fen or uses, at (optional, ISO 8601). All or nothing; a second time changes nothing.

    Raises Refused for a file that cannot be read as such a table.
    """
    require_own(merchant, actor, May.OPERATE)
    rows = read_rows(path)
    with _no_search_for_cycles(), transaction.atomic():
        lock_book(merchant.pk)
        builder = _Builder(merchant, rows, actor, at, source)
        batch, refused = builder.build()
        if not refused:
            try:
                done = posting.post_batch(batch, booked_at=at)
            except posting.BatchRefused as refusal:
                refused = [
                    RefusedRow(position + 1, batch[position].key, why.code, str(why))
                    for position, why in refusal.refusals
                ]
        if refused:
            return BatchResult(len(rows), 0, 0, tuple(refused[:MOST_SHOWN]))
        again = sum(each.replayed for each in done)
        record("prepaid.batch_posted", merchant, actor=actor, at=at, rows=len(rows), replayed=again)
        return BatchResult(len(rows), len(rows) - again, again)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """A batch makes a million small tuples and no cycles: looking for some again and again would take a fifth of its time."""
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            gc.enable()


def read_rows(path: Path) -> list[tuple[Any, ...]]:
    """The rows of a CSV or Parquet file in the order of COLUMNS, cells as they are. Raises Refused."""
    with path.open("rb") as file:
        parquet = file.read(4) == b"PAR1"
    import polars  # a third of a second at every start, for files that most processes never read

    try:
        table = polars.read_parquet(path) if parquet else polars.read_csv(path, infer_schema=False)
    except Exception as error:  # polars has many exceptions of its own, and all mean the same here
        raise Refused(
            _("读不出这个文件（%(why)s）。请用 UTF-8 编码的 CSV 或 Parquet。") % {"why": type(error).__name__}
        ) from None
    lost = [name for name in ("key", "card") if name not in table.columns]
    if lost or not {"amount_fen", "uses"} & set(table.columns):
        raise Refused(_("表头须有 key、card 和 amount_fen（或 uses）。"))
    if strange := sorted(set(table.columns) - set(COLUMNS)):
        raise Refused(_("不认识的列：%(columns)s。") % {"columns": _("、").join(strange[:5])})
    if table.height > MOST_ROWS:
        raise Refused(_("一个文件最多 %(most)s 行，请拆成几个文件。") % {"most": MOST_ROWS})
    if not table.height:
        raise Refused(_("文件里没有数据。"))
    absent = [polars.lit(None).alias(name) for name in COLUMNS if name not in table.columns]
    return table.with_columns(absent).select(COLUMNS).rows()


class _Builder:
    """Turns rows into operations, sharing each between the purses of its card as the rows before it leave them."""

    def __init__(
        self, merchant: Merchant, rows: Sequence[tuple[Any, ...]], actor: Actor, at: datetime, source: str
    ) -> None:
        self.merchant, self.rows, self.actor, self.at, self.source = merchant, rows, actor, at, source
        self.ours = book_accounts(merchant.pk)
        self.policy = reading(rules.BONUS_SPLIT, on=timezone.localdate(at)).value
        self.cards = self._cards()
        self.known = self._known_keys()

    def build(self) -> tuple[list[Draft], list[RefusedRow]]:
        batch: list[Draft] = []
        refused: list[RefusedRow] = []
        for number, row in enumerate(self.rows, start=1):
            try:
                batch.append(self._draft(*row))
            except Refused as refusal:
                code = getattr(refusal, "code", "refused")
                refused.append(RefusedRow(number, str(row[0] or "")[:64], code, str(refusal)))
        return batch, refused

    def _draft(self, key: Any, number: Any, amount: Any, uses: Any, at: Any) -> Draft:
        purses = self.cards.get(str(number or ""))
        if purses is None:
            raise Refused(_("没有这张卡。"))
        fen, count = _whole(amount), _whole(uses)
        when = self._moment(at)
        key = str(key or "")
        if not drafts.KEY.fullmatch(key):
            raise Refused(_("幂等键须是 1 至 64 位字母、数字或 . _ : - 。"))
        request = redemption_request(purses.card.number, fen, count)
        if key in self.known:
            legs: tuple[Leg, ...] = (
                Leg(purses.ids[Purse.PRINCIPAL], self.ours[Purse.EARNED], 1),
            )  # a replay posts nothing
        else:
            legs = self._legs(purses, fen, count)
        return Draft(
            self.merchant.pk,
            Kind.REDEMPTION.value,
            legs,
            key,
            request,
            when,
            source=self.source,
            actor_user_id=self.actor.user_id,
        )

    def _legs(self, purses: _Purses, fen: int, count: int) -> tuple[Leg, ...]:
        left, kind = purses.left, purses.kind
        if purses.refusal is not None:
            raise purses.refusal
        if kind in _COUNTED_KINDS:
            if fen or drafts.check_amount(count) > left[Purse.USES]:
                raise drafts.overdrawn() if not fen else Refused(_("次卡和课程卡按次核销，请填次数。"))
            share = share_uses(count, principal=left[Purse.PRINCIPAL], uses=left[Purse.USES])
        elif kind == Product.Kind.PERIOD:
            raise Refused(_("期限卡按天自动确认消费，不用核销。"))
        elif count:
            raise Refused(_("这张卡按金额核销，请填金额。"))
        elif left[Purse.BONUS]:
            drafts.check_amount(fen)
            share = share_amount(fen, principal=left[Purse.PRINCIPAL], bonus=left[Purse.BONUS], policy=self.policy)
        else:
            share = Share(drafts.check_amount(fen))
        legs = []
        for purse, against, part in (
            (Purse.PRINCIPAL, Purse.EARNED, share.principal),
            (Purse.BONUS, Purse.BONUS_ISSUED, share.bonus),
            (Purse.USES, Purse.USES_ISSUED, share.uses),
        ):
            if part:
                if part > left[purse]:
                    raise drafts.overdrawn()
                left[purse] -= part
                legs.append(Leg(purses.ids[purse], self.ours[against], part))
        return tuple(legs)

    def _moment(self, at: Any) -> datetime:
        if at is None or at == "":
            return self.at
        try:
            moment = at if isinstance(at, datetime) else datetime.fromisoformat(str(at))
        except ValueError:
            raise Refused(_("时间须写成 2026-11-23T14:30:00+08:00 这样。")) from None
        moment = moment if moment.tzinfo else timezone.make_aware(moment)
        if moment > self.at:
            raise Refused(_("时间不能晚于现在。"))
        return moment

    def _cards(self) -> dict[str, _Purses]:
        numbers = sorted({str(row[1]) for row in self.rows if row[1]})
        found: dict[int, _Purses] = {}
        for start in range(0, len(numbers), CHUNK):
            part = Card.objects.filter(merchant=self.merchant, number__in=numbers[start : start + CHUNK])
            for card in part.select_related("product"):
                found[card.pk] = _Purses(card, {}, {}, card.product.kind, _why_unusable(card, self.at))
        ids = sorted(found)
        for start in range(0, len(ids), CHUNK):
            accounts = Account.objects.filter(card_id__in=ids[start : start + CHUNK])
            for card_id, purse, pk, debits, credits_, pending in accounts.values_list(
                "card_id", "purse", "pk", "debits", "credits", "debits_pending"
            ):
                found[card_id or 0].ids[purse] = pk
                found[card_id or 0].left[purse] = credits_ - debits - pending
        return {purses.card.number: purses for purses in found.values()}

    def _known_keys(self) -> set[str]:
        seen = Counter(str(row[0]) for row in self.rows if row[0])
        if twice := [key for key, times in seen.items() if times > 1]:
            raise Refused(
                _("幂等键 %(key)s 在文件里出现了 %(times)s 次，每行须有自己的键。")
                % {"key": twice[0][:64], "times": seen[twice[0]]}
            )
        return set(posting.known_operations(self.merchant.pk, list(seen)))


def _whole(cell: Any) -> int:
    if cell is None or cell == "":
        return 0
    try:
        if isinstance(cell, float) and not cell.is_integer():
            raise ValueError
        return int(cell)
    except (ValueError, OverflowError):
        raise drafts.BadAmount(
            _("“%(cell)s”不是整数。金额以分为单位，例如 12.50 元写作 1250。") % {"cell": str(cell)[:30]}
        ) from None


def _why_unusable(card: Card, at: datetime) -> Refused | None:
    try:
        require_usable(card, at)
    except Refused as refusal:
        return refusal
    return Refused(_("这张卡每次核销须持卡人确认，不能用批量文件。")) if card.product.confirm_each else None
