from django.db import transaction
from django.db.models import F

from xiezhi.domains.inspections.models import NumberSeries

CHECK = "C"


def take_numbers(prefix: str, year: int, count: int = 1) -> list[str]:
    """The next `count` numbers of a series, as C2026-000001, in the caller's transaction.

    Whoever takes numbers first keeps the series locked until commit, so numbers are unique; those of a rolled-back act are given again.
    Raises RuntimeError outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("take_numbers() outside a transaction")
    NumberSeries.objects.bulk_create([NumberSeries(prefix=prefix, year=year)], ignore_conflicts=True)
    NumberSeries.objects.filter(prefix=prefix, year=year).update(last=F("last") + count)
    last = NumberSeries.objects.values_list("last", flat=True).get(prefix=prefix, year=year)
    return [f"{prefix}{year}-{number:06d}" for number in range(last - count + 1, last + 1)]
