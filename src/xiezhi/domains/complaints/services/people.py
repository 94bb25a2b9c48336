"""诉求人: the people behind cases, kept in one table, opened only with a purpose and a trace."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Case, ComplaintParty, PartyOpening
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.texts import clean
from xiezhi.domains.complaints.words import Kind
from xiezhi.domains.complaints.workflow import own_unit
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.privacy.services import note_opening, note_openings
from xiezhi.foundation.workflow.errors import Refused


@dataclass(frozen=True)
class Person:
    """Who brings a case, as far as they said. Nothing is required to be heard; what art. 10 asks for is judged when accepting."""

    name: str = ""
    phone: str = ""
    address: str = ""
    email: str = ""
    anonymous: bool = False
    may_call_back: bool = True
    identity_checked: bool = False
    role: str = ComplaintParty.Role.PERSON
    account_id: int | None = None


def phone_key(phone: str) -> str:
    """What two ways of writing one number have in common: its digits without +86; empty for none."""
    digits = re.sub(r"\D", "", phone)
    return digits[-11:] if len(digits) > 11 and digits.startswith(("86", "0086")) else digits


def digest(kind: str, text: str) -> str:
    """A keyed digest: finds the same phone or address again, tells nobody what it is. Empty for nothing."""
    return salted_hmac(f"xiezhi.complaints.{kind}", text, algorithm="sha256").hexdigest() if text else ""


def phone_digest(phone: str) -> str:
    """The digest under which a number's cases are found, however it is written."""
    return digest("phone", phone_key(phone))


def add_party(case: Case, person: Person) -> ComplaintParty:
    """Enter a person of a case, in the caller's transaction."""
    party = new_party(case, person)
    party.save()
    return party


def new_party(case: Case, person: Person) -> ComplaintParty:
    """A person of a case, not yet saved."""
    address = clean(person.address)[:200]
    return ComplaintParty(
        case=case,
        role=person.role,
        name=clean(person.name)[:60],
        phone=clean(person.phone)[:40],
        address=address,
        email=clean(person.email)[:120],
        phone_digest=phone_digest(person.phone),
        address_digest=digest("address", re.sub(r"\s", "", address)),
        anonymous=person.anonymous,
        may_call_back=person.may_call_back,
        identity_checked=person.identity_checked,
        account_id=person.account_id,
    )


def may_see_person(case: Case, actor: Actor) -> bool:
    """Whether the post may open who this is: of a report, only the unit that handles it and the dispatchers (art. 37)."""
    if not actor.can(May.SEE_PERSON):
        return False
    return case.kind != Kind.REPORT or actor.can(May.DISPATCH) or own_unit(case, actor)


@transaction.atomic
def open_party(*, party: ComplaintParty, purpose: str, actor: Actor, at: datetime) -> PartyOpening:
    """Let somebody see a person's data in full, and write down that they did and what for (留痕).

    Raises PermissionRefused for posts and units that may not, Refused without a purpose.
    """
    if actor.user_id is None or actor.membership_id is None or not may_see_person(party.case, actor):
        raise PermissionRefused(
            _("您的岗位不能打开这位诉求人的信息。举报人信息只有承办单位和派单员可以打开（第三十七条）。")
        )
    if not purpose.strip():
        raise Refused(_("请写明用途，例如：联系核实。"))
    opening = PartyOpening.objects.create(
        party=party, by_id=actor.user_id, membership_id=actor.membership_id, purpose=purpose.strip()[:200], at=at
    )
    note_opening(row=party, reason=purpose, actor=actor, at=at)
    record("complaints.person.opened", party.case, actor=actor, at=at, party=party.pk)
    return opening


@transaction.atomic
def open_parties(*, parties: Sequence[ComplaintParty], purpose: str, actor: Actor, at: datetime) -> int:
    """`open_party` for the people of an export, each with their own trace; returns how many. The caller leaves out whom the post may not
    see. Raises PermissionRefused for such a one all the same, Refused without a purpose."""
    if (
        actor.user_id is None
        or actor.membership_id is None
        or not all(may_see_person(each.case, actor) for each in parties)
    ):
        raise PermissionRefused(_("您的岗位不能导出这些诉求人的信息。"))
    if not purpose.strip():
        raise Refused(_("请写明用途，例如：回填 12345 系统。"))
    PartyOpening.objects.bulk_create(
        PartyOpening(
            party=party, by_id=actor.user_id, membership_id=actor.membership_id, purpose=purpose.strip()[:200], at=at
        )
        for party in parties
    )
    note_openings(rows=parties, reason=purpose, actor=actor, at=at)
    return len(parties)


@transaction.atomic
def amend_party(*, party: ComplaintParty, person: Person, actor: Actor, at: datetime) -> ComplaintParty:
    """Correct or complete a person's data. The audit says which fields changed, never what they hold."""
    if not may_see_person(party.case, actor):
        raise PermissionRefused(_("您的岗位不能修改这位诉求人的信息。"))
    address = clean(person.address)[:200]
    values = {
        "name": clean(person.name)[:60],
        "phone": clean(person.phone)[:40],
        "address": address,
        "email": clean(person.email)[:120],
        "anonymous": person.anonymous,
        "may_call_back": person.may_call_back,
        "identity_checked": person.identity_checked,
    }
    changed = sorted(name for name, value in values.items() if getattr(party, name) != value)
    for name, value in values.items():
        setattr(party, name, value)
    party.phone_digest = phone_digest(person.phone)
    party.address_digest = digest("address", re.sub(r"\s", "", address))
    party.save()
    record("complaints.person.amended", party.case, actor=actor, at=at, party=party.pk, fields=changed)
    return party
