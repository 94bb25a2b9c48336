"""未诉先办: what rises, the cases behind it, and what becomes of it."""

from datetime import timedelta
from typing import Any

import django_filters
import django_tables2
from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.complaints import rules
from xiezhi.domains.complaints.forms import lines
from xiezhi.domains.complaints.models import Topic
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services import topics
from xiezhi.domains.complaints.views.common import act_page, who
from xiezhi.domains.complaints.words import TopicStatus
from xiezhi.domains.complaints.workflow import CASE, TOPIC
from xiezhi.domains.inspections.queries.catalogue import items_for_cases
from xiezhi.domains.registry.models import Premises
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.rules.queries import rule_book
from xiezhi.foundation.ui.lists import Empty, Filters, list_page
from xiezhi.foundation.ui.tables import DayColumn, StatusColumn, Table
from xiezhi.foundation.workflow.services import why_not

SHOWN = 50
WIDTH, HEIGHT = 4, 28
"""Of one day's bar in a list, in the picture's own units."""


def bars(counts: list[int]) -> SafeString:
    """A small picture of cases a day; its numbers are on the topic's page."""
    most = max([*counts, 1])
    heights = [max(1, round(HEIGHT * count / most)) if count else 0 for count in counts]
    drawn = format_html_join(
        "", '<rect x="{}" y="{}" width="{}" height="{}"{}></rect>',
        (
            (at * WIDTH, HEIGHT - height, WIDTH - 1, height, SafeString(' class="recent"') if at >= len(counts) - topics.RECENT_DAYS else "")
            for at, height in enumerate(heights)
        ),
    )  # fmt: skip
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        WIDTH * len(counts), HEIGHT, _("三十五天每天件数，最多一天 %(n)s 件") % {"n": max([*counts, 0])}, drawn,
    )  # fmt: skip


class TopicTable(Table):
    category = django_tables2.Column(linkify=("complaints:topic", {"pk": django_tables2.A("pk")}))
    where = django_tables2.Column(verbose_name=gettext_lazy("哪里"), orderable=False)
    counts = django_tables2.Column(verbose_name=gettext_lazy("五周"), orderable=False)
    expected = django_tables2.Column(verbose_name=gettext_lazy("按前四周应有"))
    ratio = django_tables2.Column(default=gettext_lazy("新出现"))
    first_on = DayColumn()
    status = StatusColumn(TopicStatus, verbose_name=gettext_lazy("状态"))
    phone = ("category", "where", "recent", "status")

    class Meta(Table.Meta):
        model = Topic
        fields = ("category", "where", "recent", "expected", "ratio", "counts", "first_on", "status")

    def render_expected(self, value: float) -> str:
        return f"{value:.1f}"

    def render_ratio(self, value: float) -> str:
        return _("%(n)s 倍") % {"n": f"{value:.1f}"}

    def render_counts(self, value: list[int]) -> SafeString:
        return bars(value)

    def value_counts(self, value: list[int]) -> str:
        return " ".join(map(str, value))


class TopicFilters(Filters):
    status = django_filters.ChoiceFilter(choices=TopicStatus.choices, label=gettext_lazy("状态"))

    class Meta:
        model = Topic
        fields = ("status",)


@require_GET
@needs(May.VIEW_TOPICS)
def topic_list(request: DeskRequest) -> HttpResponseBase:
    """Rising topics, those to deal with first, the strongest first."""
    order = TopicStatus.values
    rows = Topic.objects.visible_to(request.actor).select_related("category", "street", "mall", "subject")
    return list_page(
        request,
        title=_("未诉先办"),
        intro=_("某类诉求在一条街道、一个商场或者一个商户，近七天明显多于自己前四周时列在这里：不等更多人来反映，先去查、先去办。"),
        queryset=rows.order_by(_in_order(order), "-last_on", "chance"),
        table=TopicTable,
        filterset=TopicFilters,
        unit=_("项"),
        empty=Empty(_("没有上升的事项"), _("每天早上用前一天为止的诉求计算，和各自前四周相比。"), icon="chart-bar"),
    )  # fmt: skip


def _in_order(values: list[str]) -> Any:
    from django.db.models import Case, IntegerField, Value, When

    return Case(*(When(status=value, then=Value(at)) for at, value in enumerate(values)), output_field=IntegerField())


def _topic(request: DeskRequest, pk: int) -> Topic:
    rows = Topic.objects.visible_to(request.actor).select_related("category", "street", "mall", "subject", "decided_by")
    return get_object_or_404(rows, pk=pk)


@require_GET
@needs(May.VIEW_TOPICS)
def topic_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One topic: its five weeks, why it is here, the cases behind it that this person sees, and what can be done."""
    topic = _topic(request, pk)
    first = topic.last_on - timedelta(days=len(topic.counts) - 1)
    recent = topic.last_on - timedelta(days=topics.RECENT_DAYS - 1)
    cases = topic.cases().visible_to(request.actor).filter(received_at__date__range=(recent, topic.last_on))
    book = rule_book(rules.TOPIC_LEAST, rules.TOPIC_PERCENT).readings(on=topic.last_on)
    days = [first + timedelta(days=at) for at in range(len(topic.counts))]
    rows = [[day.strftime("%m-%d"), count] for day, count in zip(days, topic.counts, strict=True)]
    context = {
        "topic": topic,
        "workflow": TOPIC,
        "case_workflow": CASE,
        "cases": cases.with_names().order_by("-received_at")[:SHOWN],
        "handoffs": topic.handoffs.select_related("premises__subject").order_by("pk"),
        "links": {"check": reverse("complaints:topic_check", args=[pk])},
        "readings": [book[rules.TOPIC_LEAST.key], book[rules.TOPIC_PERCENT.key]],
        "chance": f"{topic.chance:.2g}",
        "chart": {
            "dataset": {"source": [[_("日期"), _("件")], *rows]},
            "xAxis": {"type": "category"},
            "yAxis": {"type": "value", "minInterval": 1},
            "series": [{"type": "bar", "name": _("件")}],
        },
    }
    return render(request, "complaints/topic.html", context)


class CheckForm(forms.Form):
    """What is to be checked, where, and when."""

    premises = forms.ModelMultipleChoiceField(
        label=gettext_lazy("场所"), queryset=Premises.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    item = forms.ModelChoiceField(label=gettext_lazy("检查事项"), queryset=Premises.objects.none())
    earliest = forms.DateField(label=gettext_lazy("最早日期"), widget=forms.DateInput)
    latest = forms.DateField(label=gettext_lazy("最晚日期"), widget=forms.DateInput)
    note = forms.CharField(
        label=gettext_lazy("说明"), max_length=200, widget=lines(3),
        help_text=gettext_lazy("检查部门会看到：写清要查什么，不要写诉求人的任何信息。"),
    )  # fmt: skip

    def __init__(self, *args: Any, doors: list[Premises], items: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places: Any = self.fields["premises"]
        places.queryset = Premises.objects.filter(pk__in=[door.pk for door in doors]).select_related("subject")
        places.label_from_instance = lambda door: f"{door.subject.name} · {door.address}"
        self.fields["item"].queryset = items  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
@needs(May.DISPATCH)
def check(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Register checks at the doors that the cases are about."""
    topic, today = _topic(request, pk), timezone.localdate()
    back = reverse("complaints:topic", args=[pk])
    if refusal := why_not(TOPIC, topic, TOPIC["check"], request.actor):
        raise PermissionRefused(refusal)
    doors = topics.doors_of(topic)
    if not doors:
        messages.error(
            request, _("背后的诉求还没有一件关联到主体库里的场所。请先在诉求里选定经营主体，或者发出风险信号。")
        )
        return redirect(back)
    first = {
        "premises": [door.pk for door in doors] if len(doors) == 1 else [],
        "earliest": today,
        "latest": today + timedelta(days=14),
        "note": _("近七天%(what)s类诉求 %(n)s 件，请核实。") % {"what": topic.category, "n": topic.recent},
    }
    form = CheckForm(request.POST or None, doors=doors, items=items_for_cases(on=today), initial=first)
    seen = request.POST.get("seen_status") or None
    return act_page(
        request, form, lambda given: topics.raise_checks(topic=topic, seen_status=seen, **given, **who(request)),
        title=_("登记检查"), submit=_("登记检查"), done=_("已登记，检查部门会收到通知。"), back=back,
        intro=_("每个场所登记一项个案检查，由事项所属部门安排；和其他部门同去的会并成一次。"),
    )  # fmt: skip


@require_POST
@needs(May.DISPATCH)
def move(request: DeskRequest, pk: int, move: str) -> HttpResponseBase:
    """The moves that ask at most for a reason."""
    topic, given = _topic(request, pk), {"seen_status": request.POST.get("seen_status") or None, **who(request)}
    if move == "signal":
        topics.signal_risk(topic=topic, **given)
        messages.success(request, _("已记下风险信号，接办的系统收到后会在这里写明。"))
    elif move == "dismiss":
        topics.dismiss_topic(topic=topic, reason=request.POST.get("reason", ""), **given)
        messages.success(request, _("已记下，可以重新处置。"))
    elif move == "reopen":
        topics.reopen_topic(topic=topic, **given)
        messages.success(request, _("已重新列为待处置。"))
    else:
        raise Http404
    return redirect("complaints:topic", pk)
