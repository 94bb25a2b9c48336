import hashlib
import os
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.files.kinds import Kind, sniff
from xiezhi.foundation.files.models import StoredFile, content_path
from xiezhi.foundation.files.uploads import limit_bytes, too_large
from xiezhi.foundation.workflow.errors import Refused

NAME_LENGTH = 150


@dataclass(frozen=True)
class Received:
    """Content that lies in its place already, not yet known to the database."""

    digest: str
    size: int
    kind: Kind
    display_name: str


def receive(upload: File, *, kinds: Iterable[str]) -> Received:
    """Put the content of `upload` in its place and say what it is; writes no row, so that a caller may look first.

    The content is complete or absent: it is written beside and renamed. Raises Refused for a file that is too large, of another kind
    than `kinds`, or unsafe to open.
    """
    if upload.size is not None and upload.size > limit_bytes():
        raise Refused(too_large(upload.size))
    root = Path(settings.MEDIA_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="incoming-", dir=root)
    temporary = Path(name)
    try:
        digest, size = hashlib.sha256(), 0
        with os.fdopen(handle, "wb") as file:
            for chunk in _chunks(upload):
                size += len(chunk)
                if size > limit_bytes():
                    raise Refused(too_large(size))
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        kind = sniff(temporary, kinds)
        place = content_path(digest.hexdigest())
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)
    return Received(digest.hexdigest(), size, kind, clean_name(upload.name or "", kind))


def _chunks(upload: File) -> Iterator[bytes]:
    upload.seek(0)
    yield from upload.chunks()


def clean_name(name: str, kind: Kind) -> str:
    """What the person called the file, as harmless text of at most 150 characters: no folders, no control or direction marks."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C").strip(" .")
    return visible[-NAME_LENGTH:] or _("未命名") + f".{kind.value}"


@transaction.atomic
def store_received(received: Received, *, actor: Actor, at: datetime) -> StoredFile:
    """Enter received content in the books as this person's upload. Raises PermissionRefused for an actor who is no person."""
    home = actor.department_id or actor.organisation_id
    if actor.user_id is None or actor.membership_id is None or home is None:
        raise PermissionRefused(_("请先登录再上传文件。"))
    stored = StoredFile.objects.create(
        digest=received.digest,
        display_name=received.display_name,
        size=received.size,
        kind=received.kind,
        organisation_id=home,
        uploaded_by_id=actor.user_id,
        membership_id=actor.membership_id,
        uploaded_at=at,
    )
    record(
        "files.stored", stored, actor=actor, at=at, digest=received.digest, size=received.size, kind=received.kind.value
    )
    return stored


def store_upload(upload: File, *, kinds: Iterable[str], actor: Actor, at: datetime) -> StoredFile:
    """Receive and store in one go. Raises what `receive` and `store_received` raise."""
    return store_received(receive(upload, kinds=kinds), actor=actor, at=at)
