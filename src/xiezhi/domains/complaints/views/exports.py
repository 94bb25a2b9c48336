"""导出为 12345、12315 的列: the cases of a list, as the register that they came from reads them."""

from typing import Any

from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from xiezhi.domains.complaints.forms import ExportForm
from xiezhi.domains.complaints.imports import HotlineImport, PlatformImport
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.queries.cases import cases_listed
from xiezhi.domains.complaints.services import exporting
from xiezhi.domains.complaints.views.cases import CaseFilters
from xiezhi.domains.complaints.views.common import who
from xiezhi.domains.complaints.words import Register
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.exports import export_response
from xiezhi.foundation.ui.forms import form_page, saved

SPECS = {Register.HOTLINE.value: HotlineImport, Register.PLATFORM.value: PlatformImport}
FILES = {"xlsx": ("xlsx", "utf-8"), "csv": ("csv", "utf-8"), "gb18030": ("csv", "gb18030")}


@require_http_methods(["GET", "POST"])
@needs(May.VIEW)
def export(request: DeskRequest) -> HttpResponseBase:
    """Which columns, which file, with persons or without; the filters are those of the list that one comes from."""
    narrowed = CaseFilters(
        request.GET, queryset=cases_listed(request.actor, helping=request.GET.get("helping") == "true"), request=request
    ).qs.order_by("pk")
    persons = request.actor.can(May.SEE_PERSON)
    form = ExportForm(request.POST or None, persons=persons, counts=_counts(narrowed))

    def send(given: dict[str, Any]) -> HttpResponseBase:
        register, wanted = given["register"], bool(given.get("persons"))
        cases = exporting.exportable(narrowed, register)
        exporting.start_export(
            cases=cases, register=register, persons=wanted, purpose=given.get("purpose", ""), **who(request)
        )
        spec = SPECS[register]
        file_format, encoding = FILES[given["file"]]
        rows = exporting.export_rows(
            cases, register, [column.key for column in spec.columns], persons=wanted, actor=request.actor
        )
        header = [str(column.label) for column in spec.columns] + list(exporting.FURTHER)
        response = export_response(str(spec.title), header, rows, file_format, encoding=encoding)
        response["Cache-Control"] = "private, no-store"
        return response

    if response := saved(form, send):
        return response
    back = f"{reverse('complaints:cases')}?{request.GET.urlencode()}"
    return form_page(
        request, form, title=_("按 12345、12315 的列导出"), submit=_("导出"), cancel_url=back,
        template="complaints/export.html",
        intro=_("列表里现在筛选出的诉求，按原登记系统的列导出，带办理状态和答复；再导入回来会全部认出。"),
    )  # fmt: skip


def _counts(cases: Any) -> dict[str, int]:
    return {register: exporting.exportable(cases, register).count() for register in SPECS}
