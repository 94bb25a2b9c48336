"""公示: a month's public statistics (Order 121 art. 38), protected so that nobody can be made out (art. 39), then frozen."""

import logging
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.complaints import rules
from xiezhi.domains.complaints.models import Category, Publication, Tally
from xiezhi.domains.complaints.queries.figures import RATES, Meaning, Period, conditions, period_of
from xiezhi.domains.complaints.words import Kind
from xiezhi.engines.disclosure import Table, protect, verify
from xiezhi.foundation.access.actors import SYSTEM
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules.queries import reading

log = logging.getLogger(__name__)
MONTHS_BACK = 24


def publish_due(*, at: datetime) -> int:
    """The ticker's: publish every month that is over, whose day of publication (rule `publish_after_days`) has come and that is not
    published yet, as far back as two years. Each once and for good. Returns how many."""
    today = timezone.localdate(at)
    first = Tally.objects.aggregate(first=Min("received_on"))["first"]
    if first is None:
        return 0
    published = set(Publication.objects.values_list("month", flat=True))
    month, done = period_of("month", today).before(), 0
    for _step in range(MONTHS_BACK):
        if month.last < first:
            break
        if month.first not in published and today >= _publication_day(month):
            _publish(month, at=at)
            done += 1
        month = month.before()
    return done


def _publication_day(month: Period) -> date:
    following = month.last + timedelta(days=1)
    return following.replace(day=int(reading(rules.PUBLISH_AFTER_DAYS, on=following).value))


@transaction.atomic
def _publish(month: Period, *, at: datetime) -> Publication:
    """Protect, check and keep one month. Raises RuntimeError where the check finds anything: nothing is published then."""
    threshold = reading(rules.SMALL_NUMBER, on=timezone.localdate(at))
    k = int(threshold.value)
    tables = {name: _protected(table, k) for name, table in _tables(month).items()}
    made = Publication.objects.create(
        month=month.first, made_at=at, rule_version_id=threshold.version_id, tables=tables
    )
    record("complaints.statistics.published", made, actor=SYSTEM, at=at, month=f"{month.first:%Y-%m}")
    return made


def _protected(table: Table, k: int) -> dict[str, Any]:
    done = protect(table, k=k)
    if faults := verify(table, done):
        raise RuntimeError(f"not published: {len(faults)} cells could be worked out")
    return {"rows": done.rows, "columns": done.columns, "shown": done.shown}


def _tables(month: Period) -> dict[str, Table]:
    """What a month's statistics are protected from: cases by category and street; each rate as its two parts; reports as one number only.

    Reports (举报) are in no other table. Rates are the district's alone: by street or category their parts would narrow the hidden counts.
    """
    rows = Tally.objects.filter(received_on__range=(month.first, month.last))
    open_rows = rows.exclude(kind=Kind.REPORT)
    counts: Counter[tuple[int | None, int | None]] = Counter()
    public = dict(Category.objects.filter(public=True).values_list("pk", "name"))
    for category, street, n in open_rows.order_by().values_list("category", "street").annotate(n=Count("pk")):
        counts[category if category in public else None, street] += n
    streets = Organisation.objects.filter(kind=Organisation.Kind.STREET).order_by("code")
    names = {street.pk: street.short_name or street.name for street in streets}
    lines = [pk for pk in sorted(public) if any(category == pk for category, _street in counts)]
    columns: list[int | None] = [*names, *([None] if any(street not in names for _category, street in counts) else [])]
    other = any(category is None for category, _street in counts)
    labels = [public[pk] for pk in lines] + ([_("其他和不单列的类别")] if other else [])
    grid = [[_cell(counts, pk, street, names) for street in columns] for pk in [*lines, *([None] if other else [])]]
    heads = [names[pk] if pk is not None else _("地点不明") for pk in columns]
    found = {"counts": Table(tuple(labels), tuple(heads), tuple(map(tuple, grid)))}
    return {**found, **_rates(open_rows, month), "reports": _single(_("举报"), rows.filter(kind=Kind.REPORT).count())}


def _cell(counts: Counter[tuple[int | None, int | None]], category: int | None, street: int | None, names: Any) -> int:
    if street is not None:
        return counts[category, street]
    return sum(n for (each, where), n in counts.items() if each == category and where not in names)


def _single(label: str, n: int) -> Table:
    return Table((label,), (_("件"),), ((n,),))


def _rates(rows: Any, month: Period) -> dict[str, Table]:
    wanted = conditions(Meaning.at(month.last))
    found = {}
    for key, (label, numerator, denominator, _how) in RATES.items():
        yes, of = rows.filter(wanted[numerator]).count(), rows.filter(wanted[denominator]).count()
        found[key] = Table((str(label),), (_("是"), _("否")), ((yes, of - yes),))
    return found
