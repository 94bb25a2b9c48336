"""Working defaults (工作默认值) that wait to be confirmed: who is to do it, by when, and the confirmation itself."""

from typing import Any

import django_tables2
from django.contrib import messages
from django.db.models import DateField, F, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_GET, require_http_methods

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.rules import services
from xiezhi.foundation.rules.forms import ConfirmForm, VerificationForm
from xiezhi.foundation.rules.models import RuleVersion, Verification
from xiezhi.foundation.rules.permissions import RulesPermission
from xiezhi.foundation.rules.queries import reading_of, rule_book
from xiezhi.foundation.rules.registry import Confidence, Rule, all_rules, get_rule
from xiezhi.foundation.ui.forms import form_page, saved
from xiezhi.foundation.ui.lists import Empty, list_page
from xiezhi.foundation.ui.tables import Table
from xiezhi.foundation.ui.templatetags.ui import deadline


class PendingTable(Table):
    title = django_tables2.Column(
        verbose_name=gettext_lazy("规则"),
        accessor="key",
        orderable=False,
        linkify=("rules:detail", {"key": django_tables2.A("key")}),
    )
    value = django_tables2.Column(verbose_name=gettext_lazy("取值"), orderable=False, empty_values=())
    note = django_tables2.Column(verbose_name=gettext_lazy("要核实什么"), orderable=False)
    who = django_tables2.Column(verbose_name=gettext_lazy("由谁核实"), empty_values=())
    due_on = django_tables2.Column(verbose_name=gettext_lazy("何时前核实"), empty_values=())
    actions = django_tables2.Column(verbose_name=gettext_lazy("操作"), accessor="key", orderable=False, empty_values=())
    phone = ("title", "value", "due_on", "actions")

    class Meta(Table.Meta):
        model = RuleVersion
        fields = ("title", "value", "note", "who", "due_on", "actions")

    def __init__(self, *args: Any, may_change: bool = False, **kwargs: Any) -> None:
        if not may_change:
            kwargs["exclude"] = ("actions",)
        super().__init__(*args, **kwargs)

    def render_title(self, value: str) -> str:
        """What the rule is about."""
        return str(get_rule(value).title)

    def render_value(self, record: RuleVersion) -> str:
        """The value with its unit."""
        return reading_of(record).display

    def render_who(self, value: str | None) -> str:
        """The department, or that nobody was asked yet."""
        return value or _("还没有安排")

    def render_due_on(self, value: Any) -> SafeString | str:
        """How much time is left."""
        return deadline(value)

    def value_due_on(self, value: Any) -> Any:
        """The day itself."""
        return value

    def render_actions(self, value: str) -> SafeString:
        """Confirm, or say who is to."""
        return format_html(
            '<span class="text-nowrap"><a href="{}">{}</a> · <a href="{}">{}</a></span>',
            reverse("rules:confirm", args=[value]), pgettext("rule", "确认"), reverse("rules:assign", args=[value]), pgettext("verification", "安排"),
        )  # fmt: skip


def pending_versions() -> QuerySet[RuleVersion]:
    """The versions now in force (or to come, or last) that are working defaults, with `who` and `due_on` of their verification."""
    today, book = timezone.localdate(), rule_book()
    current = [version for rule in all_rules() if (version := book.current(rule, on=today))]
    plans = Verification.objects.filter(key=OuterRef("key"))
    waiting = [each.pk for each in current if each.confidence == Confidence.WORKING_DEFAULT]
    return RuleVersion.objects.filter(pk__in=waiting).annotate(
        who=Subquery(plans.values("organisation__short_name")[:1]),
        due_on=Subquery(plans.values("due_on")[:1], output_field=DateField()),
    )


@require_GET
@needs(SIGNED_IN)
def pending(request: DeskRequest) -> HttpResponseBase:
    """Everything that is used and not confirmed yet (待核实的工作默认值)."""
    visible = RuleVersion.objects.visible_to(request.actor).values("pk")
    return list_page(
        request,
        title=_("待核实的工作默认值"),
        intro=_("这些取值没有对照原文核实，不能当作法律规定引用。核实一条，写明条款，就少一条。"),
        queryset=pending_versions().filter(pk__in=visible).order_by(F("due_on").asc(nulls_last=True), "key"),
        table=PendingTable,
        unit=_("条规则"),
        empty=Empty(_("都核实过了"), _("没有待核实的工作默认值。"), icon="circle-check"),
        table_kwargs={"may_change": request.actor.can(RulesPermission.CHANGE)},
    )


def _current(key: str) -> tuple[Rule[Any], RuleVersion]:
    try:
        rule = get_rule(key)
    except KeyError:
        raise Http404 from None
    version = rule_book(rule).current(rule, on=timezone.localdate())
    if version is None:
        raise Http404
    return rule, version


@require_http_methods(["GET", "POST"])
@needs(RulesPermission.CHANGE.value)
def assign(request: DeskRequest, key: str) -> HttpResponse:
    """Say who is to find the source of a working default, and by when."""
    rule, _version = _current(key)
    present = Verification.objects.filter(key=key).first()
    form = VerificationForm(request.POST or None, instance=present)
    done = saved(
        form, lambda data: services.assign_verification(key=key, **data, actor=request.actor, at=timezone.now())
    )
    if done:
        messages.success(request, _("已安排：%(who)s。") % {"who": done.organisation})
        return redirect("rules:pending")
    return form_page(
        request,
        form,
        title=_("安排核实“%(title)s”") % {"title": rule.title},
        submit=pgettext("verification", "安排"),
        cancel_url=reverse("rules:pending"),
    )


@require_http_methods(["GET", "POST"])
@needs(RulesPermission.CHANGE.value)
def confirm(request: DeskRequest, key: str) -> HttpResponse:
    """Confirm a working default as it stands, with the article that gives it."""
    rule, version = _current(key)
    now, today = reading_of(version), timezone.localdate()
    initial = {name: getattr(now, name) for name in ("instrument", "article", "body", "jurisdiction")}
    form = ConfirmForm(request.POST or None, initial={**initial, "effective_from": today})
    done = saved(
        form,
        lambda data: services.confirm_rule(
            key=key,
            source=form.source(),
            effective_from=data["effective_from"],
            note=data["note"],
            actor=request.actor,
            at=timezone.now(),
        ),
    )
    if done:
        messages.success(request, _("“%(title)s”已核实。") % {"title": rule.title})
        return redirect("rules:detail", key=key)
    return form_page(
        request,
        form,
        title=_("确认“%(title)s”") % {"title": rule.title},
        intro=_("取值不变：%(value)s。对照原文核过，再写明出自哪里。取值不对的，请用“修改或确认”。")
        % {"value": now.display},
        submit=_("已核实，写入依据"),
        cancel_url=reverse("rules:detail", args=[key]),
    )
