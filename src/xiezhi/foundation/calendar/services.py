import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from django.db import transaction

from xiezhi.foundation.calendar.models import CalendarYear, SpecialDay

DATA = Path(__file__).parent / "data"


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def load_published_years(*, using: str) -> list[int]:
    """Add the years of `data/` that the database does not have yet; returns them. A year that is there is left as it is.

    Part of setting up a database, before anybody acts in it, hence neither actor nor audit entry.
    """
    with transaction.atomic(using=using):
        present = set(CalendarYear.objects.using(using).values_list("year", flat=True))
        years = [
            CalendarYear(
                year=int(row["year"]),
                notice=row["notice"],
                document_number=row["document_number"],
                issued_on=date.fromisoformat(row["issued_on"]) if row["issued_on"] else None,
            )
            for row in _rows("years.csv")
            if int(row["year"]) not in present
        ]
        added = {each.year for each in years}
        if not added:
            return []
        CalendarYear.objects.using(using).bulk_create(years)
        SpecialDay.objects.using(using).bulk_create(
            SpecialDay(year_id=day.year, day=day, kind=SpecialDay.Kind(row["kind"]), name=row["name"])
            for row in _rows("special_days.csv")
            if (day := date.fromisoformat(row["day"])).year in added
        )
        return sorted(added)
