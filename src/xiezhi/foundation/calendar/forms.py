from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.calendar.notices import Day, checked, read_file, read_text
from xiezhi.foundation.files.uploads import Oversized
from xiezhi.foundation.workflow.errors import Refused


class NoticeForm(forms.Form):
    """A year's notice: which one, and its days as pasted text or as a sheet. After validation `days` and `remarks`."""

    year = forms.IntegerField(label=gettext_lazy("年份"), min_value=2000, max_value=2100)
    notice = forms.CharField(
        label=gettext_lazy("通知名称"),
        max_length=120,
        help_text=gettext_lazy("例如：国务院办公厅关于2027年部分节假日安排的通知"),
    )
    document_number = forms.CharField(
        label=gettext_lazy("文号"),
        max_length=40,
        help_text=gettext_lazy("例如：国办发明电〔2026〕1号。没有文号的通知不能录入。"),
        error_messages={"required": gettext_lazy("请填写通知的文号。期限要经得起核对。")},
    )
    issued_on = forms.DateField(label=gettext_lazy("发布日期"), required=False)
    text = forms.CharField(
        label=gettext_lazy("通知原文或日期"),
        required=False,
        max_length=20_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text=gettext_lazy(
            "把通知里列出各节日的几段粘贴进来即可；也可以一行一天：2027-01-01 放假 元旦，2027-01-10 上班 元旦。"
        ),
    )
    sheet = forms.FileField(
        label=gettext_lazy("或者上传表格"),
        required=False,
        help_text=gettext_lazy("xlsx 或 csv，列名为：日期、结束日期（可不填）、类别（放假或上班）、名称。"),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}),
    )
    replaces = forms.BooleanField(label=gettext_lazy("更正已有的安排"), required=False)
    reason = forms.CharField(label=gettext_lazy("更正原因"), max_length=200, required=False)
    seen_version_id = forms.IntegerField(widget=forms.HiddenInput, required=False)
    groups = (
        (gettext_lazy("哪一份通知"), ("year", "notice", "document_number", "issued_on")),
        (gettext_lazy("哪些天放假，哪些天上班"), ("text", "sheet")),
        (gettext_lazy("这一年已经有安排时"), ("replaces", "reason")),
    )

    def __init__(self, *args: Any, oversized: Oversized | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.days: list[Day] = []
        self.remarks: list[str] = []
        self.oversized = oversized

    def clean(self) -> dict[str, Any]:
        """Reads text or sheet; every line that cannot be taken is an error that names it."""
        data: dict[str, Any] = super().clean() or {}
        if self.oversized:
            self.add_error("sheet", self.oversized.message)
            return data
        if "year" not in data:
            return data
        source = "sheet" if data.get("sheet") else "text"
        if source == "text" and not data.get("text", "").strip():
            self.add_error("text", _("请粘贴通知里的日期，或上传表格。"))
            return data
        try:
            found, troubles = self._read(source, data)
        except Refused as refusal:
            self.add_error(source, str(refusal))
            return data
        self.days, more, self.remarks = checked(found, data["year"])
        for trouble in [*troubles, *(more if not troubles else ())][:20]:
            self.add_error(source, str(trouble))
        return data

    def _read(self, source: str, data: dict[str, Any]) -> Any:
        if source == "text":
            return read_text(data["text"], data["year"])
        from pathlib import Path

        return read_file(Path(data["sheet"].temporary_file_path()))

    def as_lines(self) -> str:
        """The days as text that reads the same again: what the preview carries to the last step."""
        return "\n".join(each.as_line() for each in self.days)


def first_year_without(known: set[int], today: date) -> int:
    """The year that one most likely comes to enter: the first from this one on that is not known."""
    year = today.year
    while year in known:
        year += 1
    return year
