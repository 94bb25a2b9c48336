"""Two versions of one rule, or the whole book on two days, side by side."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.rules.models import RuleVersion
from xiezhi.foundation.rules.queries import Reading, reading_of, rule_book
from xiezhi.foundation.rules.registry import Confidence, all_rules, get_rule


@dataclass(frozen=True)
class Line:
    """One property on both sides."""

    label: Any
    before: str
    after: str

    @property
    def differs(self) -> bool:
        """Whether the two sides say different things."""
        return self.before != self.after


def _lines(before: Reading[Any], after: Reading[Any]) -> list[Line]:
    def words(found: Reading[Any]) -> list[str]:
        until = found.effective_to.isoformat() if found.effective_to else ""
        return [
            found.display,
            found.effective_from.isoformat(),
            until,
            found.instrument,
            found.article,
            found.body,
            found.jurisdiction,
            str(found.confidence.label),
            found.note,
        ]

    labels = (
        _("取值"), _("生效日期"), _("失效日期"), _("依据文件"), _("条款"), _("发布机关"), _("适用地域"), _("核实情况"), _("说明"),
    )  # fmt: skip
    return [Line(*each) for each in zip(labels, words(before), words(after), strict=True)]


@require_GET
@needs(SIGNED_IN)
def versions(request: DeskRequest, key: str) -> HttpResponse:
    """Two versions of a rule, property by property; the newest two unless told otherwise."""
    try:
        rule = get_rule(key)
    except KeyError:
        raise Http404 from None
    found = list(RuleVersion.objects.visible_to(request.actor).filter(key=key).order_by("effective_from"))
    if not found:
        raise Http404
    by_pk = {str(each.pk): each for each in found}
    before = by_pk.get(request.GET.get("before", ""), found[max(0, len(found) - 2)])
    after = by_pk.get(request.GET.get("after", ""), found[-1])
    return render(
        request,
        "rules/versions.html",
        {
            "rule": rule,
            "versions": found,
            "before": before,
            "after": after,
            "lines": _lines(reading_of(before), reading_of(after)),
        },
    )


class DaysForm(forms.Form):
    """The two days of a comparison."""

    before = forms.DateField(label=_("从这一天"), widget=forms.DateInput)
    after = forms.DateField(label=_("到这一天"), widget=forms.DateInput)


@dataclass(frozen=True)
class Changed:
    """A rule whose reading differs between two days."""

    rule: Any
    before: Reading[Any] | None
    after: Reading[Any] | None
    value_differs: bool


@require_GET
@needs(SIGNED_IN)
def book(request: DeskRequest) -> HttpResponse:
    """The whole book on two days: only what differs. From New Year to today unless told otherwise."""
    today = timezone.localdate()
    given = {"before": date(today.year, 1, 1).isoformat(), "after": today.isoformat(), **request.GET.dict()}
    form = DaysForm(given)
    changed: list[Changed] = []
    if form.is_valid():
        whole = rule_book()
        before = whole.readings(on=form.cleaned_data["before"])
        after = whole.readings(on=form.cleaned_data["after"])
        for rule in all_rules():
            old, new = before.get(rule.key), after.get(rule.key)
            if (old and old.version_id) != (new and new.version_id):
                differs = (old and old.value) != (new and new.value)
                changed.append(Changed(rule, old, new, bool(differs)))
    return render(
        request,
        "rules/compare.html",
        {"form": form, "changed": changed, "confidences": Confidence, "total": len(all_rules())},
        status=200 if form.is_valid() else 422,
    )
