from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from xiezhi.engines.deadlines import WorkdayTable
from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.calendar import recomputation, services
from xiezhi.foundation.calendar.forms import NoticeForm, first_year_without
from xiezhi.foundation.calendar.models import CalendarVersion, CalendarYear, SpecialDay
from xiezhi.foundation.calendar.permissions import CalendarPermission
from xiezhi.foundation.calendar.queries import days_of, months_of, special_days, workday_table
from xiezhi.foundation.files.uploads import oversized_in
from xiezhi.foundation.ui.forms import form_page, saved

STEPS = (gettext_lazy("粘贴或上传"), gettext_lazy("核对"), gettext_lazy("录入"))


def _counts(months: list[Any], special: dict[Any, tuple[str, str]]) -> dict[str, int]:
    kinds = [kind for kind, _name in special.values()]
    return {
        "workdays": sum(month.workdays for month in months),
        "holidays": kinds.count(SpecialDay.Kind.HOLIDAY),
        "makeup_days": kinds.count(SpecialDay.Kind.MAKEUP),
    }


@require_GET
@needs(SIGNED_IN)
def year(request: DeskRequest) -> HttpResponse:
    """A year by month with the kinds of day, where it comes from, and its versions (工作日历)."""
    today = timezone.localdate()
    try:
        chosen = int(request.GET.get("year", today.year))
    except ValueError:
        raise Http404 from None
    if not 2000 <= chosen <= 2100:
        raise Http404
    special = special_days(chosen)
    months = months_of(chosen, special)
    versions = list(CalendarVersion.objects.visible_to(request.actor).filter(year=chosen).order_by("-number"))
    people = User.objects.in_bulk({each.recorded_by_id for each in versions if each.recorded_by_id})
    known = set(CalendarYear.objects.values_list("year", flat=True))
    return render(
        request,
        "calendar/year.html",
        {
            "year": chosen,
            "years": sorted({*known, today.year, today.year + 1, chosen}),
            "known": known,
            "notice": CalendarYear.objects.filter(pk=chosen).first(),
            "months": months,
            "today": today,
            "versions": [(each, people.get(each.recorded_by_id or 0)) for each in versions],
            "may_import": request.actor.can(CalendarPermission.IMPORT),
            **_counts(months, special),
        },
    )


@require_GET
@needs(SIGNED_IN)
def version(request: DeskRequest, pk: int) -> HttpResponse:
    """One version of a year: its days, how it differs from the one before, and the deadlines that it moved."""
    row = get_object_or_404(CalendarVersion.objects.visible_to(request.actor), pk=pk)
    earlier = CalendarVersion.objects.filter(year=row.year, number__lt=row.number).order_by("-number").first()
    special, before = days_of(row), days_of(earlier) if earlier else {}
    months = months_of(row.year, special, _differing(before, special) if earlier else ())
    return render(
        request,
        "calendar/version.html",
        {
            "version": row,
            "earlier": earlier,
            "months": months,
            "today": timezone.localdate(),
            "differences": _differences(before, special) if earlier else [],
            "recorded_by": User.objects.filter(pk=row.recorded_by_id).first() if row.recorded_by_id else None,
            "moved": row.changes.count(),
            "changes": row.changes.order_by("after", "pk")[:200] if request.actor.district_wide else [],
            **_counts(months, special),
        },
    )


def _differing(before: dict[Any, Any], after: dict[Any, Any]) -> list[Any]:
    return [on for on in {*before, *after} if before.get(on, ("",))[0] != after.get(on, ("",))[0]]


def _differences(before: dict[Any, Any], after: dict[Any, Any]) -> list[dict[str, Any]]:
    words = dict(SpecialDay.Kind.choices)
    return [
        {
            "on": on,
            "before": words.get(before[on][0]) if on in before else _ordinary(on),
            "after": words.get(after[on][0]) if on in after else _ordinary(on),
            "name": (after.get(on) or before[on])[1],
        }
        for on in sorted(_differing(before, after))
    ]


def _ordinary(on: Any) -> str:
    return _("工作日") if on.weekday() < 5 else _("周末")


@require_http_methods(["GET", "POST"])
@needs(CalendarPermission.IMPORT.value)
def import_notice(request: DeskRequest) -> HttpResponse:
    """A year's notice: paste or upload, look at what it says and what it moves, then take it in."""
    if request.method == "GET":
        return _ask(request, NoticeForm(initial=_initial(request)))
    form = NoticeForm(request.POST, request.FILES, oversized=oversized_in(request))
    if request.POST.get("act") == "back":
        return _ask(request, NoticeForm(initial=request.POST.dict()))
    if request.POST.get("act") != "save":
        return _preview(request, form) if form.is_valid() else _ask(request, form)
    done = saved(form, lambda data: _import(form, data, request))
    if done is None:
        return _ask(request, form)
    count = done.changes.count()
    messages.success(
        request,
        _("已录入 %(year)s 年放假安排，%(count)s 个未到期的期限随之调整。") % {"year": done.year, "count": count},
    )
    return redirect("calendar:version", pk=done.pk)


def _initial(request: HttpRequest) -> dict[str, Any]:
    known = set(CalendarYear.objects.values_list("year", flat=True))
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdecimal() and len(asked) == 4 else first_year_without(known, timezone.localdate())
    notice = _("国务院办公厅关于%(year)s年部分节假日安排的通知") % {"year": year}
    return {"year": year, "notice": notice, "replaces": year in known}


def _ask(request: DeskRequest, form: NoticeForm) -> HttpResponse:
    return form_page(
        request,
        form,
        title=_("录入放假安排"),
        intro=_("国务院每年发布次年的节假日安排。录入之前，跨到那一年的期限都标为“待通知”。"),
        submit=_("核对"),
        cancel_url=reverse("calendar:year"),
        template="calendar/ask.html",
        steps=STEPS,
    )


def _preview(request: DeskRequest, form: NoticeForm) -> HttpResponse:
    data, at = form.cleaned_data, timezone.now()
    present = special_days(data["year"])
    special = {each.on: (str(each.kind), each.name) for each in form.days}
    months = months_of(data["year"], special, _differing(present, special) if present else ())
    last = CalendarVersion.objects.filter(year=data["year"]).order_by("-number").first()
    carried = {**request.POST.dict(), "text": form.as_lines(), "seen_version_id": last.pk if last else ""}
    moved = recomputation.moves(workday_table(), _table_with(data["year"], special), at)
    return render(
        request,
        "calendar/preview.html",
        {
            "form": form,
            "steps": STEPS,
            "carried": {name: value for name, value in carried.items() if name in form.fields and name != "sheet"},
            "months": months,
            "today": timezone.localdate(),
            "known": last,
            "differences": _differences(present, special) if present else [],
            "moved": [(handler.title, moves[:20], len(moves)) for handler, moves in moved],
            "moved_count": sum(len(moves) for _handler, moves in moved),
            **_counts(months, special),
        },
    )


def _table_with(year: int, special: dict[Any, tuple[str, str]]) -> WorkdayTable:
    """The working days as they would be with this year's notice."""
    now = workday_table()

    def merged(days: frozenset[Any], kind: str) -> frozenset[Any]:
        new = {on for on, (each, _name) in special.items() if each == kind}
        return frozenset({on for on in days if on.year != year} | new)

    return WorkdayTable(
        now.years | {year},
        merged(now.holidays, SpecialDay.Kind.HOLIDAY),
        merged(now.makeup_days, SpecialDay.Kind.MAKEUP),
    )


def _import(form: NoticeForm, data: dict[str, Any], request: DeskRequest) -> CalendarVersion:
    names = ("year", "notice", "document_number", "issued_on", "replaces", "reason", "seen_version_id")
    given = {name: data[name] for name in names}
    return services.import_year(**given, days=form.days, actor=request.actor, at=timezone.now())
