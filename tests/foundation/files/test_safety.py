"""Hostile and unlucky uploads: what is kept is what it says it is, alone, whole, and seen by those who see what it belongs to."""

import errno
import io
import os
import socket
import struct
import threading
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.builders.cast import NOW, Cast, make_cast
from xiezhi.foundation.access.actors import SYSTEM, Actor
from xiezhi.foundation.files import images, links, owners, services
from xiezhi.foundation.files.apps import scanner_named
from xiezhi.foundation.files.forms import FilesField
from xiezhi.foundation.files.kinds import DOCUMENTS, EVIDENCE, IMAGES, Kind
from xiezhi.foundation.files.models import StoredFile
from xiezhi.foundation.files.scanning import Scan
from xiezhi.foundation.files.services import clean_name, receive, store_upload, store_uploads, tidy, tie
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.jobs.services import enqueue
from xiezhi.foundation.workflow.errors import Refused

PLACE = "演示地点 39.9N 116.4E"
EVERY = tuple(Kind)


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files"


def left_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def picture(kind: Kind = Kind.JPEG, size: tuple[int, int] = (40, 30), **more: Any) -> bytes:
    out = io.BytesIO()
    mode = "RGB" if kind is Kind.JPEG else "RGBA"
    Image.new(mode, size, (200, 30, 30)).save(out, images.FORMATS[kind], **more)
    return out.getvalue()


def photographed(kind: Kind) -> bytes:
    """A picture lying on its side, with place and device in its EXIF, a comment, and a script behind its end."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x9286] = 6, "演示手机", PLACE
    exif.get_ifd(0x8825)[1] = "N"
    return (
        picture(kind, exif=exif, **({"comment": PLACE.encode()} if kind is Kind.JPEG else {}))
        + b"<script>PLACE</script>"
    )


def refusal(content: bytes, kinds: Any = EVERY, name: str = "a") -> str:
    with pytest.raises(Refused) as caught:
        receive(ContentFile(content, name=name), kinds=kinds)
    return str(caught.value)


@pytest.mark.parametrize("kind", IMAGES)
def test_a_stored_picture_is_the_picture_alone_and_upright(kind: Kind, folder: Path) -> None:
    received = receive(ContentFile(photographed(kind), name="现场.jpeg"), kinds=IMAGES)
    (stored,) = left_in(folder)
    assert stored.name == received.digest != received.received_digest and stored.stat().st_size == received.size
    content = stored.read_bytes()
    assert b"script" not in content and PLACE.encode() not in content and b"Exif" not in content
    with Image.open(stored) as opened:
        opened.load()
        assert not opened.getexif() and opened.size == (30, 40)  # it lay on its side
        assert not {"exif", "xmp", "icc_profile", "comment", "photoshop"} & opened.info.keys()


def test_a_large_picture_is_made_smaller_and_a_vast_or_torn_one_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "LONGEST_SIDE", 100)
    monkeypatch.setattr(images, "MOST_PIXELS", 200_000)
    received = receive(ContentFile(picture(size=(400, 200))), kinds=IMAGES)
    with Image.open(folder / "content" / received.digest[:2] / received.digest) as opened:
        assert opened.size == (100, 50)
    assert "20 万像素" in refusal(picture(Kind.PNG, size=(500, 500)))
    bomb = bytearray(picture(Kind.PNG))
    bomb[16:24] = struct.pack("!LL", 50_000, 50_000)  # what the header claims is believed before anything is unpacked
    assert "像素" in refusal(bytes(bomb)) or "损坏" in refusal(bytes(bomb))
    assert "损坏" in refusal(picture(size=(300, 300))[:-200])
    assert len(left_in(folder)) == 1


def zip_of(entries: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return made.getvalue()


SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
DOCX = zip_of({"word/document.xml": b"<x/>", "[Content_Types].xml": b"<x/>"})
HOSTILE = {
    "nothing": (b"", "0 字节"),
    "svg with script": (SVG, "SVG"),
    "bare svg": (b"  <svg onload='alert(1)'/>", "SVG"),
    "zip bomb": (zip_of({"word/document.xml": b"<x/>", "word/media/a": b"\0" * 40_000_000}), "解压后过大"),
    "macros": (zip_of({"word/document.xml": b"<x/>", "word/vbaProject.bin": b"x"}), "宏"),
    "pdf with a zip in it": (b"%PDF-1.7\n" + DOCX, "藏着"),
    "a program": (b"MZ" + b"\0" * 200, "不认识"),
    "gif": (b"GIF89a" + b"\0\1" * 100, "不认识"),
    "heic": (b"\0\0\0\x18ftypheic" + b"\0" * 50, "HEIC"),
    "old word": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "旧版"),
    "zip": (zip_of({"a.txt": b"a"}), "压缩包"),
    "page": (b"<html><script>alert(1)</script></html>", "网页"),
    "jpeg that is a page": (b"\xff\xd8\xff<html><script>alert(1)</script>", "损坏"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused_with_how_to_mend_and_leave_nothing(case: str, folder: Path) -> None:
    content, words = HOSTILE[case]
    assert words in refusal(content, kinds=(*EVIDENCE, *DOCUMENTS))
    assert left_in(folder) == []


STARTS = [
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"RIFF\0\0\0\0WEBP",
    b"%PDF-",
    b"PK\x03\x04",
    b"<svg ",
    b"\xff\xfe",
    b"GIF8",
]
WHOLE = [picture(), picture(Kind.PNG), picture(Kind.WEBP), DOCX, b"%PDF-1.7\n%%EOF", "代码,名称\n1,2\n".encode()]


@settings(max_examples=60)
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.builds(bytes.__add__, st.sampled_from(STARTS), st.binary(max_size=300)),
        st.builds(  # a whole file with a piece cut out and another put in
            lambda whole, at, cut, other: whole[: at % len(whole)] + other + whole[at % len(whole) + cut :],
            st.sampled_from(WHOLE), st.integers(0, 4_000), st.integers(0, 40), st.binary(max_size=20),
        ),
    ),
    name=st.text(max_size=300),
)  # fmt: skip
@example(content=picture(), name="../../../etc/passwd\0.jpg")
@example(content=b"%PDF-1.7", name="..\\..\\" + "长" * 300 + ".exe")
def test_whatever_comes_is_kept_under_its_digest_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "fuzz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.MEDIA_ROOT", folder)
        upload = ContentFile(content)
        upload.name = name
        try:
            received = receive(upload, kinds=EVERY)
        except Refused as refused:
            assert str(refused)
            received = None
    kept = left_in(folder) if folder.exists() else []
    assert [path.relative_to(folder).as_posix() for path in kept] == (
        [f"content/{received.digest[:2]}/{received.digest}"] if received else []
    )
    if received:
        assert 0 < len(received.display_name) <= 150 and not set("/\\\0\u202e") & set(received.display_name)
        assert received.display_name == clean_name(received.display_name, received.kind)
        kept[0].unlink()


@pytest.mark.parametrize("after_bytes", [0, 100_000])
def test_a_full_disk_is_said_and_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, after_bytes: int
) -> None:
    write, written = os.write, 0

    def until_full(handle: int, data: Any) -> int:
        nonlocal written
        if written >= after_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written += len(data)
        return write(handle, data)

    monkeypatch.setattr(services.os, "write", until_full)
    assert "存储空间满了" in refusal("代码,名称\n".encode() * 20_000)
    assert left_in(folder) == []


def test_a_full_disk_while_the_browser_still_sends_is_said_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any
) -> None:
    from xiezhi.foundation.files.uploads import oversized_in

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    monkeypatch.setattr("django.core.files.uploadhandler.TemporaryFileUploadHandler.receive_data_chunk", full)
    request = RequestFactory().post("/", {"file": ContentFile(b"content", name="a.csv"), "note": "still read"})
    not_kept = oversized_in(request)
    assert not_kept and "存储空间满了" in not_kept.message
    assert "file" not in request.FILES and request.POST["note"] == "still read"


@pytest.fixture
def clamd(tmp_path: Path) -> Iterator[str]:
    """A scanner that speaks clamd's INSTREAM over a real socket, and finds EICAR in what says so."""
    path = str(tmp_path / "clamd.ctl")
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()

    def answer() -> None:
        while True:
            try:
                asked, _address = server.accept()
            except OSError:
                return
            with asked, asked.makefile("rb") as stream:
                assert stream.read(10) == b"zINSTREAM\0"
                content = b""
                while size := struct.unpack("!L", stream.read(4))[0]:
                    content += stream.read(size)
                asked.sendall(b"stream: Eicar-Test FOUND\0" if b"EICAR" in content else b"stream: OK\0")

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield f"unix:{path}"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


CLEAN, INFECTED = "代码,名称\n1,2\n".encode(), b"code,name\nEICAR,2\n"


def test_the_scanner_of_the_house_decides_and_its_silence_is_a_no(clamd: str, folder: Path, settings: Any) -> None:
    def said(content: bytes) -> str:
        try:
            return receive(ContentFile(content), kinds=EVERY).scan
        except Refused as refused:
            return str(refused)

    command = "command:sh -c 'grep -q EICAR \"$0\" && exit 1 || exit 0'"
    for scanner in (clamd, command):
        settings.VIRUS_SCAN = scanner
        assert scanner_named(None) == []
        assert said(CLEAN) == Scan.CLEAN and "发现了问题" in said(INFECTED)
    for silent in (
        "unix:/nowhere/clamd.ctl",
        "tcp:127.0.0.1:9",
        "command:false-program",
        "command:sh -c 'exit 2'",
        "x:y",
    ):
        settings.VIRUS_SCAN = silent
        assert "没有回应" in said(CLEAN)
    assert [each.id for each in scanner_named(None)] == ["files.E001"]
    settings.VIRUS_SCAN = ""
    assert said(INFECTED) == Scan.ABSENT


@pytest.fixture
def cast(db: None, folder: Path) -> Cast:
    return make_cast()


@pytest.fixture
def job(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Something with an owner and a rule who sees it, standing for a room's object; registered for these tests only."""
    monkeypatch.setattr(owners, "_owners", {})
    monkeypatch.setattr("xiezhi.foundation.jobs.services.handler_for", lambda kind: None)
    owners.register(Job)
    return enqueue("demo", title="演示", actor=cast.actor("scjg.planner"), at=NOW)


def test_who_sees_the_object_sees_its_files_and_nobody_else(cast: Cast, job: Job) -> None:
    planner = cast.actor("scjg.planner")
    stored = store_upload(ContentFile(CLEAN, name="a.csv"), kinds=EVERY, actor=planner, at=NOW)
    assert StoredFile.objects.visible_to(planner).count() == 1
    assert not StoredFile.objects.visible_to(cast.actor("coordinator")).exists()
    tie(stored, to=job, actor=planner, at=NOW)
    assert tie(stored, to=job, actor=planner, at=NOW).owner_id == job.pk  # twice does no harm
    for who, sees in {"scjg.planner": 1, "coordinator": 1, "scjg.head": 0, "xfjy.planner": 0}.items():
        assert StoredFile.objects.visible_to(cast.actor(who)).count() == sees, who
    other = enqueue("demo", title="另一项", actor=planner, at=NOW)
    with pytest.raises(Refused, match="属于"):
        tie(stored, to=other, actor=planner, at=NOW)
    with pytest.raises(LookupError):
        tie(stored, to=cast["scjg"], actor=planner, at=NOW)
    Job.objects.filter(pk=job.pk).update(owner=cast.people["xfjy.planner"])  # it changes hands, its files go with it
    assert not StoredFile.objects.visible_to(planner).exists()
    assert list(StoredFile.objects.visible_to(cast.actor("xfjy.planner")).of(job)) == [stored]


def test_several_files_are_stored_together_or_not_at_all(cast: Cast, job: Job, folder: Path) -> None:
    def store(*contents: bytes, actor: Actor) -> list[StoredFile]:
        uploads = [ContentFile(each, name=f"{number}.csv") for number, each in enumerate(contents)]
        return store_uploads(uploads, kinds=EVERY, most=3, actor=actor, at=NOW, owner=job)

    planner = cast.actor("scjg.planner")
    with pytest.raises(Refused, match=r"“1(\.csv)?”：.*0 字节"):
        store(CLEAN, b"", actor=planner)
    assert not StoredFile.objects.exists()
    assert tidy(at=timezone.now()) == 0 and len(left_in(folder)) == 1
    assert tidy(at=timezone.now() + timedelta(days=2)) == 1 and left_in(folder) == []
    assert len(store(CLEAN, picture(), actor=SYSTEM)) == 2  # with an owner nobody need be signed in
    with pytest.raises(Refused, match="已经有 2 个"):
        store(CLEAN, CLEAN, actor=planner)
    assert tidy(at=timezone.now() + timedelta(days=2)) == 0
    late = receive(ContentFile(INFECTED), kinds=EVERY)
    tidy(at=timezone.now() + timedelta(days=2))
    with pytest.raises(Refused, match="重新上传"):
        services.store_received(late, actor=SYSTEM, at=NOW, owner=job)


def test_a_field_takes_several_files_up_to_its_number() -> None:
    field = FilesField(kinds=IMAGES, most=2, required=False)
    one = ContentFile(b"x", name="a.jpg")
    assert field.clean([one, one]) == [one, one] and field.clean([]) == [] and field.clean(None) == []
    with pytest.raises(Exception, match="最多选 2 个"):
        field.clean([one, one, one])
    assert field.widget.attrs["accept"] == "image/jpeg,image/png,image/webp"


def test_a_short_link_works_without_signing_in_until_it_is_old(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = store_upload(
        ContentFile(picture(), name="../a\0\u202e.html"), kinds=EVERY, actor=cast.actor("scjg.planner"), at=NOW
    )
    client, link = Client(), links.short_link(stored)
    response = client.get(link)
    assert response["Content-Type"] == "image/jpeg" and response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"] == 'attachment; filename="a.html.jpg"'
    assert b"".join(response.streaming_content) == stored.path.read_bytes()  # type: ignore[attr-defined]
    assert client.get(link[:-3] + "x/").status_code == 404
    assert client.get(reverse("files:short", args=["nonsense"])).status_code == 404
    monkeypatch.setattr(links, "LIFETIME", timedelta(seconds=-1))
    assert client.get(link).status_code == 404
    monkeypatch.undo()
    stored.path.unlink()
    assert client.get(link).status_code == 409
