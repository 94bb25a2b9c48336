"""Taking in what a browser sends: streamed to disk, and thrown away from the byte that is one too many."""

import errno
from dataclasses import dataclass
from typing import Any, NoReturn

from django.conf import settings
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest
from django.utils.translation import gettext as _

MB = 1024 * 1024


def limit_bytes() -> int:
    """The largest file that is taken in (a configured working default, `UPLOAD_LIMIT_MB`)."""
    return int(settings.UPLOAD_LIMIT_MB) * MB


def too_large(size: int) -> str:
    """What a person is told about a file of `size` bytes."""
    return _(
        "文件约 %(size)s MB，超过上限 %(limit)s MB，没有接收。请删去图片、多余的工作表和空行，或者拆成几个文件分别上传。"
    ) % {"size": max(1, round(size / MB)), "limit": settings.UPLOAD_LIMIT_MB}


def disk_full(error: OSError) -> bool:
    """Whether the operating system had no room left, for anybody or for us."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def no_room() -> str:
    """What a person is told when the disk is full."""
    return _("服务器的存储空间满了，文件没有保存。请联系管理员清理后重新上传。")


@dataclass(frozen=True)
class Oversized:
    """A file of this request that was not kept. `size` is the request's length: an upper bound of the file's. `full`: not because of the
    file's size, but because the disk has no room."""

    field: str
    size: int
    full: bool = False

    @property
    def message(self) -> str:
        return no_room() if self.full else too_large(self.size)


class LimitedUploadHandler(TemporaryFileUploadHandler):
    """Django's streaming to a temporary file, with an end. The rest of the request is read on, so that the person gets a page
    and not a broken connection; `oversized_in(request)` tells the view."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > limit_bytes():
            self._skip()
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            if not disk_full(error):
                raise
            self._skip(full=True)

    def _skip(self, *, full: bool = False) -> NoReturn:
        request: Any = self.request
        request.oversized_upload = Oversized(self.field_name, int(request.META["CONTENT_LENGTH"] or 0), full)
        raise SkipFile


def oversized_in(request: HttpRequest) -> Oversized | None:
    """The file of this request that was not kept, because it was too large or the disk is full, if there was one."""
    request.POST  # noqa: B018  reading the form is what runs the handlers
    return getattr(request, "oversized_upload", None)
