"""登记诉求: an officer enters what is said on the telephone, or pastes a work order and has it split into fields."""

from datetime import datetime
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from xiezhi.domains.complaints.forms import IntakeForm, PasteForm
from xiezhi.domains.complaints.models import Case
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.queries.suggestions import look
from xiezhi.domains.complaints.services.intake import Intake, Numbered, receive_case
from xiezhi.domains.complaints.services.people import Person
from xiezhi.domains.complaints.views.common import focus_first, who
from xiezhi.domains.complaints.views.suggestions import typed
from xiezhi.domains.complaints.workflow import CASE
from xiezhi.domains.complaints.workorders import split_order
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.ui.forms import form_page, saved


@require_http_methods(["GET", "POST"])
@needs(May.REGISTER)
def new(request: DeskRequest) -> HttpResponseBase:
    """Enter a case. With `order` posted, the work order's fields fill the form and nothing is saved."""
    now = timezone.localtime().replace(second=0, microsecond=0)
    paste = PasteForm(request.POST if "order" in request.POST else None)
    found: dict[str, str] = {}
    if "order" in request.POST:
        found = split_order(paste.cleaned_data["order"]) if paste.is_valid() else {}
        form = IntakeForm(initial={"received_at": now, **_initial(found)})
        if found:
            messages.info(request, _("从工单里认出 %(n)s 项，请核对后登记。") % {"n": len(found)})
    elif "look" in request.POST or "adopt" in request.POST:
        form = IntakeForm(initial=typed(request))
    else:
        form = IntakeForm(request.POST or None, initial={"received_at": now, **_from_same(request)})
    case = saved(form, lambda given: _receive(request, form, given))
    if case:
        messages.success(request, _("已登记：%(number)s。") % {"number": case.number})
        again = "again" in request.POST
        return redirect("complaints:new") if again else redirect("complaints:case", case.pk)
    if found:
        wanted = ("number", "received_at", "description", "name", "phone", "respondent_name")
        focus_first(form, *(name for name in wanted if not found.get(name)), "category")
    elif form.is_bound or request.GET.get("channel"):
        focus_first(form, "kind")
    else:
        focus_first(paste)
    return form_page(
        request, form, title=_("登记诉求"), submit=_("登记"), cancel_url=reverse("complaints:cases"),
        template="complaints/new.html", paste=paste, workflow=CASE,
        looked=look(form.initial if not form.is_bound else dict(form.data.items()), actor=request.actor, at=now),
    )  # fmt: skip


def _receive(request: DeskRequest, form: django_forms.BaseForm, given: dict[str, Any]) -> Case:
    assert isinstance(form, IntakeForm)
    person = Person(
        given["name"],
        given["phone"],
        given["person_address"],
        anonymous=given["anonymous"],
        may_call_back=given["may_call_back"],
    )
    intake = Intake(
        matter=form.matter(given["kind"], given["description"], given["tier"]),
        channel=given["channel"],
        received_at=given["received_at"],
        people=[person],
        numbers=[Numbered(given["register"], given["number"])] if given["number"] else [],
    )
    return receive_case(intake=intake, **who(request))


def _initial(found: dict[str, str]) -> dict[str, Any]:
    """Initial values of the form from a split work order: names of streets and moments become what the fields hold."""
    given: dict[str, Any] = dict(found)
    if "received_at" in given:
        moment = parse_datetime(given["received_at"])
        given["received_at"] = timezone.make_aware(moment) if isinstance(moment, datetime) else timezone.localtime()
    if street := given.pop("street", ""):
        given["street"] = Organisation.objects.filter(kind=Organisation.Kind.STREET, short_name=street[:20]).first()
    return given


def _from_same(request: DeskRequest) -> dict[str, Any]:
    """Start from a channel when the address names one (a page for the window, one for the telephone)."""
    channel = request.GET.get("channel", "")
    return {"channel": channel} if channel in dict(IntakeForm.base_fields["channel"].choices) else {}  # type: ignore[attr-defined]
