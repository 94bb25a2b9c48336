"""What a file really is, told by its content. The extension is only what somebody typed."""

import codecs
import zipfile
from collections.abc import Iterable
from pathlib import Path

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.workflow.errors import Refused


class Kind(models.TextChoices):
    XLSX = "xlsx", gettext_lazy("Excel 工作簿（.xlsx）")
    CSV = "csv", gettext_lazy("文本表格（.csv）")


CONTENT_TYPES = {
    Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Kind.CSV: "text/csv; charset=utf-8",
}
SHEETS = (Kind.XLSX, Kind.CSV)

MOST_ENTRIES = 2_000
MOST_UNPACKED_BYTES = 300 * 1024 * 1024
MOST_RATIO = 150  # a sheet of one repeated row packs about 1:60
SMALL_BYTES = 10 * 1024 * 1024  # below this the ratio says nothing
SAMPLE_BYTES = 64 * 1024
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
BINARY = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"MZ", b"\x7fELF")


def _save_as() -> str:
    return _("请用 Excel 或 WPS 打开，“另存为”选“Excel 工作簿（*.xlsx）”后重新上传。")


def sniff(path: Path, kinds: Iterable[str]) -> Kind:
    """The kind of the file at `path`, one of `kinds`. Raises Refused with how to mend for anything else or anything unsafe."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    if not sample:
        raise Refused(_("文件是空的（0 字节）。请检查后重新上传。"))
    kind = _kind_of(path, sample)
    if kind not in set(kinds):
        raise Refused(
            _("这里不接受%(kind)s。可用的格式：%(kinds)s。")
            % {"kind": kind.label, "kinds": _("、").join(str(Kind(each).label) for each in kinds)}
        )
    return kind


def _kind_of(path: Path, sample: bytes) -> Kind:
    if sample.startswith(OLE):
        if ENCRYPTED in path.read_bytes():
            raise Refused(
                _("这个工作簿设了打开密码，读不到内容。请在 Excel 中去掉密码（文件 → 信息 → 保护工作簿）后重新上传。")
            )
        raise Refused(_("这是旧版 Excel（.xls）文件。") + _save_as())
    if sample.startswith(b"PK"):
        check_workbook(path)
        return Kind.XLSX
    start = sample.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")):
        raise Refused(_("这是网页格式的表格，不是真正的 Excel 文件。") + _save_as())
    if sample.startswith(BINARY) or not _is_text(sample):
        raise Refused(_("这不是表格文件。请上传 .xlsx 或 .csv 文件。"))
    return Kind.CSV


def _is_text(sample: bytes) -> bool:
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    strange = sum(byte < 32 and byte not in b"\t\r\n\x00" for byte in sample)
    return strange * 100 <= len(sample) and sample.count(0) * 20 <= len(sample)


def check_workbook(path: Path) -> None:
    """Raise Refused unless `path` is a workbook that unpacks to a bearable size: no zip bomb, no document type in its XML."""
    broken = _("文件已损坏，或者不是 Excel 工作簿。") + _save_as()
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            if "xl/workbook.xml" not in names:
                raise Refused(_("这不是 Excel 工作簿（压缩包里没有工作表）。") + _save_as())
            if any(entry.flag_bits & 1 for entry in entries):
                raise Refused(_("这个工作簿设了密码，读不到内容。请去掉密码后重新上传。"))
            _check_sizes(entries)
            for entry in entries:
                if entry.filename.endswith((".xml", ".rels")) and not entry.is_dir():
                    with archive.open(entry) as part:
                        if b"<!DOCTYPE" in part.read(2_000).replace(b"\0", b""):
                            raise Refused(broken)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise Refused(broken) from error


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    """`file_size` is what the archive claims, and zipfile never unpacks more than that."""
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    too_dense = unpacked > SMALL_BYTES and unpacked / packed > MOST_RATIO
    if len(entries) > MOST_ENTRIES or unpacked > MOST_UNPACKED_BYTES or too_dense:
        raise Refused(
            _(
                "这个文件解压后过大（%(unpacked)s MB），为安全起见没有打开。请只保留需要导入的工作表，清除多余的空行和格式后重新上传。"
            )
            % {"unpacked": unpacked // (1024 * 1024)}
        )
