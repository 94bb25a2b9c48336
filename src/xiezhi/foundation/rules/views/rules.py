from dataclasses import dataclass
from datetime import date
from typing import Any

import django_filters
import django_tables2
from django.contrib import messages
from django.db.models import Case, QuerySet, Value, When
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.rules import effects, services
from xiezhi.foundation.rules.forms import ChangeForm
from xiezhi.foundation.rules.models import RuleVersion, Verification
from xiezhi.foundation.rules.permissions import RulesPermission
from xiezhi.foundation.rules.queries import Reading, RuleBook, reading_of, rule_book, search_text
from xiezhi.foundation.rules.registry import Confidence, Rule, Version, all_rules, get_rule
from xiezhi.foundation.rules.values import Table as TableKind
from xiezhi.foundation.ui.forms import form_page, saved
from xiezhi.foundation.ui.lists import Action, Filters, list_page
from xiezhi.foundation.ui.tables import DayColumn, StatusColumn, Table


class RulesTable(Table):
    code = django_tables2.Column(verbose_name=gettext_lazy("编号"), accessor="key", orderable=False)
    title = django_tables2.Column(
        verbose_name=gettext_lazy("规则"),
        accessor="key",
        orderable=False,
        linkify=("rules:detail", {"key": django_tables2.A("key")}),
    )
    value = django_tables2.Column(verbose_name=gettext_lazy("取值"), orderable=False, empty_values=())
    source = django_tables2.Column(verbose_name=gettext_lazy("依据"), accessor="instrument", empty_values=())
    confidence = StatusColumn(Confidence)
    effective_from = DayColumn(verbose_name=gettext_lazy("自何日起"))
    app = django_tables2.Column(
        verbose_name=gettext_lazy("业务"), accessor="key", orderable=False, attrs={"td": {"class": "text-nowrap"}}
    )
    phone = ("title", "value", "confidence")

    class Meta(Table.Meta):
        model = RuleVersion
        fields = ("code", "title", "value", "source", "confidence", "effective_from", "app")

    def render_code(self, value: str) -> str:
        """The name people use: R04."""
        return get_rule(value).code or "—"

    def render_title(self, value: str) -> str:
        """What the rule is about."""
        return str(get_rule(value).title)

    def render_value(self, record: RuleVersion) -> str:
        """The value with its unit."""
        return reading_of(record).display

    def render_source(self, record: RuleVersion) -> str:
        """Instrument and article, or just the body; — when none is known."""
        return " ".join(part for part in (record.instrument or record.body, record.article) if part) or "—"

    def render_app(self, value: str) -> str:
        """The domain that declared the rule."""
        return str(get_rule(value).app_name)


def _apps() -> list[tuple[str, str]]:
    return list(dict.fromkeys((rule.app_label, str(rule.app_name)) for rule in all_rules()))


class RulesFilters(Filters):
    q = django_filters.CharFilter(
        label=gettext_lazy("搜索"), method="matching", help_text=gettext_lazy("编号、名称、文件、机关")
    )
    app = django_filters.ChoiceFilter(label=gettext_lazy("业务"), choices=_apps, method="declared_by")
    confidence = django_filters.ChoiceFilter(label=gettext_lazy("核实情况"), choices=Confidence.choices)

    class Meta:
        model = RuleVersion
        fields = ("q", "app", "confidence")

    def matching(self, queryset: QuerySet[RuleVersion], name: str, value: str) -> QuerySet[RuleVersion]:
        """Every word occurs in the rule's words or its source's. Titles are not in the database, so the few rows are read."""
        words = value.casefold().split()
        found = [each.pk for each in queryset if all(word in search_text(each) for word in words)]
        return queryset.filter(pk__in=found)

    def declared_by(self, queryset: QuerySet[RuleVersion], name: str, value: str) -> QuerySet[RuleVersion]:
        """Rules of one domain."""
        return queryset.filter(key__startswith=f"{value}.")


@require_GET
@needs(SIGNED_IN)
def rules(request: DeskRequest) -> HttpResponseBase:
    """Every rule as it stands today, in the order in which the domains declare them."""
    today, book = timezone.localdate(), rule_book()
    shown = [version for rule in all_rules() if (version := book.current(rule, on=today))]
    order = Case(*(When(pk=each.pk, then=Value(place)) for place, each in enumerate(shown)), default=Value(len(shown)))
    waiting = sum(each.confidence == Confidence.WORKING_DEFAULT for each in shown)
    return list_page(
        request,
        title=_("规则依据"),
        intro=_("期限、上限、比例和名单从哪里来，现在是多少，自哪天起。"),
        queryset=RuleVersion.objects.visible_to(request.actor)
        .filter(pk__in=[each.pk for each in shown])
        .order_by(order),
        table=RulesTable,
        filterset=RulesFilters,
        unit=_("条规则"),
        actions=[
            Action(_("待核实"), reverse("rules:pending"), "checklist"),
            Action(_("两日对照"), reverse("rules:compare"), "history"),
            Action(_("导出与导入"), reverse("rules:exchange"), "upload"),
        ],
        template="rules/list.html",
        context={"waiting": waiting, "working_default": Confidence.WORKING_DEFAULT.value},
    )


@dataclass(frozen=True)
class Shown:
    """A version as the detail page draws it."""

    version: RuleVersion
    reading: Reading[Any]
    period: RuleVersion.Period
    withdrawable: bool


def _rule_or_404(key: str) -> Rule[Any]:
    try:
        return get_rule(key)
    except KeyError:
        raise Http404 from None


def _history(rule: Rule[Any], book: RuleBook, today: date) -> list[Shown]:
    return [
        Shown(
            version,
            reading_of(version),
            (period := version.period(today)),
            period == RuleVersion.Period.TO_COME and version.origin == RuleVersion.Origin.LOCAL,
        )
        for version in reversed(book.versions[rule.key])
    ]


def _not_adopted(rule: Rule[Any], book: RuleBook) -> list[Version[Any]]:
    """Versions that this release declares and that a local decision keeps out."""
    present = {each.effective_from for each in book.versions[rule.key]}
    return [each for each in rule.versions if each.effective_from not in present]


def _cells(rule: Rule[Any], value: Any) -> dict[str, Any] | None:
    """A table value as header and rows; None for other kinds."""
    kind = rule.kind
    if not isinstance(kind, TableKind):
        return None
    rows = [(label, [kind.display_cell(value, row, name) for name in kind.columns]) for row, label in kind.rows.items()]
    return {"header": [column.label for column in kind.columns.values()], "rows": rows}


@require_GET
@needs(SIGNED_IN)
def rule(request: DeskRequest, key: str) -> HttpResponse:
    """What every 依据 link opens: the rule today, what it rests on, and every version before and after."""
    declared, today = _rule_or_404(key), timezone.localdate()
    book = rule_book(declared)
    current = book.current(declared, on=today)
    if current is None or not RuleVersion.objects.visible_to(request.actor).filter(pk=current.pk).exists():
        raise Http404
    now = reading_of(current)
    return render(
        request,
        "rules/detail.html",
        {
            "rule": declared,
            "reading": now,
            "version": current,
            "period": current.period(today),
            "cells": _cells(declared, now.value),
            "history": _history(declared, book, today),
            "not_adopted": [
                {
                    "display": declared.display(each.value),
                    "from": each.effective_from,
                    "instrument": each.source.instrument,
                }
                for each in _not_adopted(declared, book)
            ],
            "confidences": Confidence,
            "periods": RuleVersion.Period,
            "may_change": request.actor.can(RulesPermission.CHANGE),
            "verification": Verification.objects.select_related("organisation").filter(key=key).first(),
        },
    )


@require_http_methods(["GET", "POST"])
@needs(RulesPermission.CHANGE.value)
def change(request: DeskRequest, key: str) -> HttpResponse:
    """Let a new version of the rule follow: first what it would alter, then the change itself."""
    declared, today, at = _rule_or_404(key), timezone.localdate(), timezone.now()
    book = rule_book(declared)
    current = book.current(declared, on=today)
    if current is None:
        raise Http404
    now = reading_of(current)
    act = request.POST.get("act")
    form = ChangeForm(request.POST or None, rule=declared, shown=now, versions=book.versions[key], today=today)
    if act == "save":
        version = saved(form, lambda data: services.change_rule(key=key, **data, actor=request.actor, at=at))
        if version:
            messages.success(request, _("已改好：新版本自 %(day)s 起生效。") % {"day": version.effective_from})
            return redirect("rules:detail", key=key)
    elif act != "back" and form.is_bound and form.is_valid():
        return _what_it_would_alter(request, form, declared, book, now)
    return form_page(
        request,
        form,
        title=_("修改“%(title)s”") % {"title": now.title},
        intro=_("现在：%(value)s，自 %(day)s 起。") % {"value": now.display, "day": now.effective_from},
        submit=_("看影响"),
        cancel_url=reverse("rules:detail", args=[key]),
    )


def _what_it_would_alter(
    request: DeskRequest, form: ChangeForm, declared: Rule[Any], book: RuleBook, now: Reading[Any]
) -> HttpResponse:
    data = form.cleaned_data
    proposed = services.proposed_change(
        declared, data["value"], data["effective_from"], book.versions[declared.key], timezone.now()
    )
    found = effects.effects_of(proposed)
    return render(
        request,
        "rules/preview.html",
        {
            "rule": declared,
            "reading": now,
            "before": declared.display(proposed.before) if proposed.before is not None else "—",
            "after": declared.display(proposed.after),
            "data": data,
            "source_line": " ".join(
                part for part in (data["source"].body, data["source"].instrument, data["source"].article) if part
            ),
            "confidence": data["confidence"],
            "confidences": Confidence,
            "effects": found,
            "reopened": effects.reopened(found),
            "same_value": proposed.before == proposed.after,
            "carried": _carried(form),
        },
    )


def _carried(form: ChangeForm) -> list[tuple[str, str]]:
    """What was typed, to be sent again from the preview."""
    return [(name, value) for name in form.fields if name != "reopen" for value in request_values(form.data, name)]


def request_values(data: Any, name: str) -> list[str]:
    """Every value that was sent under a name."""
    return list(data.getlist(name)) if hasattr(data, "getlist") else [data[name]] if name in data else []


@require_POST
@needs(RulesPermission.CHANGE.value)
def withdraw(request: DeskRequest, pk: int) -> HttpResponse:
    """Take back a version that is not in force yet."""
    version = get_object_or_404(RuleVersion.objects.visible_to(request.actor), pk=pk)
    services.withdraw_version(version=version, actor=request.actor, at=timezone.now())
    messages.success(request, _("已撤回，原来的版本继续有效。"))
    return redirect("rules:detail", key=version.key)
