"""Money under supervision: deposits, releases that the regulator approves, bank fees, guarantees; shortfalls found and mended."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.prepaid import rules
from xiezhi.domains.prepaid.ledger import drafts
from xiezhi.domains.prepaid.ledger.drafts import Draft, Kind, Leg, Phase, Purse, request_digest
from xiezhi.domains.prepaid.models import Account, BankAccount, Merchant, Release, ReleaseStatus, Shortfall
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.queries import custody as queries
from xiezhi.domains.prepaid.services import posting
from xiezhi.domains.prepaid.services.cards import book_accounts, lock_book
from xiezhi.domains.prepaid.services.merchants import require_own
from xiezhi.domains.prepaid.services.posting import Posted
from xiezhi.domains.prepaid.workflow import RELEASE
from xiezhi.domains.registry.services import add_to_timeline
from xiezhi.foundation.access.actors import SYSTEM, Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.events.services import publish
from xiezhi.foundation.notices.services import notify, people_holding
from xiezhi.foundation.rules.queries import reading
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance

Move = tuple[str | int, str | int, int]
"""Debit, credit, amount; an account by id, or by purse where it is the book's own."""


@transaction.atomic
def deposit(*, account: BankAccount, amount_fen: int, reference: str, actor: Actor, at: datetime) -> Posted:
    """Note money paid into custody. `reference` is the bank's number of the payment: once each, and what it is later matched by."""
    require_own(account.merchant, actor, May.OPERATE)
    posted = _post(
        account.merchant_id,
        Kind.DEPOSIT,
        [(_custody(account).pk, Purse.FUNDS, amount_fen)],
        _reference(reference),
        actor,
        at,
    )
    check_custody([account.merchant], at=at)
    return posted


@transaction.atomic
def note_bank_fee(*, account: BankAccount, amount_fen: int, reference: str, actor: Actor, at: datetime) -> Posted:
    """A fee that the bank took from custody. Raises Overdrawn for more than is there."""
    actor.require(May.REPORT if actor.organisation_id == account.bank_id else May.SUPERVISE)
    legs: list[Move] = [(Purse.FEES, _custody(account).pk, amount_fen)]
    posted = _post(account.merchant_id, Kind.BANK_FEE, legs, _reference(reference), actor, at)
    check_custody([account.merchant], at=at)
    return posted


@transaction.atomic
def grant_guarantee(*, merchant: Merchant, amount_fen: int, reference: str, actor: Actor, at: datetime) -> Posted:
    """A guarantee (保函、保证保险) that stands in for custody. `reference`: its number, once."""
    actor.require(May.SUPERVISE)
    legs: list[Move] = [(Purse.GUARANTEE, Purse.GUARANTEE_GIVEN, amount_fen)]
    posted = _post(merchant.pk, Kind.GUARANTEE, legs, _reference(reference), actor, at)
    check_custody([merchant], at=at)
    return posted


@transaction.atomic
def call_guarantee(*, account: BankAccount, amount_fen: int, reference: str, actor: Actor, at: datetime) -> Posted:
    """The guarantor pays into custody (代偿): so much less is guaranteed, and the merchant owes it. Raises Overdrawn beyond the guarantee."""
    actor.require(May.SUPERVISE)
    legs: list[Move] = [
        (_custody(account).pk, Purse.GUARANTOR, amount_fen),
        (Purse.GUARANTEE_GIVEN, Purse.GUARANTEE, amount_fen),
    ]
    posted = _post(account.merchant_id, Kind.GUARANTEE_CALL, legs, _reference(reference), actor, at)
    check_custody([account.merchant], at=at)
    return posted


@transaction.atomic
def pay_refund(
    *,
    merchant: Merchant,
    amount_fen: int,
    reference: str,
    actor: Actor,
    at: datetime,
    account: BankAccount | None = None,
) -> Posted:
    """Pay what is owed as refunds, from the merchant's own money or from its custody account. `reference`: the payment's number, once.

    Raises Overdrawn for more than is owed, or than is in custody.
    """
    require_own(merchant, actor, May.OPERATE)
    if account is not None and account.merchant_id != merchant.pk:
        raise PermissionRefused(_("只能从本单位的存管账户付款。"))
    paid_from: str | int = Purse.FUNDS if account is None else _custody(account).pk
    posted = _post(
        merchant.pk, Kind.REFUND_PAID, [(Purse.REFUNDS, paid_from, amount_fen)], _reference(reference), actor, at
    )
    check_custody([merchant], at=at)
    return posted


@transaction.atomic
def request_release(
    *, account: BankAccount, amount_fen: int, purpose: str, key: str, actor: Actor, at: datetime
) -> Release:
    """Ask to take money out of custody; it is held until the regulator decides. Raises Overdrawn for more than is free."""
    merchant = account.merchant
    require_own(merchant, actor, May.OPERATE)
    if not purpose.strip():
        raise Refused(_("请写明用途。"))
    expires_at = at + timedelta(days=reading(rules.RELEASE_DAYS, on=timezone.localdate(at)).value)
    legs: list[Move] = [(Purse.FUNDS, _custody(account).pk, amount_fen)]
    posted = _post(merchant.pk, Kind.RELEASE, legs, key, actor, at, phase=Phase.PENDING, expires_at=expires_at)
    if posted.replayed:
        return Release.objects.get(merchant=merchant, operation=posted.operation)
    release = Release.objects.create(
        merchant=merchant,
        bank_account=account,
        amount_fen=amount_fen,
        purpose=purpose.strip(),
        operation=posted.operation,
        requested_at=at,
        expires_at=expires_at,
    )
    record("prepaid.release.requested", release, actor=actor, at=at, amount_fen=amount_fen)
    notify(
        people_holding(May.SUPERVISE, organisation_ids=None, at=at),
        key=f"prepaid.release:{release.pk}",
        title=_("支取申请待批准"),
        body=str(merchant),
        at=at,
        link=f"/desk/prepaid/releases/{release.pk}/",
    )
    return release


@transaction.atomic
def decide_release(
    *, release: Release, move: str, actor: Actor, at: datetime, reason: str = "", seen_status: str | None = None
) -> Release:
    """Make one move of the request's table. Approving posts the hold; every other end sets it free.

    Approving is refused when custody would no longer meet the requirement. Raises what `advance` raises, and Refused.
    """
    lock_book(release.merchant_id)
    moved = advance(
        RELEASE,
        release,
        move,
        actor=actor,
        at=at,
        reason=reason,
        changes={"reason": reason.strip()},
        seen_status=seen_status,
    )
    if moved.status == ReleaseStatus.APPROVED:
        day = queries.position(release.merchant, on=timezone.localdate(at))
        if day.gap + release.amount_fen > 0:
            raise Refused(_("支取后存管资金将低于应存金额，不能批准。请先核对应存与担保。"))
    phases = {ReleaseStatus.APPROVED: Phase.CONFIRMED, ReleaseStatus.EXPIRED: Phase.EXPIRED}
    phase = phases.get(ReleaseStatus(moved.status), Phase.VOIDED)
    posting.settle(
        book_id=release.merchant_id,
        operation=release.operation,
        phase=phase,
        key=f"release:{release.pk}:{phase}",
        booked_at=at,
        source="system" if actor.is_system else "desk",
        actor_user_id=actor.user_id,
    )
    check_custody([release.merchant], at=at)
    return moved


def expire_releases(*, at: datetime) -> int:
    """End the requests that nobody decided in time; returns how many. For the ticker, before holds expire."""
    due = list(Release.objects.filter(status=ReleaseStatus.REQUESTED, expires_at__lte=at).select_related("merchant"))
    for release in due:
        decide_release(release=release, move="expire", actor=SYSTEM, at=at)
    return len(due)


@transaction.atomic
def check_custody(merchants: Iterable[Merchant], *, at: datetime) -> int:
    """Open, update or close each merchant's shortfall by where it stands today; returns how many are open. Idempotent."""
    today, chosen, still_open = timezone.localdate(at), list(merchants), 0
    found = queries.positions(chosen, first=today, last=today)
    standing = {each.merchant_id: each for each in Shortfall.objects.filter(merchant__in=chosen, closed_on=None)}
    for merchant in chosen:
        gap, shortfall = found[merchant.pk][0].gap, standing.get(merchant.pk)
        still_open += gap > 0
        if gap > 0 and shortfall is None:
            made = Shortfall.objects.create(merchant=merchant, gap_fen=gap, worst_fen=gap, opened_on=today)
            _tell(made, _("存管资金低于应存金额"), at)
            publish("prepaid.shortfall_opened", at=at, merchant_id=merchant.pk, subject_id=merchant.subject_id)
        elif gap > 0 and shortfall is not None and shortfall.gap_fen != gap:
            Shortfall.objects.filter(pk=shortfall.pk).update(gap_fen=gap, worst_fen=max(gap, shortfall.worst_fen))
        elif gap <= 0 and shortfall is not None:
            Shortfall.objects.filter(pk=shortfall.pk).update(gap_fen=0, closed_on=today)
            title = _("存管缺口已经补足")
            add_to_timeline(subject=merchant.subject, kind="prepaid.shortfall_closed", title=title, at=at)
            publish("prepaid.shortfall_closed", at=at, merchant_id=merchant.pk, subject_id=merchant.subject_id)
    return still_open


def _tell(shortfall: Shortfall, title: str, at: datetime) -> None:
    merchant = shortfall.merchant
    people = people_holding(May.SUPERVISE, organisation_ids=None, at=at)
    if merchant.organisation_id:
        people += people_holding(May.OPERATE, organisation_ids=[merchant.organisation_id], at=at)
    add_to_timeline(subject=merchant.subject, kind="prepaid.shortfall_opened", title=title, at=at)
    notify(
        people,
        key=f"prepaid.shortfall:{shortfall.pk}",
        title=title,
        body=str(merchant),
        at=at,
        level="urgent",
        link=f"/desk/prepaid/{merchant.pk}/",
    )


def _custody(account: BankAccount) -> Account:
    return Account.objects.get(bank_account=account)


def _reference(reference: str) -> str:
    """A reference as a key: the same payment can be noted once."""
    return f"ref:{reference.strip()}"


def _post(
    book_id: int,
    kind: str,
    legs: Sequence[Move],
    key: str,
    actor: Actor,
    at: datetime,
    **more: object,
) -> Posted:
    """Post between accounts given by id, or by purse for the book's own."""
    ours = book_accounts(book_id)
    found = tuple(
        Leg(
            debit if isinstance(debit, int) else ours[debit],
            credit if isinstance(credit, int) else ours[credit],
            drafts.check_amount(amount),
        )
        for debit, credit, amount in legs
    )
    request = request_digest({"kind": str(kind), "legs": [(leg.debit, leg.credit, leg.amount) for leg in found]})
    draft = Draft(book_id, kind, found, key, request, at, actor_user_id=actor.user_id, **more)  # type: ignore[arg-type]
    return posting.post(draft, booked_at=at)
