from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui import search as everything
from xiezhi.foundation.ui.attention import attention_for
from xiezhi.foundation.ui.figures import figures_for
from xiezhi.web.desk import samples

HITS, QUICK_HITS = 8, 3
QUICK = "quick"
"""The id of what htmx fills under the search box."""


@require_GET
@needs(SIGNED_IN)
def home(request: DeskRequest) -> HttpResponse:
    """The start page (工作台): what needs this person's attention, then the figures of their post."""
    at = timezone.now()
    context = {"lines": attention_for(request.actor, at), "figures": figures_for(request.actor, at)}
    return render(request, "desk/home.html", context)


@require_GET
@needs(SIGNED_IN)
def search(request: DeskRequest) -> HttpResponse:
    """Everything in which the words occur and which this person may see, by kind; under the box while typing, the first few alone."""
    text = request.GET.get("q", "")
    asked = everything.ask(text)
    htmx: Any = getattr(request, "htmx", None)
    quick = bool(htmx) and htmx.target == QUICK
    groups = everything.search(request.actor, asked.words, limit=QUICK_HITS if quick else HITS)
    context = {"asked": asked, "asked_text": " ".join(asked.words), "groups": groups}
    response = render(request, "desk/search_quick.html" if quick else "desk/search.html", context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


@require_http_methods(["GET", "POST"])
@needs(SIGNED_IN)
def ui(request: DeskRequest) -> HttpResponse:
    """The living page (界面样例): every component with sample content. Nothing here is saved."""
    form = samples.SampleForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        messages.success(request, _("样例：表单没有问题，没有保存任何内容。"))
        return redirect("desk:ui")
    context: dict[str, Any] = {"form": form, **samples.everything(timezone.now())}
    return render(request, "desk/ui.html", context, status=422 if form.errors else 200)


@require_POST
@needs(SIGNED_IN)
def ui_move(request: DeskRequest, pk: int, move: str) -> HttpResponse:
    """Where the sample buttons lead."""
    if move not in {each.name for each in samples.WORKFLOW.transitions}:
        raise Http404
    messages.success(request, _("样例：收到“%(move)s”，没有保存任何内容。") % {"move": samples.WORKFLOW[move].label})
    return redirect("desk:ui")
