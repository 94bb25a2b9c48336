"""Finding cases by words, without reading half a million titles: pairs of characters, by PostgreSQL's text index or plainly on SQLite."""

from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from xiezhi.domains.complaints.models import Case, ExternalNumber
from xiezhi.domains.complaints.texts import search_words
from xiezhi.domains.complaints.words import Register

MOST_WORDS = 24
MOST_NAMED = 100


def search_cases(cases: QuerySet[Case], text: str) -> QuerySet[Case]:
    """Those of `cases` in which every word of `text` occurs in title, respondent, place or a number. Whole numbers find their case
    whatever else is said; people are not searched (their data is not for looking through)."""
    words = search_words(text)[:MOST_WORDS]
    if not words:
        return cases
    typed = text.strip()
    if any(sign.isdigit() for sign in typed):
        named = {
            *ExternalNumber.objects.filter(register__in=Register.values, number=typed).values_list(
                "case_id", flat=True
            )[:MOST_NAMED]
        }
        named |= {*Case.objects.filter(number=typed.upper()).values_list("pk", flat=True)}
        if named:
            return cases.filter(pk__in=named)
    if connection.vendor == "postgresql":
        wanted = " & ".join(f"'{word}'" for word in words)  # words hold letters, digits and dashes only
        matches = "to_tsvector('simple', complaints_case.search) @@ to_tsquery('simple', %s)"
        found = RawSQL(matches, [wanted], output_field=BooleanField())
        return cases.filter(found)
    for word in words:
        cases = cases.filter(search__contains=word)
    return cases
