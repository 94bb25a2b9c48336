"""检查事项清单: list, versions, check form for print, new version, end, items that may not share a visit."""

from datetime import date
from typing import Any

import django_filters
import django_tables2
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.inspections import rules
from xiezhi.domains.inspections.forms.catalogue import (
    ApartForm,
    EndItemForm,
    NewItemForm,
    VersionForm,
    written_lines,
)
from xiezhi.domains.inspections.models import CatalogueItem, IncompatiblePair, ItemVersion
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.queries import catalogue as queries
from xiezhi.domains.inspections.services import catalogue as services
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules.queries import reading
from xiezhi.foundation.ui.forms import form_page, saved
from xiezhi.foundation.ui.lists import Action, Empty, Filters, SearchFilter, list_page
from xiezhi.foundation.ui.tables import DayColumn, NumberColumn, Table

ONE_LINE = {"td": {"class": "text-nowrap"}}
STATES = (("now", gettext_lazy("现行")), ("later", gettext_lazy("尚未生效")), ("ended", gettext_lazy("已取消")))


class ItemTable(Table):
    code = django_tables2.Column(
        verbose_name=gettext_lazy("事项代码"),
        linkify=("inspections:item", {"pk": django_tables2.A("item_id")}),
        attrs=ONE_LINE,
    )
    name = django_tables2.Column()
    category = django_tables2.Column(attrs=ONE_LINE)
    method = django_tables2.Column(attrs=ONE_LINE)
    department = django_tables2.Column(
        accessor="item__department__short_name",
        verbose_name=gettext_lazy("部门"),
        order_by="item__department__code",
        attrs=ONE_LINE,
    )
    minutes = NumberColumn(unit=gettext_lazy("分钟"))
    safety = django_tables2.BooleanColumn(yesno=(gettext_lazy("是"), gettext_lazy("否")))
    off_site_possible = django_tables2.BooleanColumn(yesno=(gettext_lazy("是"), gettext_lazy("否")))
    version = NumberColumn(verbose_name=gettext_lazy("版本"))
    effective_from = DayColumn()
    phone = ("name", "department", "minutes")

    class Meta(Table.Meta):
        model = ItemVersion
        fields = (
            "code",
            "name",
            "department",
            "category",
            "method",
            "minutes",
            "safety",
            "off_site_possible",
            "version",
            "effective_from",
        )
        order_by = "code"


class ItemFilters(Filters):
    q = SearchFilter("item__code", "name", "content", "field")
    department = django_filters.ModelChoiceFilter(
        field_name="item__department",
        queryset=Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT).order_by("code"),
        label=gettext_lazy("部门"),
    )
    method = django_filters.ChoiceFilter(choices=ItemVersion.Method.choices, label=gettext_lazy("检查方式"))
    safety = django_filters.BooleanFilter(label=gettext_lazy("涉及安全"))
    off_site_possible = django_filters.BooleanFilter(label=gettext_lazy("可非现场办理"))
    state = django_filters.ChoiceFilter(choices=STATES, method="by_state", label=gettext_lazy("状态"))

    class Meta:
        model = ItemVersion
        fields = ("q", "department", "method", "safety", "off_site_possible", "state")

    def by_state(self, queryset: QuerySet[ItemVersion], name: str, value: str) -> QuerySet[ItemVersion]:
        """In force today, not yet, or not any more."""
        today = timezone.localdate()
        if value == "later":
            return queryset.filter(effective_from__gt=today)
        if value == "ended":
            return queryset.filter(effective_to__lt=today)
        return queryset.filter(Q(effective_to=None) | Q(effective_to__gte=today), effective_from__lte=today)


@require_GET
@needs(May.VIEW)
def item_list(request: DeskRequest) -> HttpResponseBase:
    """The published list: one line an item, in the version of today."""
    bring = Action(
        _("导入事项清单"),
        reverse("imports:start", args=["inspections.items"]),
        "upload",
        "primary",
        May.MANAGE_CATALOGUE,
    )
    add = Action(_("新增事项"), reverse("inspections:item_new"), "plus", permission=May.MANAGE_CATALOGUE)
    apart = Action(_("不宜同场"), reverse("inspections:items_apart"), "ban")
    return list_page(
        request,
        title=_("检查事项清单"),
        queryset=queries.current_versions(request.actor, on=timezone.localdate()),
        table=ItemTable,
        filterset=ItemFilters,
        unit=_("项"),
        actions=[bring, *([add] if request.actor.department_id else []), apart],
        intro=_("清单之外无检查：没有列在这里的事项，任何部门都不能列入计划。"),
        empty=Empty(
            _("还没有公布检查事项"),
            _("各部门导入自己的事项清单以后，才能编制检查计划。"),
            bring if request.actor.can(May.MANAGE_CATALOGUE) else None,
            "checklist",
        ),
    )


def _item(request: DeskRequest, pk: int) -> CatalogueItem:
    items = CatalogueItem.objects.visible_to(request.actor).select_related("department")
    return get_object_or_404(items, pk=pk)


def _may_keep(item: CatalogueItem, actor: Actor) -> bool:
    return actor.can(May.MANAGE_CATALOGUE) and (actor.district_wide or actor.department_id == item.department_id)


def _versions(item: CatalogueItem) -> list[ItemVersion]:
    return list(item.versions.prefetch_related("form_lines").order_by("-version"))


def _shown(request: DeskRequest, versions: list[ItemVersion]) -> ItemVersion:
    """The version asked for, else the one in force today, else the newest."""
    asked, today = request.GET.get("version"), timezone.localdate()
    for version in versions:
        if asked and str(version.version) == asked:
            return version
    return next((each for each in versions if is_in_force(each, today)), versions[0])


def is_in_force(version: ItemVersion, day: date) -> bool:
    """Whether `version` holds on `day`."""
    return version.effective_from <= day and (version.effective_to is None or version.effective_to >= day)


@require_GET
@needs(May.VIEW)
def item_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One item: what it says now, its check form, its versions and what it may not be together with."""
    item = _item(request, pk)
    versions, today = _versions(item), timezone.localdate()
    shown = _shown(request, versions)
    context: dict[str, Any] = {
        "item": item,
        "version": shown,
        "versions": versions,
        "in_force": is_in_force(shown, today),
        "upcoming": shown.effective_from > today,
        "lines": sorted(shown.form_lines.all(), key=lambda line: line.position),
        "pairs": [_other(pair, item) for pair in services.incompatible_with(item)],
        "may_keep": _may_keep(item, request.actor),
        "reading": reading(rules.PUBLISHED_ITEMS_ONLY, on=today),
        "open": any(each.effective_to is None for each in versions),
    }
    return render(request, "inspections/catalogue/item.html", context)


def _other(pair: IncompatiblePair, item: CatalogueItem) -> dict[str, Any]:
    other = pair.second if pair.first_id == item.pk else pair.first
    return {"pair": pair, "item": other}


@require_GET
@needs(May.VIEW)
def item_form(request: DeskRequest, pk: int) -> HttpResponse:
    """The check form (检查表单) of one version, to print and carry along."""
    item = _item(request, pk)
    shown = _shown(request, _versions(item))
    lines = sorted(shown.form_lines.all(), key=lambda line: line.position)
    return render(request, "inspections/catalogue/form.html", {"item": item, "version": shown, "lines": lines})


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE_CATALOGUE)
def item_new(request: DeskRequest) -> HttpResponse:
    """Publish an item's first version, in the actor's own department."""
    department = get_object_or_404(Organisation, pk=request.actor.department_id)
    form = NewItemForm(request.POST or None, initial={"effective_from": timezone.localdate()})
    made = saved(
        form,
        lambda given: services.publish_version(
            code=given["code"],
            department=department,
            wording=form.wording(),
            effective_from=given["effective_from"],
            actor=request.actor,
            at=timezone.now(),
        ),
    )
    if made:
        messages.success(request, _("已公布。"))
        return redirect("inspections:item", made[0].item_id)
    return form_page(
        request,
        form,
        title=_("新增检查事项"),
        submit=_("公布这一事项"),
        cancel_url=reverse("inspections:items"),
        draft="new-item",
    )


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE_CATALOGUE)
def item_version(request: DeskRequest, pk: int) -> HttpResponse:
    """Publish a new version of an item, beginning from what its last version says."""
    item = _item(request, pk)
    services.require_own_catalogue(item.department, request.actor)
    last = _versions(item)[0]
    initial = {"lines": written_lines(services.wording_of(last).lines), "effective_from": timezone.localdate()}
    # The form writes to its instance while it validates: give it a copy that is never saved.
    copy = ItemVersion(**{name: getattr(last, name) for name in VersionForm.Meta.fields}, item=item)
    form = VersionForm(request.POST or None, instance=copy, initial=initial)
    made = saved(
        form,
        lambda given: services.publish_version(
            code=item.code,
            department=item.department,
            wording=form.wording(),
            effective_from=given["effective_from"],
            actor=request.actor,
            at=timezone.now(),
        ),
    )
    if made:
        version, new = made
        messages.success(
            request, _("新版本已公布。") if new else _("内容没有变化，仍是第 %(n)d 版。") % {"n": version.version}
        )
        return redirect("inspections:item", item.pk)
    return form_page(
        request,
        form,
        title=_("%(code)s 新版本") % {"code": item.code},
        submit=_("公布新版本"),
        cancel_url=reverse("inspections:item", args=[item.pk]),
        intro=_("从生效日期起按新内容检查；已经按旧版本检查的记录不变，尚未排定、那天以后才开始的任务转到新版本。"),
        draft=f"item-{item.pk}",
    )


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE_CATALOGUE)
def item_end(request: DeskRequest, pk: int) -> HttpResponse:
    """Take an item out of the list after a day, having seen how many checks that ends."""
    item = _item(request, pk)
    services.require_own_catalogue(item.department, request.actor)
    today = timezone.localdate()
    form = EndItemForm(request.POST or None, today=today)
    done = saved(
        form,
        lambda given: (
            services.end_item(item=item, last_day=given["last_day"], actor=request.actor, at=timezone.now()),
            True,
        ),
    )
    if done:
        messages.success(request, _("已取消，%(count)d 项任务不再检查。") % {"count": done[0]})
        return redirect("inspections:item", item.pk)
    intro = _("如果今天是最后一天，有 %(count)d 项尚未排定的任务将不再检查。") % {
        "count": queries.checks_after(item, today)
    }
    return form_page(
        request,
        form,
        title=_("取消事项 %(code)s") % {"code": item.code},
        submit=_("取消这一事项"),
        cancel_url=reverse("inspections:item", args=[item.pk]),
        intro=intro,
        style="danger",
    )


class PairTable(Table):
    first = django_tables2.Column(
        linkify=("inspections:item", {"pk": django_tables2.A("first_id")}), verbose_name=gettext_lazy("事项")
    )
    second = django_tables2.Column(
        linkify=("inspections:item", {"pk": django_tables2.A("second_id")}), verbose_name=gettext_lazy("不宜同场的事项")
    )
    departments = django_tables2.Column(empty_values=(), orderable=False, verbose_name=gettext_lazy("部门"))
    reason = django_tables2.Column()
    actions = django_tables2.TemplateColumn(
        template_name="inspections/catalogue/pair_actions.html", orderable=False, verbose_name=""
    )

    class Meta(Table.Meta):
        model = IncompatiblePair
        fields = ("first", "second", "departments", "reason", "actions")
        order_by = "first"

    def render_departments(self, record: IncompatiblePair) -> str:
        return f"{record.first.department} · {record.second.department}"

    value_departments = render_departments


class PairFilters(Filters):
    q = SearchFilter("first__code", "second__code", "reason")

    class Meta:
        model = IncompatiblePair
        fields = ("q",)


@require_http_methods(["GET", "POST"])
@needs(May.VIEW)
def items_apart(request: DeskRequest) -> HttpResponseBase:
    """Items that may never share a visit; whoever keeps a catalogue adds a pair here."""
    may_add, form = request.actor.can(May.MANAGE_CATALOGUE), None
    if may_add or request.method == "POST":
        request.actor.require(May.MANAGE_CATALOGUE)
        department = Organisation.objects.filter(pk=request.actor.department_id or 0).first()
        items = queries.items_in_force(request.actor, on=timezone.localdate())
        form = ApartForm(request.POST or None, items=items, department=department)
        made = saved(form, lambda given: services.keep_apart(**given, actor=request.actor, at=timezone.now()))
        if made:
            messages.success(request, _("已加入。") if made[1] else _("这一对早已在列。"))
            return redirect("inspections:items_apart")
    response = list_page(
        request,
        title=_("不宜同场的事项"),
        queryset=IncompatiblePair.objects.filter(
            first__in=CatalogueItem.objects.visible_to(request.actor).values("pk")
        ).select_related("first__department", "second__department"),
        table=PairTable,
        filterset=PairFilters,
        unit=_("对"),
        intro=_("这里的两个事项不会排进同一次联合检查。"),
        empty=Empty(
            _("还没有不宜同场的事项"), _("例如一项要求停机、另一项要求开机运行，就应当分两次进行。"), None, "ban"
        ),
        template="inspections/catalogue/apart.html",
        context={"form": form},
    )
    if form is not None and form.is_bound and form.errors:
        response.status_code = 422
    return response


@require_POST
@needs(May.MANAGE_CATALOGUE)
def items_together(request: DeskRequest, pk: int) -> HttpResponse:
    """Take a pair back."""
    pairs = IncompatiblePair.objects.filter(first__in=CatalogueItem.objects.visible_to(request.actor).values("pk"))
    pair = get_object_or_404(pairs.select_related("first", "second"), pk=pk)
    services.allow_together(pair=pair, actor=request.actor, at=timezone.now())
    messages.success(request, _("已移除，这两个事项今后可以同场。"))
    return redirect("inspections:items_apart")
