"""检查计划: list, draft, review, filing, withdrawal, and the record of each draw."""

from typing import Any

import django_filters
import django_tables2
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.inspections import rules
from xiezhi.domains.inspections.forms.plans import PlanHeadForm, RowForm, row_initial
from xiezhi.domains.inspections.models import Draw, Plan, PlanRow
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.queries import plans as queries
from xiezhi.domains.inspections.queries.catalogue import items_in_force
from xiezhi.domains.inspections.services import filing, plan_rows, plans
from xiezhi.domains.inspections.services.draws import WHY_EXCLUDED, doors_named, redraw
from xiezhi.domains.inspections.services.named_rows import names_waiting
from xiezhi.domains.inspections.workflow import PLAN, PlanStatus, own_department
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules.queries import reading, readings_of
from xiezhi.foundation.ui.forms import ReasonForm, form_page, saved
from xiezhi.foundation.ui.lists import Action, Bulk, Empty, Filters, SearchFilter, list_page
from xiezhi.foundation.ui.tables import DayColumn, MomentColumn, NumberColumn, StatusColumn, Table
from xiezhi.foundation.workflow.errors import Refused

SHOWN = 200
"""So many drawn doors are shown on the page of a draw; the export has all."""


ONE_LINE = {"td": {"class": "text-nowrap"}}


class PlanTable(Table):
    title = django_tables2.Column(linkify=("inspections:plan", {"pk": django_tables2.A("pk")}))
    status = StatusColumn(PlanStatus, verbose_name=gettext_lazy("状态"))
    department = django_tables2.Column(order_by="department__code", attrs=ONE_LINE)
    kind = django_tables2.Column(attrs=ONE_LINE)
    starts_on = DayColumn()
    ends_on = DayColumn()
    row_count = NumberColumn(verbose_name=gettext_lazy("行数"))
    filed_at = MomentColumn()
    phone = ("title", "status", "department", "row_count")

    class Meta(Table.Meta):
        model = Plan
        fields = ("title", "status", "department", "kind", "starts_on", "ends_on", "row_count", "filed_at")
        order_by = "-starts_on"


class PlanFilters(Filters):
    q = SearchFilter("title", "approval_number")
    department = django_filters.ModelChoiceFilter(
        queryset=Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT).order_by("code"),
        label=gettext_lazy("部门"),
    )
    status = django_filters.ChoiceFilter(choices=PlanStatus.choices, label=gettext_lazy("状态"))
    year = django_filters.NumberFilter(field_name="starts_on__year", label=gettext_lazy("年度"))

    class Meta:
        model = Plan
        fields = ("q", "department", "status", "year")


@require_GET
@needs(May.VIEW)
def plan_list(request: DeskRequest) -> HttpResponseBase:
    """Plans: a department's own, or everybody's for district-wide posts."""
    bring = Action(
        _("导入检查计划"), reverse("imports:start", args=["inspections.plan"]), "upload", "primary", May.SUBMIT_PLAN
    )
    return list_page(
        request,
        title=_("检查计划"),
        queryset=Plan.objects.visible_to(request.actor).select_related("department").annotate(row_count=Count("rows")),
        table=PlanTable,
        filterset=PlanFilters,
        unit=_("份"),
        actions=[bring, Action(_("新建计划"), reverse("inspections:plan_new"), "plus", permission=May.SUBMIT_PLAN)],
        empty=Empty(
            _("还没有检查计划"),
            _("导入本部门的计划表，核对后报送；报送以后才会形成检查任务。"),
            bring if request.actor.can(May.SUBMIT_PLAN) else None,
            "clipboard-list",
        ),
    )


def _plan(request: DeskRequest, pk: int) -> Plan:
    return get_object_or_404(Plan.objects.visible_to(request.actor).select_related("department"), pk=pk)


@require_http_methods(["GET", "POST"])
@needs(May.SUBMIT_PLAN)
def plan_new(request: DeskRequest) -> HttpResponse:
    """Open an empty draft of the actor's department."""
    department = get_object_or_404(Organisation, pk=request.actor.department_id)
    form = PlanHeadForm(request.POST or None)
    plan = saved(
        form, lambda given: plans.open_plan(department=department, **given, actor=request.actor, at=timezone.now())
    )
    if plan:
        messages.success(request, _("草稿已建立，请添加明细。"))
        return redirect("inspections:plan", plan.pk)
    return form_page(
        request,
        form,
        title=_("新建检查计划"),
        submit=_("建立草稿"),
        cancel_url=reverse("inspections:plans"),
        draft="new-plan",
    )


@require_http_methods(["GET", "POST"])
@needs(May.SUBMIT_PLAN)
def plan_edit(request: DeskRequest, pk: int) -> HttpResponse:
    """Change the head of a draft."""
    plan = _plan(request, pk)
    form = PlanHeadForm(request.POST or None, initial={name: getattr(plan, name) for name in PlanHeadForm.base_fields})
    done = saved(form, lambda given: plans.amend_plan(plan=plan, changes=given, actor=request.actor, at=timezone.now()))
    if done:
        messages.success(request, _("已保存。"))
        return redirect("inspections:plan", pk)
    return form_page(
        request, form, title=_("修改计划"), submit=_("保存修改"), cancel_url=reverse("inspections:plan", args=[pk])
    )


@require_GET
@needs(May.VIEW)
def plan_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One plan: what to do now, its rows in short, what it became, its draws."""
    plan = _plan(request, pk)
    job = Job.objects.filter(pk=plan.filing_job_id).first() if plan.filing_job_id else None
    draft = plan.status == PlanStatus.DRAFT
    context: dict[str, Any] = {
        "plan": plan,
        "workflow": PLAN,
        "job": job,
        "being_filed": draft and job is not None and job.is_open,
        "overview": queries.plan_overview(plan),
        "names": names_waiting(plan),
        "draws": Draw.objects.filter(row__plan=plan)
        .select_related("row__item", "row__scene", "row__street", "row__premises")
        .defer("frame", "excluded")
        .order_by("row__number"),
        "may_edit": draft and request.actor.can(May.SUBMIT_PLAN) and own_department(plan, request.actor),
        "links": {"withdraw": reverse("inspections:plan_withdraw", args=[pk])},
        "approval": reading(rules.SPECIAL_NEEDS_APPROVAL, on=timezone.localdate()),
    }
    for draw in context["draws"]:
        draw.words = queries.frame_words(draw.row)
    return render(request, "inspections/plans/plan.html", context)


@require_POST
@needs(May.SUBMIT_PLAN)
def plan_move(request: DeskRequest, pk: int, move: str) -> HttpResponse:
    """File a plan; withdrawing has a page of its own."""
    plan = _plan(request, pk)
    if move != "file":
        raise Http404
    done = filing.submit_plan(
        plan=plan, actor=request.actor, at=timezone.now(), seen_status=request.POST.get("seen_status")
    )
    if isinstance(done, Job):
        messages.success(request, _("正在报送：抽取对象、形成任务，完成后这里会显示结果。"))
    else:
        messages.success(request, _("计划已报送。"))
    return redirect("inspections:plan", pk)


@require_http_methods(["GET", "POST"])
@needs(May.SUBMIT_PLAN)
def plan_withdraw(request: DeskRequest, pk: int) -> HttpResponse:
    """Withdraw a plan, having seen what that does."""
    plan = _plan(request, pk)
    form = ReasonForm(request.POST or None)
    done = saved(
        form,
        lambda given: plans.withdraw_plan(
            plan=plan,
            reason=given["reason"],
            actor=request.actor,
            at=timezone.now(),
            seen_status=request.POST.get("seen_status"),
        ),
    )
    if done:
        messages.success(request, _("计划已撤回。"))
        return redirect("inspections:plan", pk)
    return form_page(
        request,
        form,
        title=_("撤回《%(title)s》") % {"title": plan.title},
        submit=_("撤回计划"),
        cancel_url=reverse("inspections:plan", args=[pk]),
        style="danger",
        template="inspections/plans/withdraw.html",
        plan=plan,
        preview=plans.withdrawal_preview(plan),
    )


class RowTable(Table):
    number = django_tables2.Column()
    kind = django_tables2.Column(attrs=ONE_LINE)
    source = django_tables2.Column(attrs=ONE_LINE)
    item = django_tables2.Column(
        linkify=("inspections:item", {"pk": django_tables2.A("item_id")}), order_by="item__code"
    )
    who = django_tables2.Column(empty_values=(), orderable=False, verbose_name=gettext_lazy("对象或范围"))
    how_many = django_tables2.Column(empty_values=(), orderable=False, verbose_name=gettext_lazy("抽取"))
    earliest = DayColumn()
    latest = DayColumn()
    on_site_reason = django_tables2.Column()
    actions = django_tables2.TemplateColumn(
        template_name="inspections/plans/row_actions.html", orderable=False, verbose_name=""
    )
    phone = ("who", "item", "earliest", "actions")

    class Meta(Table.Meta):
        model = PlanRow
        fields = (
            "number",
            "kind",
            "source",
            "item",
            "who",
            "how_many",
            "earliest",
            "latest",
            "on_site_reason",
            "actions",
        )
        order_by = "number"

    def render_item(self, record: PlanRow) -> str:
        return f"{record.item.code} {record.item_name or ''}".strip()  # type: ignore[attr-defined]  # annotated

    def render_who(self, record: PlanRow) -> str:
        return queries.frame_words(record)

    def render_how_many(self, record: PlanRow) -> str:
        if record.kind == PlanRow.Kind.NAMED:
            return "—"
        if record.quantity is not None:
            return _("%(count)d 户") % {"count": record.quantity}
        if record.ratio_per_mille is not None:
            return f"{record.ratio_per_mille / 10:g}%"
        return _("按信用分类")

    value_item, value_who, value_how_many = render_item, render_who, render_how_many


class RowFilters(Filters):
    q = SearchFilter("premises__subject__name", "premises__subject__code", "item__code", "scene__name", "industry")
    kind = django_filters.ChoiceFilter(choices=PlanRow.Kind.choices, label=gettext_lazy("方式"))
    source = django_filters.ChoiceFilter(choices=PlanRow.Source.choices, label=gettext_lazy("检查类型"))

    class Meta:
        model = PlanRow
        fields = ("q", "kind", "source")


@require_GET
@needs(May.VIEW)
def row_list(request: DeskRequest, pk: int) -> HttpResponseBase:
    """All rows of one plan; those of a draft can be changed and removed."""
    plan = _plan(request, pk)
    editable = (
        plan.status == PlanStatus.DRAFT and request.actor.can(May.SUBMIT_PLAN) and own_department(plan, request.actor)
    )
    add = Action(_("添加一行"), reverse("inspections:row_new", args=[pk]), "plus", "primary", May.SUBMIT_PLAN)
    remove = Bulk(_("删去所选"), reverse("inspections:rows_remove", args=[pk]), "trash", "danger", May.SUBMIT_PLAN)
    return list_page(
        request,
        title=_("《%(title)s》明细") % {"title": plan.title},
        queryset=queries.rows_with_names(plan).select_related(
            "item__department", "premises__subject", "scene", "street", "plan"
        ),
        table=RowTable,
        filterset=RowFilters,
        unit=_("行"),
        actions=[add] if editable else [],
        bulk=[remove] if editable else [],
        empty=Empty(_("还没有明细"), _("导入计划表，或逐行添加。"), add if editable else None, "list"),
        template="inspections/plans/rows.html",
        context={"plan": plan, "editable": editable},
        table_kwargs={} if editable else {"exclude": ("actions",)},
    )


def _row_form(request: DeskRequest, plan: Plan, **kwargs: Any) -> RowForm:
    items = items_in_force(request.actor, on=plan.starts_on)
    return RowForm(request.POST or None, plan=plan, items=items, actor=request.actor, **kwargs)


@require_http_methods(["GET", "POST"])
@needs(May.SUBMIT_PLAN)
def row_new(request: DeskRequest, pk: int) -> HttpResponse:
    """Add one row to a draft."""
    plan = _plan(request, pk)
    form = _row_form(request, plan)
    done = saved(
        form, lambda _given: plan_rows.add_rows(plan=plan, rows=[form.draft()], actor=request.actor, at=timezone.now())
    )
    if done:
        messages.success(request, _("已添加。"))
        return redirect("inspections:plan_rows", pk)
    return form_page(
        request, form, title=_("添加一行"), submit=_("添加"), cancel_url=reverse("inspections:plan_rows", args=[pk])
    )


@require_http_methods(["GET", "POST"])
@needs(May.SUBMIT_PLAN)
def row_edit(request: DeskRequest, pk: int, row_pk: int) -> HttpResponse:
    """Change one row of a draft."""
    plan = _plan(request, pk)
    row = get_object_or_404(plan.rows.select_related("premises__subject", "plan"), pk=row_pk)
    form = _row_form(request, plan, initial=row_initial(row))
    done = saved(
        form,
        lambda _given: plan_rows.change_row(row=row, draft=form.draft(), actor=request.actor, at=timezone.now()),
    )
    if done:
        messages.success(request, _("已保存。"))
        return redirect("inspections:plan_rows", pk)
    return form_page(
        request,
        form,
        title=_("修改第 %(number)d 行") % {"number": row.number},
        submit=_("保存修改"),
        cancel_url=reverse("inspections:plan_rows", args=[pk]),
    )


@require_POST
@needs(May.SUBMIT_PLAN)
def rows_remove(request: DeskRequest, pk: int) -> HttpResponse:
    """Take selected rows out of a draft."""
    plan = _plan(request, pk)
    chosen = [int(each) for each in request.POST.getlist("selected") if each.isdecimal()]
    if not chosen:
        raise Refused(_("请先勾选要删去的行。"))
    gone = plan_rows.remove_rows(plan=plan, row_ids=chosen, actor=request.actor, at=timezone.now())
    messages.success(request, _("已删去 %(count)d 行。") % {"count": gone})
    return redirect("inspections:plan_rows", pk)


@require_GET
@needs(May.VIEW)
def draw_detail(request: DeskRequest, pk: int, draw_pk: int) -> HttpResponse:
    """The record of one draw, drawn again from the record before the reader's eyes."""
    plan = _plan(request, pk)
    draws = Draw.objects.filter(row__plan=plan).select_related(
        "row__item", "row__scene", "row__street", "row__premises"
    )
    draw = get_object_or_404(draws.select_related("drawn_by"), pk=draw_pk)
    why: dict[str, int] = {}
    for word in draw.excluded.values():
        why[word] = why.get(word, 0) + 1
    strata = [
        {
            "name": name,
            "size": len(draw.frame[name]),
            "terms": terms,
            "percent": f"{float(terms['per_mille']) / 10:g}" if "per_mille" in terms else "",
        }
        for name, terms in sorted(draw.terms.items())
    ]
    context: dict[str, Any] = {
        "plan": plan,
        "draw": draw,
        "words": queries.frame_words(draw.row),
        "recount": redraw(draw),
        "strata": strata,
        "excluded": [(WHY_EXCLUDED[word], count) for word, count in sorted(why.items())],
        "doors": list(doors_named(draw.selected[:SHOWN]).items()),
        "more": max(0, len(draw.selected) - SHOWN),
        "readings": list(readings_of(draw.rule_version_ids).values()),
    }
    return render(request, "inspections/plans/draw.html", context)
