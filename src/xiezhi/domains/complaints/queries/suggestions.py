"""What pages show of suggestions: for a form that is being filled in, for a case, and how often people took them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.utils import timezone

from xiezhi.domains.complaints.models import Case, Suggestion, TextModel
from xiezhi.domains.complaints.queries.likeness import Duplicate, duplicates, facts, facts_of, text_of
from xiezhi.domains.complaints.queries.loaded import use_now
from xiezhi.domains.complaints.queries.reading import READ, Known, Offer, read
from xiezhi.domains.complaints.services.people import may_see_person, phone_digest
from xiezhi.domains.registry.models import Subject
from xiezhi.engines.text.extract import personal
from xiezhi.foundation.access.actors import Actor

KIND, OUTCOME = Suggestion.Kind, Suggestion.Outcome
COUNTED = timedelta(days=90)
MOST_PHONES = 3


@dataclass(frozen=True)
class Offered:
    """An offer for a form, and whether the form holds it already."""

    offer: Offer
    taken: bool

    @property
    def sent(self) -> str:
        """What a button sends when no script fills the fields."""
        return urlencode(self.offer.fills)

    @property
    def filled(self) -> str:
        """The same for a script."""
        return json.dumps(dict(self.offer.fills), ensure_ascii=False)


@dataclass(frozen=True)
class Looked:
    """What there is to say about a text while it is being typed."""

    offers: tuple[Offered, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    model: TextModel | None = None


def look(given: Mapping[str, Any], *, actor: Actor, at: datetime) -> Looked:
    """Offers and possible duplicates for the fields of an intake form as they stand, whatever is missing or wrong in them."""
    said = {name: str(getattr(value, "pk", value)).strip() for name, value in given.items() if value is not None}
    text = said.get("description") or said.get("title", "")
    if not text:
        return Looked()
    respondent = said.get("respondent_name", "")
    on = timezone.localdate(at)
    known = Known(category_id=_key(said.get("category")), street_id=_key(said.get("street")))
    reading = read(f"{respondent} {said.get('place', '')}\n{text}", on=on, known=known)
    shown = [each for each in reading.offers if each.fills or each.kind in {KIND.UNIT, KIND.HOSTILE}]
    offers = tuple(
        Offered(each, bool(each.fills) and all(said.get(name) == value for name, value in each.fills.items()))
        for each in shown
    )
    code = said.get("subject_code", "").upper()
    subject_id = Subject.objects.filter(code=code).values_list("pk", flat=True).first() if code else None
    merchant = facts(subject_id=subject_id, mall_id=_key(said.get("mall")), respondent_name=respondent)
    told = [each.text for each in personal(text[:READ]) if each.kind == "phone"]
    digests = [phone_digest(each) for each in (said.get("phone", ""), *told[:MOST_PHONES])]
    same = duplicates(text, actor=actor, known=merchant, day=on, digests=digests)
    use = use_now()
    return Looked(offers, tuple(same), use.model if use else None)


def _key(value: str | None) -> int | None:
    return int(value) if value and value.isdecimal() and len(value) < 19 else None


def similar_to(case: Case, actor: Actor) -> list[Duplicate]:
    """Cases that may be the same matter as this one. The same person is looked for only by those who may know who it is."""
    digests = [party.phone_digest for party in case.parties.all()] if may_see_person(case, actor) else []
    day = timezone.localdate(case.received_at)
    return duplicates(text_of(case), actor=actor, known=facts_of(case), day=day, digests=digests, besides=case.pk)


@dataclass(frozen=True)
class Shown:
    """A kept suggestion on the case's page: what stands there now, and whether this person may take it."""

    row: Suggestion
    now: str
    may_take: bool

    @property
    def taken(self) -> bool:
        """It stands in the case."""
        return self.now == self.row.value

    @property
    def percent(self) -> int | None:
        """The confidence in whole per cent."""
        return None if self.row.confidence is None else round(self.row.confidence * 100)


@dataclass(frozen=True)
class Adoption:
    """Of one kind: how many were suggested with confidence, how many of these people decided on, and how many they took."""

    kind: str
    label: str
    suggested: int
    unsure: int
    decided: int
    accepted: int

    @property
    def corrected(self) -> int:
        """Decided otherwise."""
        return self.decided - self.accepted

    @property
    def percent(self) -> int | None:
        """采纳率: taken out of decided; None where nothing was decided."""
        return round(100 * self.accepted / self.decided) if self.decided else None


def adoption(*, at: datetime, days: timedelta = COUNTED) -> list[Adoption]:
    """采纳率 of each kind over the suggestions of the last `days`, in one query."""
    sure, decided = Q(sure=True), Q(sure=True) & ~Q(outcome="")
    rows = Suggestion.objects.filter(at__gt=at - days).values("kind").annotate(
        suggested=Count("pk", filter=sure), unsure=Count("pk", filter=~sure), decided=Count("pk", filter=decided),
        accepted=Count("pk", filter=Q(sure=True, outcome=OUTCOME.ACCEPTED)),
    )  # fmt: skip
    found = {row["kind"]: {name: row[name] for name in ("suggested", "unsure", "decided", "accepted")} for row in rows}
    nothing = {"suggested": 0, "unsure": 0, "decided": 0, "accepted": 0}
    return [Adoption(kind, str(label), **found.get(kind, nothing)) for kind, label in KIND.choices]
