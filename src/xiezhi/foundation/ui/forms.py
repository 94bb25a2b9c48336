"""Forms: how fields are drawn, and the one way from a valid form through a service back to the person."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.workflow.errors import AlreadyDone, Refused

Result = TypeVar("Result")
Text = str | Promise


class Renderer(DjangoTemplates):
    """Fields drawn by our own templates: label, help, control, error; a summary of errors on top."""

    form_template_name = "ui/form.html"
    field_template_name = "ui/field.html"


def saved(form: forms.BaseForm, act: Callable[[dict[str, Any]], Result]) -> Result | None:
    """Call `act(form.cleaned_data)` when the form is valid and return what it returns; None when the form must be shown again.

    What a service refuses (`Refused`) becomes an error on the form, so that nothing typed is lost. `act` must return something true.
    """
    if not form.is_bound or not form.is_valid():
        return None
    try:
        return act(form.cleaned_data)
    except AlreadyDone:
        raise
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return None


def form_page(
    request: HttpRequest,
    form: forms.BaseForm,
    *,
    title: Text,
    submit: Text,
    cancel_url: str = "",
    intro: Text = "",
    style: str = "primary",
    draft: str = "",
    template: str = "ui/form_page.html",
    **context: Any,
) -> HttpResponse:
    """The page around `form`: 200, or 422 when it was sent with errors.

    `submit` says what the button does. `draft`: a name under which what is typed is kept on this device until sent
    (never for personal data). A form may say `groups = ((title, (field, …)), …)` to be laid out by question.
    """
    status = 422 if form.is_bound and form.errors else 200
    about = {
        "form": form,
        "title": title,
        "submit": submit,
        "cancel_url": cancel_url,
        "intro": intro,
        "style": style,
        "draft": draft,
    }
    return render(request, template, {**context, **about}, status=status)


class ReasonForm(forms.Form):
    """A reason, asked before something that cannot simply be undone."""

    reason = forms.CharField(label=_("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
