"""Corrections at the desk (冲正): one person asks with a reason, a second one agrees, and the mirror image is posted."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.domains.prepaid.ledger.drafts import COUNTED, Kind, Phase
from xiezhi.domains.prepaid.models import Account, Card, Entry, Merchant, Reversal, ReversalStatus
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.services import posting
from xiezhi.domains.prepaid.services.cards import lock_book
from xiezhi.domains.prepaid.services.custody import check_custody
from xiezhi.domains.prepaid.services.merchants import require_own
from xiezhi.domains.prepaid.services.webhooks import announce
from xiezhi.domains.prepaid.workflow import OF_CARDS, REVERSAL, REVERSIBLE
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.notices.services import notify, people_holding
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance


@transaction.atomic
def request_reversal(*, merchant: Merchant, operation: int, reason: str, actor: Actor, at: datetime) -> Reversal:
    """Ask for an operation to be taken back. The merchant's managers ask for their own, banks for the fees they noted, the regulator for any.

    Raises Refused for an operation that is not there, cannot be reversed or is asked for already, PermissionRefused for others' books.
    """
    entries = posting.entries_of(merchant.pk, operation)
    if not entries:
        raise Refused(_("账簿里没有业务号 %(number)s，请核对。") % {"number": operation})
    accounts = Account.objects.select_related("card", "bank_account").in_bulk(
        {pk for entry in entries for pk in (entry.debit_id, entry.credit_id)}
    )
    bank_account = next((each.bank_account for each in accounts.values() if each.bank_account), None)
    kind = entries[0].kind
    own_fee = kind == Kind.BANK_FEE and bank_account is not None and bank_account.bank_id == actor.organisation_id
    if not (actor.can(May.SUPERVISE) or (own_fee and actor.can(May.REPORT))):
        require_own(merchant, actor, May.OPERATE)
    if actor.user_id is None:
        raise PermissionRefused(_("冲正须由具名人员提出。"))
    if not reason.strip():
        raise Refused(_("请写明冲正的理由。"))
    lock_book(merchant.pk)
    _require_reversible(merchant, entries, [each.card for each in accounts.values() if each.card])
    reversal = Reversal.objects.create(
        merchant=merchant,
        operation=operation,
        kind=kind,
        amount_fen=sum(each.amount for each in entries if accounts[each.debit_id].purse not in COUNTED),
        card=next((each.card for each in accounts.values() if each.card), None),
        bank_account=bank_account,
        reason=reason.strip()[:200],
        requested_by=actor.user_id,
        requested_at=at,
    )
    record("prepaid.reversal.requested", reversal, actor=actor, at=at, operation=operation, kind=kind)
    _ask(reversal, actor, at)
    return reversal


@transaction.atomic
def decide_reversal(
    *, reversal: Reversal, move: str, actor: Actor, at: datetime, reason: str = "", seen_status: str | None = None
) -> Reversal:
    """Make one move of the request's table; agreeing posts the reversal. Never by the person who asked.

    Raises what `advance` raises; Overdrawn when what was booked has been spent since, Closed when the card was closed.
    """
    lock_book(reversal.merchant_id)
    moved = advance(
        REVERSAL,
        reversal,
        move,
        actor=actor,
        at=at,
        reason=reason,
        changes={"note": reason.strip()[:200], "decided_by": actor.user_id},
        seen_status=seen_status,
    )
    if moved.status == ReversalStatus.APPROVED:
        posted = posting.reverse(
            book_id=moved.merchant_id,
            operation=moved.operation,
            key=f"reversal:{moved.pk}",
            booked_at=at,
            actor_user_id=actor.user_id,
        )
        moved.posted = posted.operation
        moved.save(update_fields=["posted"])
        announce(moved.merchant_id, "operation.reversed", {"operation": moved.operation}, at=at)
        check_custody([moved.merchant], at=at)
    return moved


def _require_reversible(merchant: Merchant, entries: list[Entry], cards: list[Card]) -> None:
    first = entries[0]
    if first.kind not in REVERSIBLE or first.phase not in {Phase.POSTED, Phase.CONFIRMED}:
        raise Refused(_("“%(kind)s（%(phase)s）”不能冲正，请用相应的业务更正。") % {
            "kind": first.get_kind_display(), "phase": first.get_phase_display()
        })  # fmt: skip
    if any(card.status == Card.Status.CLOSED for card in cards):
        raise Refused(_("这张卡已经停用，它的业务不能再冲正。"))
    if Entry.objects.filter(book_id=merchant.pk, refers=first.operation, leg=0).exists():
        raise Refused(_("这笔业务已经冲正过。"))
    asked = Reversal.objects.filter(merchant=merchant, operation=first.operation, status=ReversalStatus.REQUESTED)
    if asked.exists():
        raise Refused(_("这笔业务已经有人提出冲正，正在等待复核。"))


def _ask(reversal: Reversal, actor: Actor, at: datetime) -> None:
    """Tell those who can agree."""
    people = people_holding(May.SUPERVISE, organisation_ids=None, at=at)
    if reversal.kind in OF_CARDS and reversal.merchant.organisation_id:
        people = people_holding(May.OPERATE, organisation_ids=[reversal.merchant.organisation_id], at=at) + people
    notify(
        [each for each in people if each != actor.user_id],
        key=f"prepaid.reversal:{reversal.pk}",
        title=_("冲正申请待复核"),
        body=str(reversal.merchant),
        at=at,
        link=f"/desk/prepaid/reversals/{reversal.pk}/",
    )
