"""What a file really is, told by its content. The extension is only what somebody typed."""

import codecs
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.workflow.errors import Refused


class Kind(models.TextChoices):
    XLSX = "xlsx", gettext_lazy("Excel 工作簿（.xlsx）")
    CSV = "csv", gettext_lazy("文本表格（.csv）")
    DOCX = "docx", gettext_lazy("Word 文档（.docx）")
    PDF = "pdf", gettext_lazy("PDF 文档（.pdf）")
    JPEG = "jpg", gettext_lazy("JPEG 图片（.jpg）")
    PNG = "png", gettext_lazy("PNG 图片（.png）")
    WEBP = "webp", gettext_lazy("WebP 图片（.webp）")


CONTENT_TYPES = {
    Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Kind.CSV: "text/csv; charset=utf-8",
    Kind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Kind.PDF: "application/pdf",
    Kind.JPEG: "image/jpeg",
    Kind.PNG: "image/png",
    Kind.WEBP: "image/webp",
}
SHEETS = (Kind.XLSX, Kind.CSV)
IMAGES = (Kind.JPEG, Kind.PNG, Kind.WEBP)
EVIDENCE = (*IMAGES, Kind.PDF)
"""What people photograph or scan to show something."""
DOCUMENTS = (Kind.DOCX, Kind.PDF)

MOST_ENTRIES = 2_000
MOST_UNPACKED_BYTES = 300 * 1024 * 1024
MOST_RATIO = 150  # a sheet of one repeated row packs about 1:60
SMALL_BYTES = 10 * 1024 * 1024  # below this the ratio says nothing
SAMPLE_BYTES = 64 * 1024
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
BINARY = (b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"MZ", b"\x7fELF", b"BM", b"II*\0", b"MM\0*")
PACKAGES = {"xl/workbook.xml": Kind.XLSX, "word/document.xml": Kind.DOCX}


def _save_as() -> str:
    return _("请用 Excel 或 WPS 打开，“另存为”选“Excel 工作簿（*.xlsx）”后重新上传。")


def sniff(path: Path, kinds: Iterable[str]) -> Kind:
    """The kind of the file at `path`, one of `kinds`. Raises Refused with how to mend for anything else or anything unsafe."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    if not sample:
        raise Refused(_("文件是空的（0 字节）。请检查后重新上传。"))
    wanted = [Kind(each) for each in kinds]
    kind = _image_or_pdf(path, sample) or _kind_of(path, sample, wanted)
    if kind not in wanted:
        raise Refused(_("这里不接受%(kind)s。可用的格式：%(kinds)s。") % {"kind": kind.label, "kinds": _names(wanted)})
    return kind


def _names(kinds: Iterable[Kind]) -> str:
    return _("、").join(str(each.label) for each in kinds)


def _image_or_pdf(path: Path, sample: bytes) -> Kind | None:
    if sample.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if sample.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if sample.startswith(b"RIFF") and sample[8:12] == b"WEBP":
        return Kind.WEBP
    if sample[4:8] == b"ftyp" and sample[8:12] in {b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif"}:
        raise Refused(
            _("这是 HEIC 格式的照片，别人多半打不开。请在手机相机设置里选“兼容性最佳”，或者转成 JPEG 后重新上传。")
        )
    if sample.startswith(b"%PDF-"):
        if zipfile.is_zipfile(path):
            raise Refused(
                _("这个 PDF 里还藏着另一个压缩文件，为安全起见没有接收。请用“打印成 PDF”另存一份后重新上传。")
            )
        return Kind.PDF
    return None


def _kind_of(path: Path, sample: bytes, wanted: list[Kind]) -> Kind:
    if sample.startswith(OLE):
        _refuse_old_office(path, wanted)
    if sample.startswith(b"PK"):
        return check_package(path, wanted)
    start = sample.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start[:4_000] and start.startswith(b"<"):
        raise Refused(_("SVG 图片里可以带脚本，这里不接受。请导出为 PNG 或 JPEG 后重新上传。"))
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")):
        raise Refused(_("这是网页格式的表格，不是真正的 Excel 文件。") + _save_as())
    if sample.startswith(BINARY) or not _is_text(sample):
        if set(wanted) <= set(SHEETS):
            raise Refused(_("这不是表格文件。请上传 .xlsx 或 .csv 文件。"))
        raise Refused(_("不认识这种文件。可用的格式：%(kinds)s。") % {"kinds": _names(wanted)})
    return Kind.CSV


def _refuse_old_office(path: Path, wanted: list[Kind]) -> None:
    if ENCRYPTED in path.read_bytes():
        raise Refused(_("这个文件设了打开密码，读不到内容。请去掉密码（文件 → 信息 → 保护）后重新上传。"))
    if Kind.XLSX in wanted:
        raise Refused(_("这是旧版 Excel（.xls）文件。") + _save_as())
    raise Refused(
        _("这是旧版 Office 文件。请另存为新格式或者 PDF 后重新上传。可用的格式：%(kinds)s。")
        % {"kinds": _names(wanted)}
    )


def _is_text(sample: bytes) -> bool:
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    strange = sum(byte < 32 and byte not in b"\t\r\n\x00" for byte in sample)
    return strange * 100 <= len(sample) and sample.count(0) * 20 <= len(sample)


def check_package(path: Path, wanted: Iterable[Kind] = SHEETS) -> Kind:
    """Which Office file `path` is. Raises Refused unless it unpacks to a bearable size: no zip bomb, no password, no document type in
    its XML, no macros."""
    broken = _("文件已损坏，或者不是 Office 文件。") + (_save_as() if Kind.XLSX in wanted else "")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            kind = next((kind for name, kind in PACKAGES.items() if name in names), None)
            if kind is None:
                raise Refused(
                    _("这不是 Excel 工作簿（压缩包里没有工作表）。") + _save_as()
                    if Kind.XLSX in wanted
                    else _("这是压缩包，不是文档。请解压后上传里面的文件。可用的格式：%(kinds)s。")
                    % {"kinds": _names(wanted)}
                )
            if any(entry.flag_bits & 1 for entry in entries):
                raise Refused(_("这个文件设了密码，读不到内容。请去掉密码后重新上传。"))
            if kind is Kind.DOCX and any(name.lower().endswith("vbaproject.bin") for name in names):
                raise Refused(
                    _("这个文档带有宏，为安全起见没有接收。请另存为不含宏的“Word 文档（*.docx）”后重新上传。")
                )
            _check_sizes(entries)
            for entry in entries:
                if entry.filename.endswith((".xml", ".rels")) and not entry.is_dir():
                    with archive.open(entry) as part:
                        if b"<!DOCTYPE" in part.read(2_000).replace(b"\0", b""):
                            raise Refused(broken)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, zlib.error) as error:
        raise Refused(broken) from error
    return kind


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    """`file_size` is what the archive claims, and zipfile never unpacks more than that."""
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    too_dense = unpacked > SMALL_BYTES and unpacked / packed > MOST_RATIO
    if len(entries) > MOST_ENTRIES or unpacked > MOST_UNPACKED_BYTES or too_dense:
        raise Refused(
            _(
                "这个文件解压后过大（%(unpacked)s MB），为安全起见没有打开。请只保留需要的内容，清除多余的空行和格式后重新上传。"
            )
            % {"unpacked": unpacked // (1024 * 1024)}
        )
