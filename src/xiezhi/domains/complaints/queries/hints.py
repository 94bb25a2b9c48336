"""Hints for a person who decides: the same person's cases, and the factors of art. 17. Counts with links; nothing here decides anything."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.complaints import rules
from xiezhi.domains.complaints.models import Case, ComplaintParty
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.queries.reading import likely_unit
from xiezhi.domains.complaints.words import Kind
from xiezhi.domains.complaints.workorders import is_mixed
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules.queries import Reading, rule_book

YEAR = timedelta(days=365)
SHOWN = 10
MOST_READ = 200


@dataclass(frozen=True)
class Hint:
    """One factor: a sentence with its count, the rule it is measured by, and the cases behind it that the reader may see."""

    text: str
    reading: Reading[int] | None
    cases: list[Case]


def suggested_unit(case: Case) -> Organisation | None:
    """Who probably handles a case, by who handled the like: a suggestion for the dispatcher, who decides."""
    offer = next(iter(likely_unit(case.category_id, case.street_id)), None)
    return Organisation.objects.get(pk=int(offer.value)) if offer else None


def same_person(case: Case, actor: Actor) -> QuerySet[Case]:
    """Other cases under the same telephone number that the actor sees, newest first; reports stay with those who handle them."""
    digests = [party.phone_digest for party in case.parties.all() if party.phone_digest]
    if not digests:
        return Case.objects.none()
    theirs = ComplaintParty.objects.filter(phone_digest__in=digests).values("case_id")
    found = Case.objects.visible_to(actor).filter(pk__in=theirs).exclude(pk=case.pk)
    return found.exclude(kind=Kind.REPORT).in_brief().order_by("-received_at")


def missing_material(case: Case) -> list[str]:
    """What art. 10 asks of a complaint and is not there yet."""
    people = [party for party in case.parties.all() if not party.anonymous]
    missing = []
    if not any(party.name for party in people):
        missing.append(_("真实姓名"))
    if not any(party.phone for party in people):
        missing.append(_("联系电话"))
    if not any(party.address for party in people):
        missing.append(_("通讯地址"))
    if not case.respondent:
        missing.append(_("被投诉人名称"))
    if not (case.respondent_address or case.premises_id):
        missing.append(_("被投诉人地址"))
    if not (case.demand or case.demand_text):
        missing.append(_("具体的投诉请求"))
    return missing


def claim_hints(case: Case, actor: Actor) -> list[Hint]:
    """The factors of art. 17 that the books show for a complaint. None of them alone, nor all of them, refuses it: a person decides."""
    if case.kind != Kind.COMPLAINT:
        return []
    book = rule_book(rules.CLAIM_CASES, rules.CLAIM_SHARERS).readings(on=timezone.localdate(case.received_at))
    many, sharers = book.get(rules.CLAIM_CASES.key), book.get(rules.CLAIM_SHARERS.key)
    year = same_person(case, actor).filter(
        kind=Kind.COMPLAINT, received_at__gt=case.received_at - YEAR, received_at__lte=case.received_at
    )
    hints = []
    if many and (count := year.count() + 1) >= many.value:
        hints.append(Hint(_("同一电话一年内投诉 %(n)s 件（含本件）") % {"n": count}, many, list(year[:SHOWN])))
    same = (
        year.filter(subject_id=case.subject_id)
        if case.subject_id
        else year.filter(respondent_name=case.respondent_name)
    )
    if (case.subject_id or case.respondent_name) and (count := same.count()):
        hints.append(Hint(_("其中对同一被诉方 %(n)s 件") % {"n": count}, many, list(same[:SHOWN])))
    if sharers and (count := _people_sharing(case)) >= sharers.value:
        hints.append(Hint(_("同一电话或者地址先后有 %(n)s 个姓名使用") % {"n": count}, sharers, []))
    return hints


def _people_sharing(case: Case) -> int:
    """How many names were used with one of the case's telephone numbers or addresses."""
    most = 0
    for party in case.parties.all():
        for column in ("phone_digest", "address_digest"):
            if value := getattr(party, column):
                sharing = ComplaintParty.objects.filter(**{column: value})[:MOST_READ]
                most = max(most, len({each.name for each in sharing if each.name}))
    return most


def mixed_material(case: Case, actor: Actor) -> bool:
    """Whether to offer that the report half of a complaint be split off (art. 9): its text asks for both, and nobody has done so yet."""
    if case.kind != Kind.COMPLAINT or not case.is_open or not actor.can(May.REGISTER):
        return False
    told = any("report" in number.told.get("kinds", "") for number in case.numbers.all())
    return (told or is_mixed(case.kind, case.description)) and not case.parts.exists()
