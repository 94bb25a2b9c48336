from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from xiezhi.domains.registry import services
from xiezhi.domains.registry.forms import PremisesForm, kept
from xiezhi.domains.registry.models import Premises, Subject
from xiezhi.domains.registry.permissions import RegistryPermission as May
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.forms import form_page


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE)
def premises_new(request: DeskRequest, pk: int) -> HttpResponse:
    """Add a door to a subject."""
    subject = get_object_or_404(Subject.objects.visible_to(request.actor), pk=pk)
    taken = set(subject.premises.values_list("number", flat=True))
    free = next(str(number) for number in range(1, len(taken) + 2) if str(number) not in taken)
    form = PremisesForm(request.POST or None, initial={"number": free})

    def register(data: dict[str, Any]) -> Premises:
        return services.register_premises(
            subject=subject, premises=form.premises(), actor=request.actor, at=timezone.now()
        )

    back = reverse("registry:subject", args=[pk])
    if kept(form, register):
        messages.success(request, _("场所已登记。"))
        return redirect(back)
    return form_page(request, form, title=_("新增场所"), intro=str(subject), submit=_("登记场所"), cancel_url=back)


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE)
def premises_edit(request: DeskRequest, pk: int) -> HttpResponse:
    """Change a door's facts, or close it."""
    door = get_object_or_404(Premises.objects.visible_to(request.actor).select_related("subject", "street"), pk=pk)
    form = PremisesForm(request.POST or None, initial=PremisesForm.told_by_door(door))

    def update(data: dict[str, Any]) -> Premises:
        return services.update_premises(
            premises=door, to=form.premises(), seen_at=data["seen_at"], actor=request.actor, at=timezone.now()
        )

    back = reverse("registry:subject", args=[door.subject_id])
    if kept(form, update):
        messages.success(request, _("已保存。"))
        return redirect(back)
    title = _("修改场所 %(premises)s") % {"premises": door}
    return form_page(request, form, title=title, intro=str(door.subject), submit=_("保存"), cancel_url=back)
