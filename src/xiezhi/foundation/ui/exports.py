"""Sheets for people to take away: CSV and XLSX, safe to open in a spreadsheet program."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from xiezhi.foundation.files.sheets import workbook_response
from xiezhi.foundation.workflow.errors import Refused

FORMATS = ("xlsx", "csv")
MOST_ROWS = 100_000
RISKY_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A text that begins so is run as a formula by spreadsheet programs."""


def export_response(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Any]], file_format: str, *, encoding: str = "utf-8"
) -> HttpResponseBase:
    """A download called `name`-YYYYMMDD.`file_format`. A csv is in UTF-8 with its mark, or in `encoding` (gb18030) as older systems want.

    Raises Refused for a format other than xlsx or csv.
    """
    if file_format not in FORMATS:
        raise Refused(_("只能导出 xlsx 或 csv 文件。"))
    filename = f"{name}-{timezone.localdate():%Y%m%d}.{file_format}"
    if file_format == "xlsx":
        cells = ([plain(each) for each in row] for row in rows)
        return workbook_response(filename, header=header, rows=cells, title=name)
    lines = (line.encode(encoding) for line in _csv_lines(header, rows, marked=encoding == "utf-8"))
    response = StreamingHttpResponse(lines, content_type=f"text/csv; charset={encoding}")
    response["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    return response


def plain(value: Any) -> Any:
    """A cell's value as numbers, dates and text that both formats hold; moments in local time."""
    if value is None or value == "—":
        return ""
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None, microsecond=0) if timezone.is_aware(value) else value
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, int | float | Decimal | date):
        return value
    return str(value)


def safe_text(value: Any) -> str:
    """Text for a CSV cell that no spreadsheet program takes for a formula: a quote in front keeps it text."""
    value = plain(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    text = str(value).replace("\x00", "")
    return f"'{text}" if isinstance(value, str) and text.startswith(RISKY_STARTS) else text


class _Echo:
    def write(self, text: str) -> str:
        return text


def _csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]], *, marked: bool) -> Iterator[str]:
    writer = csv.writer(_Echo())
    if marked:
        yield "\ufeff"  # without it a spreadsheet program reads UTF-8 as GBK
    yield writer.writerow([safe_text(each) for each in header])
    for row in rows:
        yield writer.writerow([safe_text(each) for each in row])
