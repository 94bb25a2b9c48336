"""Whether a matter has been brought before: cases in any state that are near in wording, about the same merchant or place, or from the same
telephone number, as far as the person who asks may see them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models.functions import Substr
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Case, CaseKey, ComplaintParty
from xiezhi.domains.complaints.services.people import may_see_person
from xiezhi.domains.complaints.words import CaseStatus
from xiezhi.engines.text import nearness
from xiezhi.foundation.access.actors import Actor

READ = 20_000
"""Characters of a text that are kept under keys."""
COMPARED = 4_000
"""Characters of a text that are compared in full."""
LONG_LIST, SHORT_LIST, SAME_PERSON, SHOWN = 600, 100, 30, 5
_NOT_WORD = re.compile(r"\W+")


@dataclass(frozen=True)
class Duplicate:
    """A case that may be the same matter: how near (0–1), how that is called, and why. `same_person`: by telephone number, only for
    those who may know who brought it."""

    case: Case
    score: float
    level: str
    fragments: tuple[str, ...]
    facts: tuple[str, ...]
    days_apart: int | None
    same_person: bool

    @property
    def percent(self) -> int:
        """The score in whole per cent."""
        return round(self.score * 100)

    @property
    def word(self) -> str:
        """同一事项, 很可能 or 相似."""
        return {"same": _("同一事项"), "likely": _("很可能相同"), "similar": _("相似")}[self.level]

    @property
    def why(self) -> list[str]:
        """The reasons, in words."""
        shared = {"merchant": _("同一被诉方"), "mall": _("同一商场"), "place": _("同一场所")}
        known = dict.fromkeys(shared[each.partition(":")[0]] for each in self.facts)
        said = [_("都说到“%(words)s”") % {"words": each} for each in self.fragments]
        apart = [] if self.days_apart is None else [_("相隔 %(n)s 天") % {"n": self.days_apart}]
        return [*known, *said, *apart]


def text_of(case: Case) -> str:
    """The wording by which a case is found again: what the person said, else the title."""
    return (case.description or case.title)[:READ]


def facts_of(case: Case) -> tuple[str, ...]:
    """What is known of whom and where, as the engine takes it; no personal data."""
    return facts(
        subject_id=case.subject_id,
        premises_id=case.premises_id,
        mall_id=case.mall_id,
        respondent_name=case.respondent_name,
    )


def facts(
    *,
    subject_id: int | None = None,
    premises_id: int | None = None,
    mall_id: int | None = None,
    respondent_name: str = "",
) -> tuple[str, ...]:
    """The same strings for the same merchant, place and mall, whether its code or only its name is known."""
    plain = _NOT_WORD.sub("", respondent_name).lower()
    found = {
        "merchant:": subject_id, "merchant:name:": "" if subject_id else plain, "place:": premises_id, "mall:": mall_id,
    }  # fmt: skip
    return tuple(f"{prefix}{value}" for prefix, value in found.items() if value)


def duplicates(
    text: str,
    *,
    actor: Actor,
    known: Sequence[str] = (),
    day: date | None = None,
    digests: Iterable[str] = (),
    besides: int | None = None,
    limit: int = SHOWN,
) -> list[Duplicate]:
    """Cases that may be the same matter, nearest first, those of the same person before others that are as near.

    `known`: what `facts` gives; `digests`: of the person's telephone numbers; `besides`: the case itself. Only what `actor` sees;
    closed cases too, discarded and merged ones not. Five queries at most, however many cases there are.
    """
    if not any(map(str.isalnum, text)):
        return []
    theirs = _same_person([each for each in digests if each])
    listed = nearness.shortlist(_rows(nearness.query_keys(text, known)), facts=known, limit=LONG_LIST)
    order = {pk: at for at, pk in enumerate(dict.fromkeys([*theirs, *listed]))}
    seen = Case.objects.visible_to(actor).filter(pk__in=list(order)[:LONG_LIST]).exclude(pk=besides or 0)
    open_to = seen.exclude(status__in=[CaseStatus.DISMISSED, CaseStatus.MERGED]).values_list("pk", flat=True)
    best = sorted(open_to, key=order.__getitem__)[:SHORT_LIST]
    rows = Case.objects.filter(pk__in=best).select_related("unit", "subject").defer("description", "search")
    cases: list[Any] = sorted(
        rows.annotate(opening=Substr("description", 1, COMPARED)), key=lambda case: order[case.pk]
    )
    by_key = {case.pk: case for case in cases}
    candidates = [
        (pk, nearness.Matter(case.opening or case.title, facts_of(case), timezone.localdate(case.received_at)))
        for pk, case in by_key.items()
    ]
    matches = nearness.rank(nearness.Matter(text[:COMPARED], tuple(known), day), candidates, limit=limit)
    found = [
        Duplicate(
            by_key[pk], match.score, match.level, match.fragments, match.facts, match.days_apart,
            pk in theirs and may_see_person(by_key[pk], actor),
        )
        for match in matches
        if (pk := int(str(match.id)))
    ]  # fmt: skip
    return sorted(found, key=lambda each: (-each.score, not each.same_person))


def _same_person(digests: Sequence[str]) -> list[int]:
    if not digests:
        return []
    parties = ComplaintParty.objects.filter(phone_digest__in=digests).order_by("-case_id")
    return list(dict.fromkeys(parties.values_list("case_id", flat=True)[:SAME_PERSON]))


def _rows(keys: Sequence[int]) -> list[tuple[int, int]]:
    """For each key the newest `PER_KEY` cases, in one statement: Django's own union cannot limit its parts on SQLite."""
    if not keys:
        return []
    table = connection.ops.quote_name(CaseKey._meta.db_table)
    part = f"SELECT * FROM (SELECT key, case_id FROM {table} WHERE key = %s ORDER BY case_id DESC LIMIT {nearness.PER_KEY}) AS part"
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([part] * len(keys)), list(keys))
        return [(int(key), int(case)) for key, case in cursor.fetchall()]
