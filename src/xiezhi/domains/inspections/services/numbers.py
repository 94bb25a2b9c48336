"""Numbers that people read out on the phone: `C2026-000123`."""

from datetime import datetime

from django.utils import timezone

from xiezhi.domains.inspections.models import NumberSeries


def take_numbers(prefix: str, count: int, at: datetime) -> list[str]:
    """The next `count` numbers of a series, in the caller's transaction: no two callers ever get the same one."""
    year = timezone.localtime(at).year
    NumberSeries.objects.get_or_create(prefix=prefix, year=year)  # a row must exist before it can be locked
    series = NumberSeries.objects.select_for_update().get(prefix=prefix, year=year)
    first = series.last + 1
    series.last += count
    series.save(update_fields=["last"])
    return [f"{prefix}{year}-{number:06d}" for number in range(first, first + count)]


def next_number(prefix: str, at: datetime) -> str:
    """The next number of a series: C check, R round, V visit."""
    return take_numbers(prefix, 1, at)[0]
