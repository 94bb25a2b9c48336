from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.registry import panels, queries, services
from xiezhi.domains.registry.forms import LabelForm, NewSubjectForm, SubjectForm, kept
from xiezhi.domains.registry.industries import section_name
from xiezhi.domains.registry.models import PendingMatch, Subject
from xiezhi.domains.registry.permissions import RegistryPermission as May
from xiezhi.domains.registry.tables import SubjectFilters, SubjectTable
from xiezhi.domains.registry.workflow import SUBJECT
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.forms import form_page
from xiezhi.foundation.ui.lists import Action, Bulk, Empty, list_page

MOST_LABELLED = 500


@require_GET
@needs(May.VIEW)
def subject_list(request: DeskRequest) -> HttpResponseBase:
    """Everybody in the register, by street, industry, class, scene and standing; the desk's search leads here."""
    to_import = reverse("imports:start", args=["registry.subjects"])
    return list_page(
        request,
        title=_("经营主体"),
        unit=_("家"),
        table=SubjectTable,
        filterset=SubjectFilters,
        queryset=Subject.objects.visible_to(request.actor).prefetch_related("premises__street", "scenes"),
        actions=[
            Action(_("登记主体"), reverse("registry:subject_new"), icon="plus", permission=May.MANAGE),
            Action(_("导入名录"), to_import, icon="upload", permission=May.MANAGE),
        ],
        bulk=[Bulk(_("加入或移出场景"), reverse("registry:label"), icon="list-check", permission=May.MANAGE)],
        empty=Empty(
            _("主体库还是空的"),
            _("从登记系统导出名录，一次导入；也可以逐家登记。"),
            Action(_("导入名录"), to_import, icon="upload") if request.actor.can(May.MANAGE) else None,
            icon="building-store",
        ),
    )


@require_GET
@needs(May.VIEW)
def subject_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One subject: standing, facts, doors, what other rooms know, and its timeline."""
    subject = get_object_or_404(Subject.objects.visible_to(request.actor).prefetch_related("scenes"), pk=pk)
    page = queries.timeline(subject, page=request.GET.get("timeline", 1))
    context: dict[str, Any] = {
        "subject": subject,
        "workflow": SUBJECT,
        "doors": subject.premises.select_related("street").order_by("-is_open", "number"),
        "section": section_name(subject.industry),
        "manages": request.actor.can(May.MANAGE),
        "panels": panels.panels_for(subject, request.actor),
        "story": panels.story(page, request.actor),
        "story_page": page,
    }
    return render(request, "registry/subject.html", context)


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE)
def subject_new(request: DeskRequest) -> HttpResponse:
    """Register a subject with its first door; from the match queue (`?match=`) with what the row told."""
    pending = _pending(request)
    told = {"name": pending.name, "address": pending.address} if pending else {}
    form = NewSubjectForm(request.POST or None, initial=told)

    def register(data: dict[str, Any]) -> Subject:
        return services.register_subject(
            code=data["code"],
            premises=form.premises(),
            joint_opt_out=data["joint_opt_out"],
            scenes=data["scenes"],
            **form.facts(),
            actor=request.actor,
            at=timezone.now(),
        )

    if subject := kept(form, register):
        messages.success(request, _("“%(subject)s”已登记。") % {"subject": subject})
        if pending:
            return redirect("registry:match", pk=pending.pk)
        return redirect("registry:subject", pk=subject.pk)
    cancel = reverse("registry:match", args=[pending.pk]) if pending else reverse("registry:subjects")
    return form_page(request, form, title=_("登记主体"), submit=_("登记"), cancel_url=cancel, draft="registry-subject")


def _pending(request: DeskRequest) -> PendingMatch | None:
    wanted = request.GET.get("match", "")
    if not wanted.isdecimal():
        return None
    return PendingMatch.objects.visible_to(request.actor).filter(pk=wanted).first()


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE)
def subject_edit(request: DeskRequest, pk: int) -> HttpResponse:
    """Change a subject's facts and scenes."""
    subject = get_object_or_404(Subject.objects.visible_to(request.actor).prefetch_related("scenes"), pk=pk)
    form = SubjectForm(request.POST or None, initial=SubjectForm.told_by(subject))

    def update(data: dict[str, Any]) -> Subject:
        return services.update_subject(
            subject=subject,
            changes=form.facts(),
            scenes=data["scenes"],
            seen_at=data["seen_at"],
            actor=request.actor,
            at=timezone.now(),
        )

    back = reverse("registry:subject", args=[pk])
    if kept(form, update):
        messages.success(request, _("已保存。"))
        return redirect(back)
    title = _("修改 %(subject)s") % {"subject": subject}
    return form_page(request, form, title=title, intro=subject.code, submit=_("保存"), cancel_url=back)


@require_POST
@needs(May.VIEW)
def subject_move(request: DeskRequest, pk: int, move: str) -> HttpResponse:
    """One move of the subject's transition table; the table decides who may."""
    subject = get_object_or_404(Subject.objects.visible_to(request.actor), pk=pk)
    if move not in {each.name for each in SUBJECT.transitions}:
        raise Http404
    moved = services.change_status(
        subject=subject,
        move=move,
        reason=request.POST.get("reason", ""),
        seen_status=request.POST.get("seen_status"),
        actor=request.actor,
        at=timezone.now(),
    )
    messages.success(request, _("状态已改为“%(status)s”。") % {"status": moved.get_status_display()})
    return redirect("registry:subject", pk=pk)


@require_POST
@needs(May.MANAGE)
def joint_choice(request: DeskRequest, pk: int) -> HttpResponse:
    """Note whether the subject takes part in joint visits."""
    subject = get_object_or_404(Subject.objects.visible_to(request.actor), pk=pk)
    services.set_joint_choice(
        subject=subject,
        opted_out=request.POST.get("opted_out") == "1",
        reason=request.POST.get("reason", "")[:100],
        actor=request.actor,
        at=timezone.now(),
    )
    messages.success(request, _("已登记，正在准备的联合检查建议会随之调整。"))
    return redirect("registry:subject", pk=pk)


@require_POST
@needs(May.MANAGE)
def label(request: DeskRequest) -> HttpResponse:
    """Put the selected subjects into a scene or take them out: asks which, then does it."""
    keys = [key for key in request.POST.getlist("selected") if key.isdecimal()][:MOST_LABELLED]
    subjects = list(Subject.objects.visible_to(request.actor).filter(pk__in=keys).order_by("name"))
    if not subjects:
        messages.error(request, _("没有选中主体。请先在列表里勾选。"))
        return redirect("registry:subjects")
    form = LabelForm(request.POST if "scene" in request.POST else None)
    changed = []

    def act(data: dict[str, Any]) -> bool:
        changed.append(services.label_subjects(subjects=subjects, **data, actor=request.actor, at=timezone.now()))
        return True

    if kept(form, act):
        messages.success(
            request,
            _("%(n)s 家有变化，%(same)s 家本来就是这样。") % {"n": changed[0], "same": len(subjects) - changed[0]},
        )
        return redirect(f"{reverse('registry:subjects')}?scene={form.cleaned_data['scene'].pk}")
    return form_page(
        request,
        form,
        title=_("加入或移出场景"),
        intro=_("选中 %(n)s 家。") % {"n": len(subjects)},
        submit=_("保存"),
        cancel_url=reverse("registry:subjects"),
        template="registry/label.html",
        subjects=subjects,
    )
