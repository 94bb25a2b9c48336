"""Holders' objections to what is on their cards (异议)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.domains.prepaid.models import Card, Dispute
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.queries.cards import operation_of
from xiezhi.domains.prepaid.services.merchants import require_own
from xiezhi.domains.prepaid.services.webhooks import announce
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.notices.services import notify, people_holding
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused


@transaction.atomic
def raise_dispute(*, card: Card, operation: int, words: str, at: datetime) -> Dispute:
    """The holder (who proved to be one by the card's link) objects to an operation. Raises Refused for one that is not the card's,
    AlreadyDone when it is objected to."""
    if not words.strip():
        raise Refused(_("请写明哪里不对。"))
    if not operation_of(card, operation):
        raise Refused(_("这张卡上没有这笔业务。"))
    if Dispute.objects.filter(card=card, operation=operation).exists():
        raise AlreadyDone(_("已经提出异议，经营者会答复。"))
    dispute = Dispute.objects.create(
        merchant=card.merchant, card=card, operation=operation, words=words.strip()[:300], raised_at=at
    )
    announce(card.merchant_id, "dispute.raised", {"card": card.number, "operation": operation}, at=at)
    people = people_holding(May.SUPERVISE, organisation_ids=None, at=at)
    if card.merchant.organisation_id:
        people += people_holding(May.OPERATE, organisation_ids=[card.merchant.organisation_id], at=at)
    notify(
        people,
        key=f"prepaid.dispute:{dispute.pk}",
        title=_("持卡人对一笔业务提出异议"),
        body=str(card.merchant),
        at=at,
        link=f"/desk/prepaid/disputes/{dispute.pk}/",
    )
    return dispute


@transaction.atomic
def answer_dispute(*, dispute: Dispute, answer: str, actor: Actor, at: datetime) -> Dispute:
    """The merchant's answer; money is put right by an operation of its own. Raises Refused when answered already."""
    require_own(dispute.merchant, actor, May.OPERATE)
    locked: Dispute = Dispute.objects.select_for_update(of=("self",)).get(pk=dispute.pk)
    if locked.status != Dispute.Status.OPEN:
        raise Refused(_("这条异议已经答复。"))
    if not answer.strip():
        raise Refused(_("请写明答复。"))
    locked.answer, locked.status, locked.answered_at = answer.strip()[:300], Dispute.Status.ANSWERED, at
    locked.save(update_fields=["answer", "status", "answered_at"])
    record("prepaid.dispute_answered", locked, actor=actor, at=at)
    return locked
