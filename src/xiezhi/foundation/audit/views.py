from collections.abc import Iterator

from django import forms
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.audit import exporting, signing
from xiezhi.foundation.audit.links import page_of
from xiezhi.foundation.audit.models import Head
from xiezhi.foundation.audit.permissions import AuditPermission
from xiezhi.foundation.audit.queries import entries_for, object_history, visible_object
from xiezhi.foundation.audit.tables import EntryFilters, EntryTable, HeadTable
from xiezhi.foundation.audit.verifying import unsealed_tail
from xiezhi.foundation.ui.lists import Action, Empty, list_page
from xiezhi.foundation.workflow.errors import Refused


def _for_the_district(request: DeskRequest) -> None:
    """The whole chain is one for the district: who sees a department only has the history of single objects."""
    if not request.actor.district_wide:
        raise Http404


@require_GET
@needs(AuditPermission.READ.value)
def entries(request: DeskRequest) -> HttpResponseBase:
    """Every act, searched and filtered (审计记录)."""
    _for_the_district(request)
    return list_page(
        request,
        title=_("审计记录"),
        intro=_("谁在什么时候对什么做了什么。只增不改，逐条成链，每天签名。"),
        queryset=entries_for(request.actor),
        table=EntryTable,
        filterset=EntryFilters,
        unit=_("条记录"),
        actions=[
            Action(_("每日签名与公钥"), reverse("audit:heads"), "shield-check"),
        ],
        empty=Empty(_("还没有审计记录"), _("每一次操作都会记在这里，不能改也不能删。"), icon="history"),
    )


@require_GET
@needs(AuditPermission.READ.value)
def history(request: DeskRequest, kind: str, object_id: str) -> HttpResponse:
    """Who did what to one object, and when (审计记录)."""
    row = visible_object(kind, object_id, request.actor)
    if row is None:
        raise Http404
    key = row._meta.label_lower
    acts = object_history(key, str(row.pk))
    return render(
        request,
        "audit/history.html",
        {"row": row, "kind": row._meta.verbose_name, "acts": acts, "page_url": page_of(key, str(row.pk))},
    )


@require_GET
@needs(AuditPermission.READ.value)
def heads(request: DeskRequest) -> HttpResponseBase:
    """The daily signed heads, the files for outsiders, and what is not sealed yet."""
    _for_the_district(request)
    return list_page(
        request,
        title=_("每日签名"),
        intro=_("每天一次，把链走到哪里签名存档。留一份在系统之外，事后改动就会露出来。"),
        queryset=Head.objects.visible_to(request.actor).order_by("-on"),
        table=HeadTable,
        unit=_("次签名"),
        empty=Empty(_("还没有签名"), _("后台程序每天为最新的封存号签名一次。"), icon="shield-check"),
        template="audit/heads.html",
        context={"tail": unsealed_tail(), "today": timezone.localdate()},
    )


class _Days(forms.Form):
    first = forms.DateField(required=False)
    last = forms.DateField(required=False)


@require_GET
@needs(AuditPermission.READ.value)
def chain(request: DeskRequest) -> HttpResponseBase:
    """The chain as JSON lines, whole or from day to day (`?first=&last=`), to be verified by anybody."""
    _for_the_district(request)
    days = _Days(request.GET)
    if not days.is_valid():
        raise Refused(_("日期请写成 2026-11-23 的样子。"))
    return _lines("audit-chain", exporting.chain_lines(**days.cleaned_data))


@require_GET
@needs(AuditPermission.READ.value)
def heads_file(request: DeskRequest) -> HttpResponseBase:
    """Every signed head as a JSON line."""
    _for_the_district(request)
    return _lines("audit-heads", exporting.head_lines())


@require_GET
@needs(AuditPermission.READ.value)
def public_key(request: DeskRequest) -> HttpResponseBase:
    """Every public key that heads were signed with, as PEM."""
    _for_the_district(request)
    used = Head.objects.visible_to(request.actor).order_by().values_list("key_id", flat=True).distinct()
    files = [path for key in sorted(used) if (path := signing.folder() / f"public-{key}.pem").exists()]
    if not files:
        raise Refused(_("还没有签名，也就没有公钥可给。第一次签名之后再来。"))
    response = HttpResponse("".join(path.read_text() for path in files), content_type="application/x-pem-file")
    response["Content-Disposition"] = content_disposition_header(True, "audit-public-key.pem") or "attachment"
    return response


def _lines(name: str, lines: Iterator[str]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type="application/x-ndjson; charset=utf-8")
    filename = f"{name}-{timezone.localdate():%Y%m%d}.jsonl"
    response["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response
