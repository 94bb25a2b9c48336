"""The till interface (收银接口): what a merchant's own system may ask. Every request is signed; every write carries its own key.

Headers: `X-Key` (密钥编号), `X-Time` (Unix seconds), `X-Signature` (HMAC-SHA256 over method, path with query, time and the body's SHA-256,
a line each; see services/keys.py), and for writes `Idempotency-Key`.
"""

import hashlib
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Field, Header, NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from pydantic import ConfigDict, StrictInt

from xiezhi.domains.prepaid.ledger import drafts
from xiezhi.domains.prepaid.ledger.drafts import LedgerRefused, Phase, Purse
from xiezhi.domains.prepaid.models import Account, ApiKey, Card, Entry, Product
from xiezhi.domains.prepaid.queries import cards as queries
from xiezhi.domains.prepaid.services import batches, cards, keys, posting
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.files.uploads import limit_bytes
from xiezhi.foundation.workflow.errors import Refused

SPOOL = 1024 * 1024
STATUS = {
    "insufficient_balance": 409,
    "account_closed": 409,
    "idempotency_key_reused": 409,
    "hold_gone": 409,
    "already_reversed": 409,
}


class TillRequest(HttpRequest):
    """A request whose key has been proven."""

    key: ApiKey
    spooled: Path | None


class Problem(Schema):
    """Why a request was not carried out; nothing of it was."""

    code: str
    message: str


class Answered(Exception):
    """Stops a request with a problem."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Signed:
    """Lets in requests that a key has signed."""

    def __call__(self, request: Any) -> ApiKey:
        if request.headers.get("Transfer-Encoding"):  # without a length nobody knows how much would come
            raise Answered(411, "length_required", _("请求须写明正文长度（Content-Length），不能分块发送。"))
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if length > limit_bytes():
            raise Answered(413, "too_large", _("请求正文太大，请拆成几个文件。"))
        request.spooled = None
        if request.path.endswith("/batches"):
            request.spooled, digest = _spool(request)
        else:
            digest = hashlib.sha256(request.body).hexdigest()
        given = request.headers
        try:
            request.key = keys.authenticate(
                name=given.get("X-Key", ""),
                moment=given.get("X-Time", ""),
                signed=given.get("X-Signature", ""),
                method=request.method,
                path=request.get_full_path(),
                body_digest=digest,
                at=timezone.now(),
            )
        except keys.NotAuthentic as refusal:
            if request.spooled:
                request.spooled.unlink()
            raise Answered(refusal.status, refusal.code, str(refusal)) from None
        return request.key  # type: ignore[no-any-return]


def _spool(request: HttpRequest) -> tuple[Path, str]:
    """The body on disk, and its digest: a large file is never in memory."""
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(prefix="xiezhi-batch-", delete=False) as file:
        while chunk := request.read(SPOOL):
            size += len(chunk)
            if size > limit_bytes():
                Path(file.name).unlink()
                raise Answered(413, "too_large", _("请求正文太大，请拆成几个文件。"))
            digest.update(chunk)
            file.write(chunk)
    return Path(file.name), digest.hexdigest()


api = NinjaAPI(
    title="协治 · 预付卡收银接口",
    version="1",
    urls_namespace="prepaid-api",
    auth=Signed(),
    description=__doc__ or "",
    docs_url=None,
)
PROBLEMS = dict.fromkeys((400, 401, 403, 404, 409, 411, 413, 422, 429), Problem)
IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")
]
WORDS = r"^[^\x00]*$"
"""Text that every database can hold: no NUL. What is no UTF-8, half of a surrogate pair, no pattern fits."""
Fen = Annotated[StrictInt, Field(gt=0, le=drafts.MOST_FEN, description="以分为单位的整数")]


@api.exception_handler(Answered)
def _answered(request: HttpRequest, problem: Answered) -> HttpResponse:
    return _problem(request, problem.status, problem.code, str(problem))


@api.exception_handler(Refused)
def _refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    code = refusal.code if isinstance(refusal, LedgerRefused) else "refused"
    return _problem(request, STATUS.get(code, 400), code, str(refusal))


@api.exception_handler(PermissionRefused)
def _not_permitted(request: HttpRequest, refusal: PermissionRefused) -> HttpResponse:
    return _problem(request, 403, "forbidden", str(refusal))


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, _error: Http404) -> HttpResponse:
    return _problem(request, 404, "not_found", _("没有这张卡、产品或业务。"))


@api.exception_handler(RequestDataTooBig)
def _too_big(request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    return _problem(request, 413, "too_large", _("请求正文太大，请拆成几个文件。"))


@api.exception_handler(HttpError)
def _unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _problem(request, error.status_code, "unreadable", _("请求正文不是 UTF-8 编码的 JSON，没有读懂。"))


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    places = ["/".join(str(part) for part in each["loc"][1:]) for each in error.errors]
    message = _("这些内容缺少或不符合要求：%(places)s。金额须是以分为单位的正整数。") % {"places": _("、").join(places)}
    return _problem(request, 422, "invalid", message)


def _problem(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    return api.create_response(request, {"code": code, "message": message}, status=status)


class Strict(Schema):
    """Unknown fields are refused: a misspelt one must not be ignored."""

    model_config = ConfigDict(extra="forbid")


class SaleIn(Strict):
    product: str = Field(pattern=WORDS)
    paid_fen: Fen
    holder_name: str = Field("", max_length=60, pattern=WORDS)
    holder_phone: str = Field("", max_length=20, pattern=WORDS)


class TopUpIn(Strict):
    paid_fen: Fen


class RedemptionIn(Strict):
    amount_fen: Fen | None = None
    uses: Annotated[StrictInt, Field(gt=0, le=100_000)] | None = None


class RefundIn(Strict):
    amount_fen: Fen | None = Field(None, description="不填为全部退还并停用卡")


class CardOut(Schema):
    number: str
    product: str
    status: str
    expires_on: str | None
    principal_fen: int
    bonus_fen: int
    uses: int
    held_fen: int


class OperationOut(Schema):
    """`after`: what the operation left in the purses it touched, as it was then; the same for every repetition."""

    operation: int
    kind: str
    phase: str
    at: datetime
    booked_at: datetime
    amount_fen: int
    after: dict[str, int]
    digest: str


class SaleOut(OperationOut):
    card: str
    holder_link: str | None = Field(None, description="持卡人自己的页面，只在第一次售给这位持卡人时给出")


class EntryOut(Schema):
    sequence: int
    operation: int
    kind: str
    phase: str
    purse: str
    change: int
    after: int
    at: datetime


class ProductOut(Schema):
    code: str
    name: str
    kind: str
    price_fen: int | None
    bonus_fen: int
    uses: int


class RefusedRowOut(Schema):
    number: int
    key: str
    code: str
    reason: str


class BatchOut(Schema):
    rows: int
    posted: int
    replayed: int
    refused: list[RefusedRowOut]


def _acting(request: Any, scope: str) -> Actor:
    key: ApiKey = request.key
    if scope not in key.scopes:
        raise PermissionRefused(_("这个密钥没有“%(scope)s”的权限。") % {"scope": ApiKey.Scope(scope).label})
    return keys.actor_of(key)


def _card(request: Any, number: str) -> Card:
    if "\0" in number:  # PostgreSQL cannot even be asked for it
        raise Http404
    found = Card.objects.filter(merchant_id=request.key.merchant_id, number=number)
    card: Card | None = found.select_related("product", "merchant", "holder").first()
    if card is None:
        raise Http404
    return card


def _operation(posted: posting.Posted) -> dict[str, Any]:
    first, after, amount = posted.entries[0], {}, 0
    accounts = Account.objects.in_bulk({each for entry in posted.entries for each in (entry.debit_id, entry.credit_id)})
    for entry in posted.entries:
        for pk, left in ((entry.debit_id, entry.debit_after), (entry.credit_id, entry.credit_after)):
            if accounts[pk].card_id is not None:
                after[f"{accounts[pk].purse}_fen" if accounts[pk].purse != Purse.USES else "uses"] = left
        if accounts[entry.debit_id].purse not in drafts.COUNTED:
            amount += entry.amount
    return {
        "operation": first.operation,
        "kind": first.kind,
        "phase": first.phase,
        "at": first.at,
        "booked_at": first.booked_at,
        "amount_fen": amount,
        "after": after,
        "digest": bytes(posted.entries[-1].digest).hex(),
    }


@api.get("/products", response={200: list[ProductOut], **PROBLEMS}, summary="在售产品")
def products(request: TillRequest) -> Any:
    _acting(request, ApiKey.Scope.READ)
    return Product.objects.filter(merchant_id=request.key.merchant_id, is_sold=True).order_by("code")


@api.post("/cards", response={200: SaleOut, **PROBLEMS}, summary="售卡")
def sell(request: TillRequest, sale: SaleIn, key: IdempotencyKey) -> Any:
    actor = _acting(request, ApiKey.Scope.SELL)
    product = (
        Product.objects.select_related("merchant")
        .filter(merchant_id=request.key.merchant_id, code=sale.product)
        .first()
    )
    if product is None:
        raise Http404
    holder = cards.HolderFacts(sale.holder_name, sale.holder_phone)
    done = cards.sell_card(
        product=product, paid_fen=sale.paid_fen, holder=holder, key=key, actor=actor, at=timezone.now(), source="api"
    )
    link = request.build_absolute_uri(f"/my/open/{done.token}/") if done.token else None
    return {**_operation(done.posted), "card": done.card.number, "holder_link": link}


@api.get("/cards/{number}", response={200: CardOut, **PROBLEMS}, summary="查询卡")
def card(request: TillRequest, number: str) -> Any:
    _acting(request, ApiKey.Scope.READ)
    found = _card(request, number)
    purses = cards.accounts_of(found)
    return {
        "number": found.number,
        "product": found.product.code,
        "status": found.status,
        "expires_on": found.expires_on.isoformat() if found.expires_on else None,
        "principal_fen": purses[Purse.PRINCIPAL].balance,
        "bonus_fen": purses[Purse.BONUS].balance,
        "uses": purses[Purse.USES].balance,
        "held_fen": purses[Purse.PRINCIPAL].held + purses[Purse.BONUS].held,
    }


@api.get("/cards/{number}/entries", response={200: list[EntryOut], **PROBLEMS}, summary="卡的最近 50 笔")
def entries(request: TillRequest, number: str, before: Annotated[int, Field(gt=0, lt=2**63)] | None = None) -> Any:
    _acting(request, ApiKey.Scope.READ)
    return queries.card_entries(_card(request, number), before=before)


@api.post("/cards/{number}/top-ups", response={200: OperationOut, **PROBLEMS}, summary="充值")
def top_up(request: TillRequest, number: str, given: TopUpIn, key: IdempotencyKey) -> Any:
    actor = _acting(request, ApiKey.Scope.SELL)
    return _operation(
        cards.top_up(
            card=_card(request, number), paid_fen=given.paid_fen, key=key, actor=actor, at=timezone.now(), source="api"
        )
    )


@api.post("/cards/{number}/redemptions", response={200: OperationOut, **PROBLEMS}, summary="核销")
def redeem(request: TillRequest, number: str, given: RedemptionIn, key: IdempotencyKey) -> Any:
    actor = _acting(request, ApiKey.Scope.REDEEM)
    if (given.amount_fen is None) == (given.uses is None):
        raise Answered(422, "invalid", _("amount_fen 和 uses 须有且只有一个。"))
    return _operation(
        cards.redeem(
            card=_card(request, number),
            amount_fen=given.amount_fen or 0,
            uses=given.uses or 0,
            key=key,
            actor=actor,
            at=timezone.now(),
            source="api",
        )
    )


@api.post("/cards/{number}/refunds", response={200: OperationOut, **PROBLEMS}, summary="退款")
def refund(request: TillRequest, number: str, given: RefundIn, key: IdempotencyKey) -> Any:
    actor = _acting(request, ApiKey.Scope.REFUND)
    return _operation(
        cards.refund(
            card=_card(request, number),
            amount_fen=given.amount_fen,
            key=key,
            actor=actor,
            at=timezone.now(),
            source="api",
        )
    )


@api.post("/operations/{operation}/void", response={200: OperationOut, **PROBLEMS}, summary="取消待确认的核销")
def void(request: TillRequest, operation: int, key: IdempotencyKey) -> Any:
    actor = _acting(request, ApiKey.Scope.REDEEM)
    return _own_operation(request, operation, lambda: posting.settle(
        book_id=request.key.merchant_id, operation=operation, phase=Phase.VOIDED, key=key,
        booked_at=timezone.now(), source="api", actor_user_id=actor.user_id,
    ))  # fmt: skip


@api.post("/operations/{operation}/reversal", response={200: OperationOut, **PROBLEMS}, summary="冲正核销")
def reverse(request: TillRequest, operation: int, key: IdempotencyKey) -> Any:
    actor = _acting(request, ApiKey.Scope.REFUND)
    return _own_operation(request, operation, lambda: posting.reverse(
        book_id=request.key.merchant_id, operation=operation, key=key,
        booked_at=timezone.now(), source="api", actor_user_id=actor.user_id,
    ))  # fmt: skip


def _own_operation(request: TillRequest, operation: int, act: Callable[[], posting.Posted]) -> dict[str, Any]:
    """Tills take back redemptions only: money in custody and refunds are not theirs to move."""
    first = Entry.objects.filter(book_id=request.key.merchant_id, sequence=operation, leg=0).first()
    if first is None or first.kind != drafts.Kind.REDEMPTION:
        raise Http404
    return _operation(act())


@api.post("/batches", response={**PROBLEMS, 200: BatchOut, 409: BatchOut}, summary="批量核销文件（CSV 或 Parquet）",
          openapi_extra={"requestBody": {"required": True, "content": {
              "text/csv": {"schema": {"type": "string"}},
              "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}}}}})  # fmt: skip
def batch(request: TillRequest) -> Any:
    path = request.spooled
    assert path is not None
    try:
        actor = _acting(request, ApiKey.Scope.BATCH)
        done = batches.post_redemptions(
            merchant=request.key.merchant, path=path, actor=actor, at=timezone.now(), source="api"
        )
    finally:
        path.unlink()
    return (409 if done.refused else 200), done
