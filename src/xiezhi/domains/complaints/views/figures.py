"""成效: the board, the cases behind each of its numbers, and a mall's own figures."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from xiezhi.domains.complaints import rules
from xiezhi.domains.complaints.models import Case, Category
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.queries import figures as queries
from xiezhi.domains.complaints.queries.figures import DIMENSIONS, MALL_DIMENSIONS, RATES, Board, Line, Period, Scope
from xiezhi.domains.complaints.views.cases import CaseTable
from xiezhi.domains.complaints.words import Channel, ClockKind, Kind
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules.queries import reading
from xiezhi.foundation.ui.exports import export_response
from xiezhi.foundation.ui.figures import Figure
from xiezhi.foundation.ui.lists import Empty, list_page

LONGEST_DAYS = 1100
PERIODS = [
    ("week", gettext_lazy("按周")),
    ("month", gettext_lazy("按月")),
    ("quarter", gettext_lazy("按季度")),
    ("custom", gettext_lazy("自选日期")),
]
OF_PEOPLE = frozenset({"rated", "pleased", "rated_kept", "pleased_kept"})
"""Lists that would tell an officer who was satisfied."""


class PeriodForm(forms.Form):
    """Which days, and what of it. What narrows comes as plain words in the address; nonsense there finds nothing."""

    period = forms.ChoiceField(label=gettext_lazy("期间"), choices=PERIODS, required=False)
    day = forms.DateField(label=gettext_lazy("所在日期"), required=False, widget=forms.DateInput())
    from_day = forms.DateField(label=gettext_lazy("自（自选）"), required=False, widget=forms.DateInput())
    to_day = forms.DateField(label=gettext_lazy("至（自选）"), required=False, widget=forms.DateInput())
    unit = forms.ChoiceField(label=gettext_lazy("承办单位"), required=False)
    category = forms.ChoiceField(label=gettext_lazy("问题类别"), required=False)
    street = forms.ChoiceField(label=gettext_lazy("街道"), required=False)
    channel = forms.ChoiceField(label=gettext_lazy("渠道"), required=False)
    kind = forms.ChoiceField(label=gettext_lazy("类型"), required=False)

    def __init__(self, *args: Any, mall: bool = False, narrowed: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everything = ("", _("全部"))
        choices: dict[str, list[Any]] = {"channel": [*Channel.choices], "kind": [*Kind.choices]}
        units = Organisation.objects.filter(kind__in=["department", "station"]).order_by("code")
        streets = Organisation.objects.filter(kind=Organisation.Kind.STREET).order_by("code")
        if mall:
            for name in ("unit", "category", "street", "channel", "kind"):
                del self.fields[name]
            return
        choices["unit"] = [(str(each.pk), each.short_name or each.name) for each in units]
        choices["street"] = [(str(each.pk), each.short_name or each.name) for each in streets]
        choices["category"] = [
            (str(pk), name) for pk, name in Category.objects.order_by("pk").values_list("pk", "name")
        ]
        for name, found in choices.items():
            chosen = narrowed.get(name, "")
            if chosen and chosen not in {value for value, _label in found}:
                found = [*found, (chosen, _("（未填）") if chosen == queries.NOTHING else chosen[:20])]
            self.fields[name].choices = [everything, *found]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Raises an error for a custom period without days, backwards, or longer than three years."""
        data = super().clean() or {}
        first, last = data.get("from_day"), data.get("to_day")
        if data.get("period") == "custom":
            if not first or not last:
                self.add_error("from_day", _("自选日期请填起止日期。"))
            elif last < first:
                self.add_error("to_day", _("止日早于起日，请改正。"))
            elif (last - first).days > LONGEST_DAYS:
                self.add_error("to_day", _("一次最多看三年。"))
        return data


@dataclass(frozen=True)
class Asked:
    """What an address asks for."""

    period: Period
    scope: Scope
    by: str
    form: PeriodForm

    @property
    def query(self) -> dict[str, str]:
        """The same, for another address."""
        days = {"period": "custom", "from_day": f"{self.period.first}", "to_day": f"{self.period.last}"}
        if self.period.kind != "custom":
            days = {"period": self.period.kind, "day": f"{self.period.first}"}
        return {**days, **self.scope.narrowed}


def _asked(request: DeskRequest, today: date, *, mall: bool = False) -> Asked:
    """This month where the address says nothing sensible."""
    names = MALL_DIMENSIONS if mall else tuple(DIMENSIONS)
    narrowed = {} if mall else {name: request.GET[name][:40] for name in names if request.GET.get(name)}
    said = any(request.GET.get(name) for name in ("period", "day", "from_day", "to_day"))
    initial = {"period": "month", "day": today, **narrowed}
    form = PeriodForm(request.GET if said else None, initial=initial, mall=mall, narrowed=narrowed)
    given = form.cleaned_data if said and form.is_valid() else {}
    kind = given.get("period") or "month"
    if kind == "custom":
        period = Period("custom", given["from_day"], given["to_day"])
    else:
        period = queries.period_of(kind, given.get("day") or today)
    by = request.GET.get("by", "")
    return Asked(period, Scope(narrowed), by if by in names else names[0], form)


def _link(asked: Asked, measure: str, line: Line) -> str:
    own = {asked.by: line.value} if line.value else {}
    return f"{reverse('complaints:figure_cases')}?{urlencode({**asked.query, **own, 'measure': measure})}"


def _share_cells(asked: Asked, line: Line, *, linked: bool) -> list[dict[str, Any]]:
    cells = []
    for (share, kept), (label, numerator, denominator, _how) in zip(line.shares, RATES.values(), strict=True):
        cells.append(
            {
                "label": label, "share": share, "kept": kept,
                "numerator_url": _link(asked, numerator, line) if linked else "",
                "denominator_url": _link(asked, denominator, line) if linked else "",
                "kept_numerator_url": _link(asked, f"{numerator}_kept", line) if linked else "",
                "kept_denominator_url": _link(asked, f"{denominator}_kept", line) if linked else "",
            }
        )  # fmt: skip
    return cells


def _row(asked: Asked, line: Line, *, linked: bool) -> dict[str, Any]:
    counts = {name: line.counts.get(name, 0) for name in ("received", "open", "excluded", "deferred")}
    return {
        "line": line,
        "counts": {name: (n, _link(asked, name, line) if linked else "") for name, n in counts.items()},
        "cells": _share_cells(asked, line, linked=linked),
        "days": None if line.median_hours is None else round(line.median_hours / 24, 1),
    }


def _figures(asked: Asked, found: Board, *, linked: bool) -> list[Figure]:
    total, before = found.total, found.before
    n, was = total.counts.get("received", 0), before.counts.get("received", 0)
    url = _link(asked, "received", total) if linked else ""
    more = _("比上期多 %(n)s 件") if n >= was else _("比上期少 %(n)s 件")
    figures = [
        Figure(_("诉求量"), n, _("件"), trend=more % {"n": abs(n - was)} if n != was else _("与上期持平"), url=url)
    ]
    for key, (label, _numerator, _denominator, how) in RATES.items():
        share, kept = total.share(key), total.share(key, kept=True)
        trend = queries.change(share, before.share(key))
        figures.append(
            Figure(
                label, None if share.value is None else share.shown, definition=f"{how}{_('（工作口径）。')}",
                numerator=f"{share.numerator:,}", denominator=f"{share.denominator:,}",
                trend=_("%(trend)s · 剔除后 %(kept)s") % {"trend": trend, "kept": kept.shown} if trend else _("剔除后 %(kept)s") % {"kept": kept.shown},
            )
        )  # fmt: skip
    figures.append(
        Figure(
            _("综合得分"), None if total.score is None else total.score_shown, reading=found.meaning.weights,
            definition=_("三项比率（剔除后）按权重相加。权重和算法都是工作口径，不是官方考评。"),
        )
    )  # fmt: skip
    median = total.median_hours
    figures.append(
        Figure(
            _("办理时长中位数"), None if median is None else f"{median / 24:.1f}", _("天"),
            definition=_("从收到到答复的自然时间，已答复的诉求从短到长排，正中间那件。"),
        )
    )  # fmt: skip
    return figures


def _page(request: DeskRequest, *, mall: bool) -> HttpResponseBase:
    today = timezone.localdate()
    asked = _asked(request, today, mall=mall)
    found = queries.board(request.actor, asked.scope, asked.period, asked.by)
    title = _("本商场诉求成效") if mall else _("诉求成效")
    if wanted := request.GET.get("export"):
        header, rows = queries.sheet_of(found)
        return export_response(f"{title}-{asked.period.first}-{asked.period.last}", header, rows, wanted)
    names = MALL_DIMENSIONS if mall else tuple(DIMENSIONS)
    linked = not mall
    base = urlencode({**asked.query})
    context = {
        "title": title, "form": asked.form, "found": found, "by": DIMENSIONS[asked.by].label, "mall": mall,
        "tabs": [(DIMENSIONS[name].label, f"?{base}&by={name}", name == asked.by) for name in names],
        "figures": _figures(asked, found, linked=linked),
        "rows": [_row(asked, line, linked=linked) for line in found.lines],
        "total": _row(asked, found.total, linked=linked),
        "clocks": [
            {
                "label": ClockKind(kind).label,
                "numbers": [
                    (n, _link(asked, f"{kind}_{state}", found.total) if linked else "")
                    for n, state in ((kept, "kept"), (late, "breached"), (running, "running"))
                ],
                "share": queries.Share(kind, kept, kept + late),
            }
            for kind, kept, late, running in found.total.clocks
        ],
        "chart": queries.chart_of(found),
        "before_url": f"?{urlencode({**Asked(asked.period.before(), asked.scope, asked.by, asked.form).query, 'by': asked.by})}",
        "narrowed": bool(asked.scope.narrowed),
        "partly": found.meaning.partly, "fair": found.meaning.fair, "weights": found.meaning.weights,
    }  # fmt: skip
    return render(request, "complaints/figures/board.html", context, status=422 if asked.form.errors else 200)


@require_GET
@needs(May.VIEW_FIGURES)
def figures(request: DeskRequest) -> HttpResponseBase:
    """The board: the rates with what they are made of, the trend, the lines of a dimension, periods kept; every number leads to its cases."""
    return _page(request, mall=False)


@require_GET
@needs(May.ANSWER)
def mall_figures(request: DeskRequest) -> HttpResponseBase:
    """A mall's own figures: numbers, never cases; reports are not in them (art. 37)."""
    return _page(request, mall=True)


@require_GET
@needs(May.VIEW_FIGURES)
def figure_cases(request: DeskRequest) -> HttpResponseBase:
    """Exactly the cases behind a number. Who was satisfied is kept from those who handle cases when the rule says so."""
    today = timezone.localdate()
    asked, measure = _asked(request, today), request.GET.get("measure", "received")
    if measure in OF_PEOPLE and request.actor.can(May.HANDLE) and reading(rules.HIDE_SATISFACTION, on=today).value:
        raise PermissionRefused(_("谁满意、谁不满意，办结以前不给承办人看；数字可以看，名单请由派单员查。"))
    try:
        behind = queries.behind(request.actor, asked.scope, asked.period, measure)
    except KeyError:
        raise Http404 from None
    words = measure_words()
    return list_page(
        request, title=_("成效数字里的诉求"), table=CaseTable, unit=_("件"),
        queryset=Case.objects.filter(pk__in=behind.values("pk")).with_names().order_by("-received_at", "pk"),
        intro=_("%(period)s 收到 · %(what)s") % {"period": asked.period, "what": words.get(measure.removesuffix("_kept"), measure)}
        + (_("（剔除后）") if measure.endswith("_kept") and measure.removesuffix("_kept") in words else ""),
        empty=Empty(_("没有诉求"), _("这个数是 0。"), icon="chart-bar"),
    )  # fmt: skip


def measure_words() -> dict[str, str]:
    """What each measure is called over its list."""
    found = {
        "received": _("全部"), "open": _("未答复"), "excluded": _("已批准剔除"), "deferred": _("挂账中"),
        "due": _("时限已到或者已经答复"), "in_time": _("时限内答复"), "answered": _("回访问到结果"),
        "solved": _("回访已解决"), "rated": _("回访表了态"), "pleased": _("回访满意"), "uncalled": _("已答复、没有回访结果"),
        "settled": _("调解达成一致"), "mediated": _("调解终结"), "official": _("官方回访"),
    }  # fmt: skip
    states = {"kept": _("按时"), "breached": _("超期"), "running": _("未到期")}
    for kind in ClockKind:
        found |= {f"{kind}_{state}": f"{kind.label} {word}" for state, word in states.items()}
    return found
