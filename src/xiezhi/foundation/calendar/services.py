import csv
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.engines.deadlines import WorkdayTable
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.calendar import recomputation
from xiezhi.foundation.calendar.models import CalendarVersion, CalendarYear, DeadlineChange, SpecialDay
from xiezhi.foundation.calendar.notices import Day, checked
from xiezhi.foundation.calendar.permissions import CalendarPermission
from xiezhi.foundation.calendar.queries import workday_table
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused

DATA = Path(__file__).parent / "data"
YEARS_AHEAD = 2


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
        if added:
            CalendarYear.objects.using(using).bulk_create(years)
            SpecialDay.objects.using(using).bulk_create(
                SpecialDay(year_id=day.year, day=day, kind=SpecialDay.Kind(row["kind"]), name=row["name"])
                for row in _rows("special_days.csv")
                if (day := date.fromisoformat(row["day"])).year in added
            )
        _keep_first_versions(using)
        return sorted(added)


def _keep_first_versions(using: str) -> None:
    """A first version of every year that has none: what came with the software, or with an earlier release of it."""
    with_one = CalendarVersion.objects.using(using).values("year")
    for year in CalendarYear.objects.using(using).exclude(pk__in=with_one):
        days = year.days.order_by("day").values_list("day", "kind", "name")
        _version(year, 1, [Day(on, SpecialDay.Kind(kind), name) for on, kind, name in days]).save(using=using)


def _version(year: CalendarYear, number: int, days: Sequence[Day]) -> CalendarVersion:
    return CalendarVersion(
        year=year.pk,
        number=number,
        notice=year.notice,
        document_number=year.document_number,
        issued_on=year.issued_on,
        days=[[each.on.isoformat(), str(each.kind), each.name] for each in days],
    )


@transaction.atomic
def import_year(
    *,
    year: int,
    days: Sequence[Day],
    notice: str,
    document_number: str,
    issued_on: date | None = None,
    replaces: bool = False,
    reason: str = "",
    seen_version_id: int | None = None,
    actor: Actor,
    at: datetime,
) -> CalendarVersion:
    """Take in a year's notice and move every open deadline that it moves, with the old value kept; closed ones stay as they are.

    Raises Refused for days that `notices.checked` does not let pass, without a document number, for a year that is there unless it
    `replaces` it for a `reason`, when somebody else imported one since `seen_version_id`; AlreadyDone on a double click.
    """
    actor.require(CalendarPermission.IMPORT)
    kept = _let_pass(year, days, document_number, at)
    present = list(CalendarVersion.objects.select_for_update().filter(year=year).order_by("number"))
    row = CalendarYear(year=year, notice=notice.strip(), document_number=document_number.strip(), issued_on=issued_on)
    version = _version(row, len(present) + 1, kept)
    version.recorded_at, version.recorded_by_id, version.reason = at, actor.user_id, reason.strip()
    _check_place(version, present, replaces, seen_version_id)
    before = workday_table()
    try:
        with transaction.atomic():
            version.save()
    except IntegrityError:
        raise Refused(_("%(year)s 年的放假安排刚刚被他人录入，请看过再决定。") % {"year": year}) from None
    row.save()
    row.days.all().delete()
    SpecialDay.objects.bulk_create(SpecialDay(year=row, day=each.on, kind=each.kind, name=each.name) for each in kept)
    record(
        "calendar.imported",
        version,
        actor=actor,
        at=at,
        year=year,
        version=version.number,
        document_number=version.document_number,
        holidays=sum(each.kind == SpecialDay.Kind.HOLIDAY for each in kept),
        makeup_days=sum(each.kind == SpecialDay.Kind.MAKEUP for each in kept),
    )
    _recompute(version, before, actor=actor, at=at)
    return version


def _let_pass(year: int, days: Sequence[Day], document_number: str, at: datetime) -> list[Day]:
    latest = timezone.localdate(at).year + YEARS_AHEAD
    if not 2000 <= year <= latest:
        raise Refused(_("年份应在 2000 到 %(latest)s 之间。") % {"latest": latest})
    if not document_number.strip():
        raise Refused(_("请填写通知的文号，例如 国办发明电〔2024〕12号。"))
    kept, troubles, _remarks = checked(days, year)
    if troubles:
        raise Refused(" ".join(str(each) for each in troubles[:3]))
    return kept


def _check_place(
    version: CalendarVersion, present: list[CalendarVersion], replaces: bool, seen_version_id: int | None
) -> None:
    last = present[-1] if present else None
    if last is None:
        return
    same = all(getattr(last, name) == getattr(version, name) for name in ("days", "notice", "document_number"))
    if same and last.recorded_at:
        raise AlreadyDone(_("%(year)s 年的放假安排已经录入。") % {"year": version.year})
    if not replaces:
        raise Refused(
            _("%(year)s 年已经有放假安排（%(number)s）。确需更正的，请勾选“更正已有的安排”并写明原因。")
            % {"year": version.year, "number": last.document_number or last.notice}
        )
    if not version.reason:
        raise Refused(_("更正已有的安排，请写明原因。"))
    if seen_version_id is not None and seen_version_id != last.pk:
        raise Refused(_("%(year)s 年的放假安排刚刚被他人录入，请看过再决定。") % {"year": version.year})


def _recompute(version: CalendarVersion, before: WorkdayTable, *, actor: Actor, at: datetime) -> None:
    """Open deadlines follow; what each was before is kept with the reason."""
    reason = _("%(year)s 年放假安排（%(number)s）") % {"year": version.year, "number": version.document_number}
    for handler, moved in recomputation.moves(before, workday_table(), at):
        saved = handler.save(moves=moved, actor=actor, at=at)
        DeadlineChange.objects.bulk_create(
            DeadlineChange(
                version=version,
                object_kind=each.row._meta.label_lower,
                object_id=str(each.row.pk),
                name=each.name[:80],
                before=each.before,
                after=each.after,
                reason=reason[:200],
                at=at,
            )
            for each in saved
        )
