"""What can be done with a case, each as one page: a form, one service call, and back. Which are open is said by the workflow or `Act.open`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from xiezhi.domains.complaints import forms
from xiezhi.domains.complaints.callback_forms import OfficialCallbackForm
from xiezhi.domains.complaints.models import Case, Mediation, ReplyTemplate
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.queries.hints import suggested_unit
from xiezhi.domains.complaints.services import (
    applications,
    attachments,
    callbacks,
    deciding,
    dispatching,
    handoffs,
    intake,
    linking,
    malls,
    mediating,
    replying,
    supervising,
    templates,
)
from xiezhi.domains.complaints.services.intake import Matter, Numbered
from xiezhi.domains.complaints.views.common import act_page, case_of, focus_first, goes_on, who
from xiezhi.domains.complaints.words import CaseStatus, Kind
from xiezhi.domains.complaints.workflow import CASE, own_unit
from xiezhi.domains.inspections.queries.catalogue import items_for_cases
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.notices.services import people_holding
from xiezhi.foundation.ui.forms import ReasonForm
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import why_not

Text = str | Promise
Given = dict[str, Any]
MakeForm = Callable[[DeskRequest, Case], django_forms.BaseForm]


@dataclass(frozen=True)
class Act:
    """One thing to do. `move`: the workflow's move behind it, which says who may and when; else `open(case, actor)` does.

    `run(case, given, **who)` is the one service call; `of` names the related objects when the address holds a second key.
    """

    title: Text
    run: Callable[..., Any]
    form: type[django_forms.BaseForm] | MakeForm | None = None
    move: str = ""
    open: Callable[[Case, Actor], bool] | None = None
    of: str = ""
    intro: Text = ""
    style: str = "primary"
    next_case: bool = False
    """Whether it ends the person's part, so that the next case of their queue opens (`goes_on`)."""


def leads(case: Case, actor: Actor) -> bool:
    """The actor's unit handles it."""
    return actor.can(May.HANDLE) and own_unit(case, actor)


def _open_and_led(case: Case, actor: Actor) -> bool:
    return case.is_open and case.status != CaseStatus.LEAD and leads(case, actor)


def _dispatching(case: Case, actor: Actor) -> bool:
    return case.is_open and actor.can(May.DISPATCH)


def _either(case: Case, actor: Actor) -> bool:
    return _dispatching(case, actor) or (case.is_open and leads(case, actor))


def _mall(case: Case, actor: Actor) -> bool:
    return case.mall_id is not None and case.kind != Kind.REPORT and _either(case, actor)


def _filled(form: type[django_forms.Form], **initial: Callable[[Case], Any]) -> MakeForm:
    """A form that begins with what the case says."""

    def make(request: DeskRequest, case: Case) -> django_forms.BaseForm:
        return form(request.POST or None, initial={name: value(case) for name, value in initial.items()})

    return make


def _now(_case: Case) -> Any:
    return timezone.localtime().replace(second=0, microsecond=0)


def _reply_form(request: DeskRequest, case: Case) -> django_forms.BaseForm:
    asked = request.GET.get("template", "")
    chosen = ReplyTemplate.objects.filter(code=asked, is_active=True).first()
    if chosen is None and case.outcome:
        chosen = next((each for each in templates.templates_for(case) if each.outcomes), None)
    initial = {"text": templates.filled(chosen, case), "outcome": chosen.outcomes.split(" ")[0]} if chosen else {}
    return forms.ReplyForm(request.POST or None, case=case, initial=initial)


def _inspection_form(request: DeskRequest, case: Case) -> django_forms.BaseForm:
    today = timezone.localdate()
    first = {"earliest": today, "latest": today + timedelta(days=14), "urgent": case.tier == "2h"}
    return forms.InspectionForm(request.POST or None, items=items_for_cases(on=today), initial=first)


def _merge_form(request: DeskRequest, case: Case) -> django_forms.BaseForm:
    return forms.MergeForm(request.POST or None, initial={"into": request.GET.get("into", "")[:40]})


def _hand_over_form(request: DeskRequest, case: Case) -> django_forms.BaseForm:
    people = people_holding(May.HANDLE, organisation_ids=[case.unit_id or 0], at=timezone.now())
    return forms.HandOverForm(request.POST or None, people=people, initial={"officer": case.officer_id})


def _files(form: type[django_forms.Form]) -> MakeForm:
    return lambda request, case: form(request.POST or None, request.FILES or None)


ACTS: dict[str, Act] = {
    "register": Act(
        gettext_lazy("登记编号"),
        lambda case, given, **w: intake.register_lead(
            case=case, number=Numbered(given["register"], given["number"]), received_there_at=given["received_there_at"], **w
        ),
        _filled(forms.RegisterForm, received_there_at=_now), "register",
        intro=gettext_lazy("这条线索已经登记到 12345 或者 12315 平台以后，在这里填编号；法定期限从该渠道收到时起算。"),
    ),
    "dismiss": Act(
        gettext_lazy("不作登记"),
        lambda case, given, **w: intake.dismiss_lead(case=case, reason=given["reason"], **w),
        ReasonForm, "dismiss", style="danger", next_case=True,
        intro=gettext_lazy("咨询、信息公开、复议、纪检等事项请写明已告知的途径（第四十四条）。"),
    ),
    "dispatch": Act(
        gettext_lazy("派单"), lambda case, given, **w: dispatching.dispatch_case(case=case, **given, **w),
        _filled(forms.DispatchForm, unit=suggested_unit), "dispatch", next_case=True,
    ),
    "redirect": Act(
        gettext_lazy("改派"), lambda case, given, **w: dispatching.redirect_case(case=case, **given, **w),
        forms.RedirectForm, "redirect", next_case=True,
    ),
    "sign": Act(gettext_lazy("签收"), lambda case, given, **w: dispatching.sign_case(case=case, **w), None, "sign"),
    "ask_return": Act(
        gettext_lazy("申请退单"), lambda case, given, **w: dispatching.ask_return(case=case, **given, **w),
        forms.AskReturnForm, "ask_return", style="caution", next_case=True,
        intro=gettext_lazy("由派单员审定；审定以前仍由本单位负责，不得自行转给其他单位（第四十一条）。"),
    ),
    "allow_return": Act(
        gettext_lazy("审定退单"),
        lambda case, given, **w: dispatching.decide_return(
            request=case.returns.get(decided_at=None), **given, **{key: w[key] for key in ("actor", "at")}
        ),
        _filled(forms.DecideReturnForm, unit=lambda case: case.returns.filter(decided_at=None).values_list("target", flat=True).first()),
        "allow_return", next_case=True,
    ),
    "accept": Act(gettext_lazy("受理"), lambda case, given, **w: deciding.accept_complaint(case=case, **w), None, "accept"),
    "refuse": Act(
        gettext_lazy("不予受理"), lambda case, given, **w: deciding.refuse_complaint(case=case, **given, **w),
        forms.RefuseForm, "refuse", style="danger",
        intro=gettext_lazy("只能是第十六条的七种情形之一。提示和统计只供参考，由您根据事实决定；投诉中的违法线索仍要核查（第九条、第二十七条）。"),
    ),
    "suspend": Act(
        gettext_lazy("送鉴定检测"), lambda case, given, **w: deciding.start_appraisal(case=case, **given, **w),
        forms.AppraisalForm, "suspend", intro=gettext_lazy("鉴定检测时间不计入调解期限（第二十二条）。"),
    ),
    "resume": Act(
        gettext_lazy("鉴定检测结束"), lambda case, given, **w: deciding.end_appraisal(case=case, **given, **w),
        forms.ResultForm, "resume",
    ),
    "terminate": Act(
        gettext_lazy("终止调解"), lambda case, given, **w: deciding.terminate_mediation(case=case, **given, **w),
        forms.TerminateForm, "terminate", style="caution",
    ),
    "reply": Act(
        gettext_lazy("答复"), lambda case, given, **w: replying.reply_case(case=case, **given, **w), _reply_form, "reply",
        next_case=True,
    ),
    "close": Act(gettext_lazy("办结"), lambda case, given, **w: replying.close_case(case=case, **w), None, "close", next_case=True),
    "merge": Act(
        gettext_lazy("并入已有诉求"), lambda case, given, **w: linking.merge_case(case=case, **given, **w),
        _merge_form, "merge", style="caution", next_case=True,
        intro=gettext_lazy("同一个人反映同一件事才并入：只保留一个时限，两次来件时间都留着。不同的人请用群体诉求。"),
    ),
    "tier": Act(
        gettext_lazy("变更时限"), lambda case, given, **w: dispatching.change_tier(case=case, **given, **w),
        _filled(forms.TierForm, tier=lambda case: case.tier),
        open=lambda case, actor: _dispatching(case, actor) and case.status != CaseStatus.LEAD,
        intro=gettext_lazy("仍从收到时起算；原来的时限和期限保留在经过里。"),
    ),
    "amend": Act(
        gettext_lazy("修改要素"),
        lambda case, given, **w: intake.amend_case(case=case, matter=given["matter"], **w),
        lambda request, case: forms.MatterForm(request.POST or None, initial=forms.MatterForm.of(case)),
        open=_either,
    ),
    "kind": Act(
        gettext_lazy("更改类型"),
        lambda case, given, **w: intake.change_kind(case=case, **given, **w), _filled(forms.KindForm, kind=lambda case: case.kind),
        open=lambda case, actor: actor.can(May.REGISTER) and case.status == CaseStatus.LEAD,
        intro=gettext_lazy("改为举报后，诉求人信息按举报保密（第三十七条）；改为投诉前，请先核对是不是消费争议（第三条）。"),
    ),
    "number": Act(
        gettext_lazy("补录编号"),
        lambda case, given, **w: intake.record_number(case=case, number=Numbered(given["register"], given["number"]), **w),
        forms.NumberForm, open=lambda case, actor: actor.can(May.REGISTER) and case.status != CaseStatus.LEAD,
    ),
    "split": Act(
        gettext_lazy("拆出举报"),
        lambda case, given, **w: intake.split_case(
            case=case,
            report=Matter(
                kind=Kind.REPORT, description=given["description"], category=case.category, subject=case.subject,
                premises=case.premises, respondent_name=case.respondent_name, respondent_address=case.respondent_address,
                mall=case.mall, street=case.street, place=case.place,
            ),
            **w,
        ),
        _filled(forms.SplitForm, description=lambda case: case.description),
        open=lambda case, actor: (
            case.kind == Kind.COMPLAINT and case.is_open and actor.can(May.REGISTER) and not case.parts.exists()
        ),
        intro=gettext_lazy("投诉和举报分别办理（第九条）：举报另立一件，两个期限，举报人信息单独保密（第三十七条）。"),
    ),
    "co_handler": Act(
        gettext_lazy("请协办"), lambda case, given, **w: dispatching.add_co_handler(case=case, **given, **w),
        forms.CoHandlerForm, open=_either,
    ),
    "hand_over": Act(
        gettext_lazy("更换承办人"),
        lambda case, given, **w: dispatching.hand_over(case=case, to_user_id=given["officer"].pk, **w),
        _hand_over_form, open=lambda case, actor: _open_and_led(case, actor) and case.officer_id is not None,
    ),
    "mall": Act(
        gettext_lazy("转商场回应"), lambda case, given, **w: malls.ask_mall(case=case, **given, **w),
        _filled(forms.MallForm, told=malls.told_to_mall), open=lambda case, actor: _mall(case, actor) and not case.mall_requests.exists(),
    ),
    "mediation": Act(
        gettext_lazy("安排调解"), lambda case, given, **w: mediating.plan_mediation(case=case, **given, **w),
        forms.MediationForm, open=lambda case, actor: case.status == CaseStatus.MEDIATING and leads(case, actor),
        intro=gettext_lazy("时间、地点和调解人员要提前告知双方（第二十条）；保存即记为已告知。"),
    ),
    "clue": Act(
        gettext_lazy("登记违法线索"), lambda case, given, **w: deciding.note_clue(case=case, **given, **w),
        _filled(forms.ClueForm, found_at=_now), open=_open_and_led,
    ),
    "jurisdiction": Act(
        gettext_lazy("管辖争议"),
        lambda case, given, **w: deciding.note_jurisdiction_dispute(case=case, text=given["text"], **w),
        forms.TextForm, open=_open_and_led, intro=gettext_lazy("写明与哪个机关有争议；期限内协商不成的报共同上级（第三十三条）。"),
    ),
    "jurisdiction_settled": Act(
        gettext_lazy("管辖争议已解决"),
        lambda case, given, **w: deciding.settle_jurisdiction(case=case, text=given["text"], **w), forms.TextForm,
        open=lambda case, actor: leads(case, actor) and case.clocks.filter(kind="jurisdiction", met_at=None, dropped_at=None).exists(),
    ),
    "apply": Act(
        gettext_lazy("申请剔除、挂账或延长"), lambda case, given, **w: applications.apply_for(case=case, **given, **w),
        forms.ApplyForm,
        open=lambda case, actor: leads(case, actor) and case.status not in {CaseStatus.MERGED, CaseStatus.DISMISSED},
        intro=gettext_lazy("由他人审批；批准剔除以后，各项成效同时给出剔除前和剔除后的数。"),
    ),
    "supervise": Act(
        gettext_lazy("督办"), lambda case, given, **w: supervising.supervise_case(case=case, text=given["text"], **w),
        forms.TextForm, open=lambda case, actor: case.is_open and case.unit_id is not None and actor.can(May.SUPERVISE),
        style="caution",
    ),
    "reopen": Act(
        gettext_lazy("重新办理"), lambda case, given, **w: replying.reopen_case(case=case, reason=given["reason"], **w),
        ReasonForm,
        open=lambda case, actor: actor.can(May.REGISTER) and case.status in {CaseStatus.REPLIED, CaseStatus.CLOSED},
        style="caution", intro=gettext_lazy("另立一件重新办理，重新计时；原来的诉求和答复保持不变。"),
    ),
    "official": Act(
        gettext_lazy("登记官方回访"), lambda case, given, **w: callbacks.record_official(case=case, **given, **w),
        OfficialCallbackForm,
        open=lambda case, actor: actor.can(May.DISPATCH) and case.status not in {CaseStatus.LEAD, CaseStatus.DISMISSED, CaseStatus.MERGED},
        intro=gettext_lazy("12345 自己的回访结果：原样登记并写明出处，成效以它为准。"),
    ),
    "attach": Act(
        gettext_lazy("添加附件"),
        lambda case, given, **w: attachments.attach_file(case=case, upload=given["file"], title=given["title"], **w),
        _files(forms.AttachForm), open=_either,
    ),
    "inspection": Act(
        gettext_lazy("登记个案检查"), lambda case, given, **w: handoffs.raise_inspection(case=case, **given, **w),
        _inspection_form, open=lambda case, actor: case.premises_id is not None and _either(case, actor),
    ),
    # of something that belongs to the case
    "record": Act(
        gettext_lazy("记录调解"), lambda mediation, given, **w: mediating.record_mediation(mediation=mediation, **given, **w),
        forms.RecordForm, of="mediations", open=leads,
    ),
    "verify": Act(
        gettext_lazy("核查结果"), lambda clue, given, **w: deciding.verify_clue(clue=clue, **given, **w), forms.ResultForm,
        of="clues", open=leads,
    ),
    "decide": Act(
        gettext_lazy("审批"),
        lambda application, given, **w: applications.decide_application(application=application, **given, **w),
        forms.DecideForm, of="applications", open=lambda case, actor: actor.can(May.APPROVE),
    ),
    "help": Act(
        gettext_lazy("协办意见"),
        lambda asked, given, **w: dispatching.answer_co_handling(asked=asked, answer=given["text"], **w), forms.TextForm,
        of="co_handlers", open=lambda case, actor: actor.can(May.HANDLE),
    ),
    "account": Act(
        gettext_lazy("回复督办"),
        lambda asked, given, **w: supervising.answer_supervision(asked=asked, answer=given["text"], **w), forms.TextForm,
        of="supervisions", open=leads,
    ),
}  # fmt: skip

MOVE_PAGES = {"refuse_return": "allow_return"}
"""Moves that are asked on another move's page."""


def links_for(case: Case, mediations: Sequence[Mediation]) -> dict[str, str]:
    """Where the workflow's buttons lead: to a page where more is asked."""
    found = {
        name: reverse("complaints:act", args=[case.pk, name]) for name, act in ACTS.items() if act.move and act.form
    }
    waiting = min(
        (each for each in mediations if each.recorded_at is None), key=lambda each: each.held_at, default=None
    )
    found["settle"] = (
        reverse("complaints:act_of", args=[case.pk, "record", waiting.pk])
        if waiting
        else reverse("complaints:act", args=[case.pk, "mediation"])
    )
    return {**found, **{name: found[page] for name, page in MOVE_PAGES.items()}}


def further_acts(case: Case, actor: Actor) -> list[dict[str, Any]]:
    """What this person can do beside the workflow's moves."""
    return [
        {"title": act.title, "url": reverse("complaints:act", args=[case.pk, name])}
        for name, act in ACTS.items()
        if act.open and not act.of and act.open(case, actor)
    ]


def _refuse_closed(act: Act, case: Case, actor: Actor, *, asking: bool) -> None:
    """Raises what the service would, before anything is asked. What is sent (not `asking`) is only looked at for who sends it: whether the
    move is still open the service knows best, and says it better."""
    if act.move:
        move = CASE[act.move]
        permitted = (
            move.permission is not None and actor.can(move.permission) and (not move.owner or move.owner(case, actor))
        )
        refusal = why_not(CASE, case, move, actor)
        if refusal and (asking or not permitted):
            raise Refused(refusal) if permitted else PermissionRefused(refusal)
    elif act.open and not act.open(case, actor):
        raise PermissionRefused(_("您的岗位现在不能“%(act)s”。") % {"act": act.title})


@require_http_methods(["GET", "POST"])
@needs(May.VIEW)
def act(request: DeskRequest, pk: int, act: str) -> HttpResponseBase:
    """Do one thing with a case. What needs no form is done at once when posted."""
    case, doing = case_of(request, pk), ACTS.get(act)
    if doing is None or doing.of:
        raise Http404
    _refuse_closed(doing, case, request.actor, asking=request.method == "GET")
    here = reverse("complaints:case", args=[pk])
    seen = {"seen_status": request.POST.get("seen_status") or case.status} if doing.move else {}

    def run(given: Given) -> Any:
        return doing.run(case, given, **seen, **who(request)) or case

    if doing.form is None:
        if request.method == "GET":
            return redirect(here)
        run({})
        messages.success(request, _("已办理：%(act)s。") % {"act": doing.title})
        return redirect(_next_after(case) if doing.next_case and goes_on(request) else here)
    return _page(request, case, doing, run, here)


@require_http_methods(["GET", "POST"])
@needs(May.VIEW)
def act_of(request: DeskRequest, pk: int, act: str, of: int) -> HttpResponseBase:
    """Do one thing with something that belongs to a case: a sitting, a clue, an application."""
    case, doing = case_of(request, pk), ACTS.get(act)
    if doing is None or not doing.of:
        raise Http404
    row = get_object_or_404(getattr(case, doing.of).all(), pk=of)
    _refuse_closed(doing, case, request.actor, asking=True)
    here = reverse("complaints:case", args=[pk])
    return _page(request, case, doing, lambda given: doing.run(row, given, **who(request)) or row, here, about=row)


def _next_after(case: Case) -> str:
    return f"{reverse('complaints:next')}?after={case.pk}"


def _page(
    request: DeskRequest, case: Case, doing: Act, run: Callable[[Given], Any], here: str, about: Any = None
) -> HttpResponseBase:
    assert doing.form is not None
    form: Any = doing.form(request.POST or None) if isinstance(doing.form, type) else doing.form(request, case)
    if isinstance(form, forms.MatterForm):
        plain_run = run

        def run(given: Given) -> Any:
            return plain_run({"matter": form.matter(case.kind, case.description, case.tier)})

    then = None
    if doing.next_case and goes_on(request):
        then = lambda _result: _next_after(case)  # noqa: E731
    elif doing in (ACTS["reopen"], ACTS["split"]):
        then = lambda made: reverse("complaints:case", args=[made.pk])  # noqa: E731
    focus_first(form, "text")
    return act_page(
        request, form, run, done=_("已办理：%(act)s。") % {"act": doing.title}, back=here, then=then, title=doing.title,
        submit=doing.title, intro=doing.intro, style=doing.style, template="complaints/act.html", case=case, about=about,
        templates=templates.templates_for(case) if doing is ACTS["reply"] else (),
    )  # fmt: skip
