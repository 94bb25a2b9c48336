"""What several pages of complaints share."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from xiezhi.domains.complaints.models import Case
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.forms import form_page, saved


def case_of(request: DeskRequest, pk: int) -> Case:
    """The case, for whoever may see it; 404 otherwise."""
    rows = Case.objects.visible_to(request.actor).select_related(
        "unit", "unit_department", "first_receiver", "officer", "street", "mall", "subject", "premises", "category"
    )  # fmt: skip
    return get_object_or_404(rows, pk=pk)


def goes_on(request: DeskRequest) -> bool:
    """Whether the person wants the next case to open itself (办完看下一件); they do until they say otherwise."""
    return bool(request.session.get("complaints.onward", True))


def focus_first(form: forms.BaseForm, *names: str) -> None:
    """Let the cursor stand in the first field with a mistake, else in the first of `names`, else in the first field."""
    if not form.fields:
        return
    wrong = [name for name in form.fields if form.is_bound and name in form.errors]
    first = next((name for name in (*wrong, *names) if name in form.fields), next(iter(form.fields)))
    form.fields[first].widget.attrs["autofocus"] = True


def who(request: DeskRequest) -> dict[str, Any]:
    """Who acts, and when: what every service is given."""
    return {"actor": request.actor, "at": timezone.now()}


def act_page(
    request: DeskRequest,
    form: forms.BaseForm,
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
