from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui import kept, services
from xiezhi.foundation.ui.models import SavedView


@require_GET
@needs(SIGNED_IN)
def saved_views(request: DeskRequest) -> HttpResponse:
    """One's own views, by list: open, rename, make the default, remove."""
    rows = SavedView.objects.visible_to(request.actor).order_by("title", "path", "name")
    return render(request, "ui/saved_views.html", {"lists": kept.by_list(rows)})


@require_POST
@needs(SIGNED_IN)
def save_view(request: DeskRequest) -> HttpResponse:
    """Keep what the list shows now under a name."""
    asked: Any = request.POST.get
    view = services.save_view(
        path=asked("path", ""),
        title=asked("title", ""),
        name=asked("name", ""),
        query=asked("query", ""),
        is_default=asked("is_default") == "on",
        actor=request.actor,
        at=timezone.now(),
    )
    messages.success(request, _("已存为“%(name)s”。") % {"name": view})
    return redirect(view.url)


@require_POST
@needs(SIGNED_IN)
def change_view(request: DeskRequest, pk: int) -> HttpResponse:
    """Rename a view, or make it the list's default or not."""
    services.change_view(
        view=get_object_or_404(SavedView.objects.visible_to(request.actor), pk=pk),
        name=request.POST.get("name", ""),
        is_default=request.POST.get("is_default") == "on",
        actor=request.actor,
        at=timezone.now(),
    )
    messages.success(request, _("已保存。"))
    return redirect("ui:views")


@require_POST
@needs(SIGNED_IN)
def remove_view(request: DeskRequest, pk: int) -> HttpResponse:
    """Forget a view."""
    view = get_object_or_404(SavedView.objects.visible_to(request.actor), pk=pk)
    services.remove_view(view=view, actor=request.actor, at=timezone.now())
    messages.success(request, _("已移除“%(name)s”。") % {"name": view.name})
    return redirect("ui:views")
