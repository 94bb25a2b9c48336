"""The links by which card holders, who have no account, reach their own pages."""

from datetime import datetime

from django.db import transaction

from xiezhi.domains.prepaid.models import Card
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.services.cards import renew_link
from xiezhi.domains.prepaid.services.merchants import require_own
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record


@transaction.atomic
def hand_out_link(*, card: Card, actor: Actor, at: datetime) -> str:
    """A new link's token for the card's holder; the one before it opens nothing any more. Raises PermissionRefused for others' cards."""
    require_own(card.merchant, actor, May.OPERATE)
    token = renew_link(card.holder)
    record("prepaid.link_renewed", card, actor=actor, at=at)
    return token
