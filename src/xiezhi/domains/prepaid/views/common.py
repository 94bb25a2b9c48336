"""What several pages of prepaid funds share."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect

from xiezhi.domains.prepaid.models import Merchant
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.forms import form_page, saved


def merchant_of(request: DeskRequest, pk: int) -> Merchant:
    """The merchant, for whoever may see it."""
    seen = Merchant.objects.visible_to(request.actor).select_related("subject", "organisation")
    return get_object_or_404(seen, pk=pk)


def own_merchant(actor: Actor) -> Merchant:
    """The merchant that the actor's people work for; 404 for everybody else."""
    if actor.organisation_id is None:
        raise Http404
    seen = Merchant.objects.visible_to(actor).select_related("subject")
    return get_object_or_404(seen, organisation_id=actor.organisation_id)


def act_page(
    request: DeskRequest,
    form: forms.Form,
    act: Callable[[dict[str, Any]], Any],
    *,
    done: str,
    back: str,
    then: Callable[[Any], str] | None = None,
    **page: Any,
) -> HttpResponseBase:
    """A form page that does one thing and goes back (or to what `then` says of the result)."""
    result = saved(form, act)
    if result is not None:
        messages.success(request, done)
        return redirect(then(result) if then else back)
    return form_page(request, form, cancel_url=back, **page)


def as_file(response: HttpResponse, name: str) -> HttpResponse:
    """Let the browser keep a response as a file."""
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
