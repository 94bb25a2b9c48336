"""一起办理: many cases with one act. Each is shown as it would be before anything is done, and those that cannot are named with the reason."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from xiezhi.domains.complaints.forms import BatchDispatchForm, BatchReplyForm
from xiezhi.domains.complaints.models import Case, ReplyTemplate
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services.dispatching import dispatch_together
from xiezhi.domains.complaints.services.replying import Prepared, prepare_replies, reply_together
from xiezhi.domains.complaints.views.common import case_of, who
from xiezhi.domains.complaints.workflow import CASE
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.forms import form_page, saved
from xiezhi.foundation.ui.lists import selected
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import why_not

MOST = 200


def _ticked(request: DeskRequest) -> list[Case]:
    """The ticked cases. Raises Refused for none, or more than can be looked at on one page."""
    rows = Case.objects.visible_to(request.actor).select_related("unit", "subject", "category")
    cases: list[Case] = selected(request, rows)
    if len(cases) > MOST:
        raise Refused(_("一次最多办理 %(most)s 件。") % {"most": MOST})
    return cases


@require_POST
@needs(May.DISPATCH)
def dispatch(request: DeskRequest) -> HttpResponseBase:
    """Dispatch the ticked cases to one unit: asks which, names those that cannot go, then does it, all or none."""
    cases = _ticked(request)
    held = [(case, why_not(CASE, case, CASE["dispatch"], request.actor)) for case in cases]
    ready = [case for case, why in held if not why]
    form = BatchDispatchForm(request.POST if "unit" in request.POST else None)
    if not ready:
        raise Refused(_("勾选的诉求现在都不能派单：只有待派单的可以。"))
    if done := saved(form, lambda given: dispatch_together(cases=ready, **given, **who(request))):
        unit = form.cleaned_data["unit"]
        messages.success(request, _("已把 %(n)s 件派给%(unit)s。") % {"n": done, "unit": unit})
        return redirect("complaints:cases")
    title = ngettext("派单：%(n)s 件", "派单：%(n)s 件", len(ready)) % {"n": len(ready)}
    return form_page(
        request, form, title=title, submit=title, template="complaints/together.html",
        cancel_url=reverse("complaints:cases"), rows=[Prepared(case, case.title) for case in ready],
        held=[Prepared(case, "", why) for case, why in held if why],
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@needs(May.HANDLE)
def reply(request: DeskRequest) -> HttpResponseBase:
    """Answer many cases, each with its own text: `?group=` takes a parent and its children, else the ticked ones of a list.

    A template's text is put in by `step=template`, shown per case by `step=preview`, sent by `step=send` as it was shown.
    """
    cases = _ticked(request) if request.method == "POST" else _group(request)
    step = request.POST.get("step", "")
    templates = _templates(cases)
    form = BatchReplyForm(
        request.POST if step in {"preview", "send"} else None, templates=templates, initial=_initial(request, templates)
    )
    prepared: list[Prepared] = []
    if form.is_bound and form.is_valid():
        asked = {key: form.cleaned_data[key] for key in ("text", "outcome", "template")}
        prepared = prepare_replies(cases=cases, actor=request.actor, **asked)
        ready = [each for each in prepared if not each.obstacle]
        if not ready:
            form.add_error(None, _("勾选的诉求现在都不能这样答复，原因见下面。"))
        elif step == "send":
            seen = _seen(request, ready)
            sent = saved(form, lambda given: reply_together(
                cases=[each.case for each in ready], seen=seen, batch=secrets.token_hex(8), **given, **who(request)
            ))  # fmt: skip
            if sent:
                messages.success(request, ngettext("已答复 %(n)s 件。", "已答复 %(n)s 件。", sent) % {"n": sent})
                return redirect("complaints:next") if len(ready) == len(prepared) else redirect("complaints:cases")
    ready = [each for each in prepared if not each.obstacle]
    return form_page(
        request, form, title=_("一起答复"), submit=_("看每一件的答复"), style="secondary" if ready else "primary",
        template="complaints/reply_together.html", cancel_url=reverse("complaints:cases"), cases=cases,
        templates=templates, rows=[(each, _print(each)) for each in ready], held=[each for each in prepared if each.obstacle],
        send=ngettext("答复这 %(n)s 件", "答复这 %(n)s 件", len(ready)) % {"n": len(ready)} if ready else "",
    )  # fmt: skip


def _group(request: DeskRequest) -> list[Case]:
    """A parent with its children that still wait for an answer, as far as the person sees them."""
    asked = request.GET.get("group", "")
    if not asked.isdecimal() or len(asked) > 18:
        raise Refused(_("请先在诉求列表里勾选，或者从群体诉求打开。"))
    parent = case_of(request, int(asked))
    rows = Case.objects.visible_to(request.actor).open().select_related("unit", "subject", "category")
    children = list(rows.filter(parent=parent).order_by("pk")[: MOST - 1])
    return ([parent] if parent.is_open else []) + children


def _templates(cases: list[Case]) -> list[ReplyTemplate]:
    """The templates in use that name a kind of these cases or none."""
    kinds = {case.kind for case in cases}
    rows = ReplyTemplate.objects.filter(is_active=True).order_by("code")
    return [each for each in rows if not each.kinds or kinds & set(each.kinds.split())]


def _initial(request: DeskRequest, templates: list[ReplyTemplate]) -> dict[str, Any]:
    chosen = next((each for each in templates if str(each.pk) == request.POST.get("template")), None)
    if chosen is None:
        return {}
    return {"template": chosen.pk, "text": chosen.text, "outcome": chosen.outcomes.split(" ")[0]}


def _print(prepared: Prepared) -> str:
    """What a shown reply is known by when it is sent: the case and its text."""
    return f"{prepared.case.pk}:{hashlib.sha256(prepared.text.encode()).hexdigest()[:16]}"


def _seen(request: DeskRequest, ready: list[Prepared]) -> Mapping[int, str]:
    """The texts that were on the page when it was sent; a case whose text is another by now is missing."""
    shown = set(request.POST.getlist("seen"))
    return {each.case.pk: each.text for each in ready if _print(each) in shown}
