"""Finding cases by words, without reading half a million titles: pairs of characters, by PostgreSQL's text index or plainly on SQLite."""

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from xiezhi.domains.complaints.models import Case, ExternalNumber
from xiezhi.domains.complaints.texts import search_words

MOST_WORDS = 24


def search_cases(cases: QuerySet[Case], text: str) -> QuerySet[Case]:
    """Those of `cases` in which every word of `text` occurs in title, respondent, place or a number. Whole numbers find their case
    whatever else is said; people are not searched (their data is not for looking through)."""
    words = search_words(text)[:MOST_WORDS]
    if not words:
        return cases
    typed = text.strip()
    by_number = Q(number__iexact=typed) | Q(pk__in=ExternalNumber.objects.filter(number=typed).values("case_id"))
    if any(sign.isdigit() for sign in typed) and Case.objects.filter(by_number).exists():
        return cases.filter(by_number)
    if connection.vendor == "postgresql":
        wanted = " & ".join(f"'{word}'" for word in words)  # words hold letters, digits and dashes only
        found = RawSQL("to_tsvector('simple', complaints_case.search) @@ to_tsquery('simple', %s)", [wanted])
        return cases.filter(found)
    for word in words:
        cases = cases.filter(search__contains=word)
    return cases
