"""Forms: how fields are drawn, and the one way from a valid form through a service back to the person."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.workflow.errors import AlreadyDone, Refused

Result = TypeVar("Result")
Text = str | Promise


class Renderer(DjangoTemplates):
    """Fields drawn by our own templates: label, help, control, error; a summary of errors on top."""

    form_template_name = "ui/form.html"
    field_template_name = "ui/field.html"

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> str:
        """As the template would, but selects without a template for each of their options: a list's filters have a hundred."""
        if template_name == "django/forms/widgets/select.html":
            return _select(context["widget"])
        return super().render(template_name, context, request)


def _select(widget: dict[str, Any]) -> SafeString:
    """What Django's `select.html`, `select_option.html` and `attrs.html` make of the same context."""
    parts: list[str] = [format_html('<select name="{}"{}>', widget["name"], _attributes(widget["attrs"]))]
    for label, options, _index in widget["optgroups"]:
        if label:
            parts.append(format_html('<optgroup label="{}">', label))
        parts += [
            format_html('<option value="{}"{}>{}</option>', each["value"], _attributes(each["attrs"]), each["label"])
            for each in options
        ]
        if label:
            parts.append("</optgroup>")
    return SafeString("\n".join([*parts, "</select>"]))


def _attributes(attributes: dict[str, Any]) -> SafeString:
    drawn = [(name, value) for name, value in attributes.items() if value is not False]
    return SafeString(
        "".join(
            format_html(" {}", name) if value is True else format_html(' {}="{}"', name, value) for name, value in drawn
        )
    )


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
