"""The rule book out and in."""

import json

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.files.sheets import workbook_response
from xiezhi.foundation.files.uploads import oversized_in
from xiezhi.foundation.rules import effects, exchange, services
from xiezhi.foundation.rules.forms import BookForm
from xiezhi.foundation.rules.models import RuleVersion
from xiezhi.foundation.rules.permissions import RulesPermission
from xiezhi.foundation.ui.forms import saved
from xiezhi.foundation.workflow.errors import Refused


@require_GET
@needs(SIGNED_IN)
def overview(request: DeskRequest) -> HttpResponse:
    """What can be taken out, and, for those who may change rules, the way in."""
    may_change = request.actor.can(RulesPermission.CHANGE)
    return render(request, "rules/exchange.html", {"form": BookForm(), "may_change": may_change})


@require_GET
@needs(SIGNED_IN)
def export(request: DeskRequest) -> HttpResponseBase:
    """Every version of every rule, `?format=xlsx` or `json`."""
    name = f"{_('规则依据')}-{timezone.localdate():%Y%m%d}"
    wanted = request.GET.get("format", "xlsx")
    if wanted == "xlsx":
        header = [str(label) for label in exchange.COLUMNS.values()]
        return workbook_response(f"{name}.xlsx", header=header, rows=exchange.sheet_rows(), title=_("规则依据"))
    if wanted != "json":
        raise Refused(_("只能导出 xlsx 或 json 文件。"))
    text = json.dumps(exchange.book(), ensure_ascii=False, indent=1)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.json") or "attachment"
    return response


@require_http_methods(["POST"])
@needs(RulesPermission.CHANGE.value)
def take_in(request: DeskRequest) -> HttpResponse:
    """Preview of a file against the book; with `act=save` the versions that are new, all or none."""
    form = BookForm(request.POST, request.FILES, oversized=oversized_in(request))
    if not form.is_valid():
        return render(request, "rules/exchange.html", {"form": form, "may_change": True}, status=422)
    if request.POST.get("act") == "save" and not form.troubles:
        made = saved(form, lambda data: _save(form, request, reopen=data["reopen"]))
        if made is not None:
            messages.success(request, _("已导入 %(count)s 个新版本。") % {"count": len(made)})
            return redirect("rules:list")
    found = exchange.sorted_out(form.proposals, today=timezone.localdate())
    found.troubles = [*form.troubles, *found.troubles]
    altered = [(each, _effects(each)) for each in found.new]
    return render(
        request,
        "rules/import_preview.html",
        {
            "form": form,
            "found": found,
            "altered": altered,
            "reopened": [name for _each, lines in altered for name in effects.reopened(lines)],
            "content": _as_json(form.proposals),
        },
        status=422 if found.troubles or form.errors else 200,
    )


def _save(form: BookForm, request: DeskRequest, *, reopen: bool) -> list[RuleVersion]:
    made = services.import_rules(proposals=form.proposals, reopen=reopen, actor=request.actor, at=timezone.now())
    if not made:
        raise Refused(_("文件里没有新的版本，什么也没有改。"))
    return made


def _effects(proposal: exchange.Proposal) -> list[effects.Effect]:
    versions = RuleVersion.objects.filter(key=proposal.key).order_by("effective_from")
    change = services.proposed_change(proposal.rule, proposal.value, proposal.effective_from, versions, timezone.now())
    return effects.effects_of(change)


def _as_json(proposals: list[exchange.Proposal]) -> str:
    """The file's versions for the last step, in the format that it reads."""
    rules = [
        {
            "key": each.key,
            "versions": [
                {
                    "value": each.rule.kind.to_json(each.value),
                    "effective_from": each.effective_from.isoformat(),
                    "effective_to": each.effective_to.isoformat() if each.effective_to else None,
                    **{name: getattr(each.source, name) for name in ("instrument", "article", "body", "jurisdiction")},
                    "confidence": each.confidence.value,
                    "note": each.note,
                }
            ],
        }
        for each in proposals
    ]
    return json.dumps({"format": exchange.FORMAT, "rules": rules}, ensure_ascii=False)
