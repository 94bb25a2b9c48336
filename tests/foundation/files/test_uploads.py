"""What comes in is streamed, limited, told by content and kept under its digest."""

import io
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client
from django.urls import reverse

from tests.builders.cast import NOW, Cast, make_cast
from xiezhi.foundation.access.actors import NOBODY, SYSTEM, PermissionRefused
from xiezhi.foundation.files.kinds import SHEETS, Kind
from xiezhi.foundation.files.models import StoredFile
from xiezhi.foundation.files.services import clean_name, store_upload
from xiezhi.foundation.files.uploads import oversized_in
from xiezhi.foundation.workflow.errors import Refused

CSV = "代码,名称\nA1,甲\n".encode()
MB = 1024 * 1024


class Body(io.RawIOBase):
    """A form with one file of `size` bytes, made while it is read."""

    HEAD = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="big.xlsx"\r\nContent-Type: text/plain\r\n\r\n'
    )
    TAIL = b'\r\n--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nstill read\r\n--x--\r\n'

    def __init__(self, size: int) -> None:
        self.left, self.length = size, len(self.HEAD) + size + len(self.TAIL)
        self.parts = self._made()
        self.rest = b""

    def _made(self) -> Any:
        yield self.HEAD
        while self.left:
            piece = min(65_536, self.left)
            self.left -= piece
            yield b"0" * piece
        yield self.TAIL

    def read(self, size: int = -1) -> bytes:
        while len(self.rest) < size and (piece := next(self.parts, b"")):
            self.rest += piece
        out, self.rest = self.rest[:size], self.rest[size:]
        return out


def post(size: int) -> WSGIRequest:
    body = Body(size)
    return WSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "SERVER_NAME": "test",
            "SERVER_PORT": "80",
            "CONTENT_TYPE": "multipart/form-data; boundary=x",
            "CONTENT_LENGTH": str(body.length),
            "wsgi.input": body,
        }
    )


def test_a_sheet_of_100_mb_is_refused_while_it_streams(settings: Any, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    request = post(100 * MB)
    tracemalloc.start()
    oversized = oversized_in(request)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert oversized and oversized.field == "file"
    assert "100 MB" in oversized.message and "20 MB" in oversized.message
    assert "file" not in request.FILES and request.POST["note"] == "still read"
    assert peak < 8 * MB and list(tmp_path.iterdir()) == []


def test_a_sheet_within_the_limit_is_kept_on_disk(settings: Any, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    request = post(3 * MB)
    assert oversized_in(request) is None
    assert request.FILES["file"].size == 3 * MB
    assert Path(request.FILES["file"].temporary_file_path()).stat().st_size == 3 * MB
    request.close()


def test_names_are_text_only() -> None:
    assert clean_name("../../etc/计划.xlsx", Kind.XLSX) == "计划.xlsx"
    assert clean_name("C:\\桌面\\表\u202exslx.exe\x00", Kind.XLSX) == "表xslx.exe.xlsx"
    assert clean_name("", Kind.CSV).endswith(".csv")
    assert len(clean_name("表" * 400 + ".xlsx", Kind.XLSX)) == 150


@pytest.fixture
def cast(db: None, settings: Any, tmp_path: Path) -> Cast:
    settings.MEDIA_ROOT = tmp_path
    return make_cast()


def test_content_is_kept_once_and_every_upload_is_entered(cast: Cast, tmp_path: Path) -> None:
    planner, other = cast.actor("scjg.planner"), cast.actor("wsjk.planner")
    first = store_upload(ContentFile(CSV, name="一季度.csv"), kinds=SHEETS, actor=planner, at=NOW)
    second = store_upload(ContentFile(CSV, name="又一份.csv"), kinds=SHEETS, actor=other, at=NOW)
    assert first.path == second.path and first.path.read_bytes() == CSV
    assert (first.kind, first.size, first.display_name) == ("csv", len(CSV), "一季度.csv")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [first.path]
    assert list(StoredFile.objects.visible_to(planner)) == [first]
    assert not StoredFile.objects.visible_to(cast.actor("coordinator")).exists()
    assert not StoredFile.objects.visible_to(NOBODY).exists()


def test_what_is_refused_leaves_nothing(cast: Cast, tmp_path: Path, settings: Any) -> None:
    planner = cast.actor("scjg.planner")
    with pytest.raises(Refused, match="不接受PDF"):
        store_upload(ContentFile(b"%PDF-1.7", name="计划.xlsx"), kinds=SHEETS, actor=planner, at=NOW)
    with pytest.raises(Refused, match="不接受"):
        store_upload(ContentFile(CSV, name="计划.xlsx"), kinds=[Kind.XLSX], actor=planner, at=NOW)
    settings.UPLOAD_LIMIT_MB = 1
    with pytest.raises(Refused, match="上限 1 MB"):
        store_upload(ContentFile(CSV * MB, name="a.csv"), kinds=SHEETS, actor=planner, at=NOW)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with pytest.raises(PermissionRefused):
        store_upload(ContentFile(CSV, name="a.csv"), kinds=SHEETS, actor=SYSTEM, at=NOW)


def test_downloads_are_attachments_and_others_files_are_not_there(cast: Cast) -> None:
    stored = store_upload(ContentFile(CSV, name="一季度.csv"), kinds=SHEETS, actor=cast.actor("scjg.planner"), at=NOW)
    address = reverse("files:download", args=[stored.pk])
    client = Client()
    client.force_login(cast.people["scjg.planner"])
    response = client.get(address)
    assert b"".join(response.streaming_content) == CSV  # type: ignore[attr-defined]
    assert response["Content-Disposition"].startswith("attachment") and response["X-Content-Type-Options"] == "nosniff"
    client.force_login(cast.people["wsjk.planner"])
    assert client.get(address).status_code == 404
    client.logout()
    assert client.get(address).status_code == 302
