"""诉求统计公示: what everybody may see. Reads what was protected and frozen, never the cases."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from xiezhi.domains.complaints.models import Publication
from xiezhi.domains.complaints.queries.figures import RATES
from xiezhi.foundation.rules.queries import reading_of
from xiezhi.foundation.ui.exports import export_response

HIDDEN = "＊"
MONTHS_SHOWN = 24


def _grand(table: Mapping[str, Any]) -> int | None:
    total: int | None = table["shown"][-1][-1]
    return total


def _rates(tables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each rate in whole percent with its parts; hidden where one part is small, — where nobody was counted."""
    found = []
    for key, (label, _numerator, _denominator, how) in RATES.items():
        yes, _no, of = tables[key]["shown"][0]
        shown = "—" if of == 0 else HIDDEN if yes is None or of is None else f"{100 * yes / of:.0f} %"
        found.append({"label": label, "how": how, "shown": shown, "numerator": yes, "denominator": of})
    return found


def _lines(table: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    labels = [*table["rows"], _("合计")]
    return [
        (label, [HIDDEN if n is None else f"{n}" for n in shown])
        for label, shown in zip(labels, table["shown"], strict=True)
    ]


def _sheet(publication: Publication) -> Iterator[Sequence[Any]]:
    tables = publication.tables
    for label, shown in _lines(tables["counts"]):
        yield [f"{publication.month:%Y-%m}", label, *(n if n == HIDDEN else int(n) for n in shown)]
    for rate in _rates(tables):
        parts = [HIDDEN if n is None else n for n in (rate["numerator"], rate["denominator"])]
        yield [f"{publication.month:%Y-%m}", rate["label"], rate["shown"], *parts]


@require_GET
def statistics(request: HttpRequest) -> HttpResponseBase:
    """A month's statistics (the newest unless `?month=2026-10`), the totals of the months before it, and how numbers are protected;
    `?export=csv|xlsx` takes the month away. 404 for a month that is not published."""
    months = list(Publication.objects.select_related("rule_version").order_by("-month")[:MONTHS_SHOWN])
    asked = request.GET.get("month", "")
    chosen = (
        next((each for each in months if f"{each.month:%Y-%m}" == asked), None) if asked else next(iter(months), None)
    )
    if asked and chosen is None:
        raise Http404
    if chosen is None:
        return render(request, "complaints/statistics.html", {"chosen": None})
    counts = chosen.tables["counts"]
    if wanted := request.GET.get("export"):
        header = [_("月份"), _("类别"), *counts["columns"], _("合计")]
        return export_response(
            _("诉求统计-%(month)s") % {"month": f"{chosen.month:%Y-%m}"}, header, _sheet(chosen), wanted
        )
    reports = chosen.tables["reports"]["shown"][0][0]
    context = {
        "chosen": chosen, "reading": reading_of(chosen.rule_version), "columns": [*counts["columns"], _("合计")],
        "lines": _lines(counts), "rates": _rates(chosen.tables), "reports": HIDDEN if reports is None else reports, "hidden": HIDDEN,
        "months": [(each, _grand(each.tables["counts"])) for each in months],
    }  # fmt: skip
    return render(request, "complaints/statistics.html", context)
