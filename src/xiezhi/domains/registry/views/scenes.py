from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.registry import services
from xiezhi.domains.registry.forms import SceneForm, kept
from xiezhi.domains.registry.models import Scene
from xiezhi.domains.registry.permissions import RegistryPermission as May
from xiezhi.domains.registry.tables import SceneTable
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.forms import form_page
from xiezhi.foundation.ui.lists import Action, Empty, list_page


@require_GET
@needs(May.MANAGE)
def scene_list(request: DeskRequest) -> HttpResponseBase:
    """Every scene and how many carry it."""
    new = Action(_("新增场景"), reverse("registry:scene_new"), icon="plus")
    return list_page(
        request,
        title=_("场景"),
        unit=_("个场景"),
        table=SceneTable,
        queryset=Scene.objects.annotate(carried=Count("subjects")),
        actions=[new],
        intro=_("场景是给主体贴的标签：检查计划按它抽取，无事不扰名单也是一个场景。"),
        empty=Empty(_("还没有场景"), _("先建几个，如酒店、商圈、餐饮、无事不扰。"), new),
    )


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE)
def scene_new(request: DeskRequest) -> HttpResponse:
    """Make a scene."""
    form = SceneForm(request.POST or None)
    if kept(form, lambda data: services.add_scene(**data, actor=request.actor, at=timezone.now())):
        messages.success(request, _("场景已建立。"))
        return redirect("registry:scenes")
    return form_page(request, form, title=_("新增场景"), submit=_("建立场景"), cancel_url=reverse("registry:scenes"))


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE)
def scene_edit(request: DeskRequest, pk: int) -> HttpResponse:
    """Rename a scene or say whether it is a do-not-disturb list."""
    scene = get_object_or_404(Scene.objects.annotate(carried=Count("subjects")), pk=pk)
    shown = {"name": scene.name, "code": scene.code, "undisturbed": scene.undisturbed}
    form = SceneForm(request.POST or None, initial=shown)
    if kept(form, lambda data: services.change_scene(scene=scene, **data, actor=request.actor, at=timezone.now())):
        messages.success(request, _("已保存。"))
        return redirect("registry:scenes")
    return form_page(
        request,
        form,
        title=_("修改场景 %(scene)s") % {"scene": scene.name},
        submit=_("保存"),
        cancel_url=reverse("registry:scenes"),
        template="registry/scene.html",
        scene=scene,
    )


@require_POST
@needs(May.MANAGE)
def scene_remove(request: DeskRequest, pk: int) -> HttpResponse:
    """Remove a scene that nobody carries."""
    scene = get_object_or_404(Scene, pk=pk)
    services.remove_scene(scene=scene, actor=request.actor, at=timezone.now())
    messages.success(request, _("场景“%(scene)s”已删除。") % {"scene": scene})
    return redirect("registry:scenes")
