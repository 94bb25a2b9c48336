import hashlib
import os
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.base import File
from django.db import models, transaction
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.files import owners
from xiezhi.foundation.files.images import redrawn
from xiezhi.foundation.files.kinds import IMAGES, Kind, sniff
from xiezhi.foundation.files.models import StoredFile, content_path
from xiezhi.foundation.files.scanning import Scan, scan
from xiezhi.foundation.files.uploads import disk_full, limit_bytes, no_room, too_large
from xiezhi.foundation.workflow.errors import Refused

NAME_LENGTH = 150
LOOSE_FOR = timedelta(days=1)
"""How long content without a row is left alone: somebody may be about to enter it in the books."""


@dataclass(frozen=True)
class Received:
    """Content that lies in its place already, not yet known to the database. `received_digest`: of what came in, before a picture was
    drawn anew."""

    digest: str
    size: int
    kind: Kind
    display_name: str
    received_digest: str
    scan: Scan


def receive(upload: File, *, kinds: Iterable[str]) -> Received:
    """Put the content of `upload` in its place and say what it is; writes no row, so that a caller may look first.

    The content is complete or absent: it is written beside and renamed. Pictures are drawn anew without their metadata. Raises Refused for
    a file that is too large, of another kind than `kinds`, unsafe to open or infected, and when the disk is full.
    """
    if upload.size is not None and upload.size > limit_bytes():
        raise Refused(too_large(upload.size))
    with _full_disk_refused(), _temporary() as temporary:
        with temporary.open("wb", buffering=0) as file:
            came_in, size = _write(file.fileno(), _chunks(upload))
        kind = sniff(temporary, kinds)
        found = scan(temporary)
        digest = came_in
        if kind in IMAGES:
            picture = redrawn(temporary, kind)
            with temporary.open("wb", buffering=0) as file:
                digest, size = _write(file.fileno(), [picture])
        place = content_path(digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(place)
    return Received(digest, size, kind, clean_name(upload.name or "", kind), came_in, found)


@contextmanager
def _full_disk_refused() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not disk_full(error):
            raise
        raise Refused(no_room()) from error


@contextmanager
def _temporary() -> Iterator[Path]:
    """An empty file beside the contents, gone afterwards unless it was renamed."""
    root = Path(settings.MEDIA_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="incoming-", dir=root)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _write(handle: int, pieces: Iterable[bytes]) -> tuple[str, int]:
    """Write all pieces through to the disk; SHA-256 and size. Raises Refused past the size limit."""
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        size += len(piece)
        if size > limit_bytes():
            raise Refused(too_large(size))
        digest.update(piece)
        left = memoryview(piece)
        while left:
            left = left[os.write(handle, left) :]
    os.fsync(handle)
    return digest.hexdigest(), size


def _chunks(upload: File) -> Iterator[bytes]:
    upload.seek(0)
    yield from upload.chunks()


def clean_name(name: str, kind: Kind) -> str:
    """What the person called the file, as harmless text of at most 150 characters: no folders, no control or direction marks, and an
    ending that says what it is."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C").strip(" .")
    stem, ending = visible or _("未命名"), f".{kind.value}"
    if stem.lower().endswith((ending, *ALSO.get(kind, ()))):
        return stem[-NAME_LENGTH:]
    return stem[-(NAME_LENGTH - len(ending)) :] + ending


ALSO = {Kind.JPEG: (".jpeg",), Kind.CSV: (".txt", ".tsv"), Kind.XLSX: (".xlsm",)}
"""Endings that are as good as the kind's own."""


@transaction.atomic
def store_received(received: Received, *, actor: Actor, at: datetime, owner: models.Model | None = None) -> StoredFile:
    """Enter received content in the books, as belonging to `owner`, or to nothing until `tie` says to what.

    Raises PermissionRefused for an actor who is no person, unless there is an owner (a visitor's evidence, a document of our own making);
    Refused when the content has been tidied away meanwhile; LookupError for an owner whose model is not registered.
    """
    if owner is None and (actor.user_id is None or actor.membership_id is None or _home(actor) is None):
        raise PermissionRefused(_("请先登录再上传文件。"))
    if not content_path(received.digest).exists():
        raise Refused(_("上传放得太久，内容已经清理。请重新上传。"))
    stored = StoredFile.objects.create(
        digest=received.digest,
        received_digest=received.received_digest,
        display_name=received.display_name,
        size=received.size,
        kind=received.kind,
        organisation_id=_home(actor),
        uploaded_by_id=actor.user_id,
        membership_id=actor.membership_id,
        uploaded_at=at,
        scan=received.scan,
        owner_kind=owners.check_known(owner) if owner else "",
        owner_id=owner.pk if owner else None,
    )
    record(
        "files.stored",
        stored,
        actor=actor,
        at=at,
        digest=received.digest,
        received_digest=received.received_digest,
        size=received.size,
        kind=received.kind.value,
        scan=received.scan.value,
        owner=f"{stored.owner_kind}:{stored.owner_id}" if owner else "",
    )
    return stored


def _home(actor: Actor) -> int | None:
    return actor.department_id or actor.organisation_id


def store_upload(
    upload: File, *, kinds: Iterable[str], actor: Actor, at: datetime, owner: models.Model | None = None
) -> StoredFile:
    """Receive and store in one go. Raises what `receive` and `store_received` raise."""
    return store_received(receive(upload, kinds=kinds), actor=actor, at=at, owner=owner)


def store_uploads(
    uploads: Sequence[File], *, kinds: Iterable[str], most: int, actor: Actor, at: datetime, owner: models.Model
) -> list[StoredFile]:
    """Store several uploads as belonging to `owner`, all or none; `owner` has at most `most` files afterwards.

    Call it outside a transaction where files are large: looking at them takes time. Raises what `receive` and `store_received` raise, with
    the name of the file, and Refused for too many. Two people who add files to one object at once may go past `most` together.
    """
    kinds = list(kinds)
    already = StoredFile.objects.of(owner).count()
    if already + len(uploads) > most:
        raise Refused(
            _("最多放 %(most)s 个文件，已经有 %(already)s 个，这次又选了 %(now)s 个。请减少后重新选择。")
            % {"most": most, "already": already, "now": len(uploads)}
        )
    received = [_named(upload, kinds) for upload in uploads]
    with transaction.atomic():
        return [store_received(each, actor=actor, at=at, owner=owner) for each in received]


def _named(upload: File, kinds: list[str]) -> Received:
    try:
        return receive(upload, kinds=kinds)
    except Refused as refusal:
        name = clean_name(upload.name or "", Kind.CSV).removesuffix(".csv")
        raise Refused(_("“%(name)s”：%(reason)s") % {"name": name, "reason": refusal}) from refusal


@transaction.atomic
def tie(
    stored: StoredFile, *, to: models.Model, actor: Actor, at: datetime, held_by: models.Model | None = None
) -> StoredFile:
    """Say what a file belongs to: from now on who sees `to` sees it, and nobody else. `held_by`: what kept it until now, a draft.

    Raises Refused for a file that belongs to something else already, LookupError for an owner whose model is not registered.
    """
    kind = owners.check_known(to)
    locked = StoredFile.objects.select_for_update().get(pk=stored.pk)
    if (locked.owner_kind, locked.owner_id) == (kind, to.pk):
        return locked
    held = held_by is not None and (locked.owner_kind, locked.owner_id) == (owners.kind_of(held_by), held_by.pk)
    if locked.owner_kind and not held:
        raise Refused(_("这个文件已经属于别的记录，不能再移。"))
    locked.owner_kind, locked.owner_id = kind, to.pk
    locked.save(update_fields=["owner_kind", "owner_id"])
    record("files.tied", locked, actor=actor, at=at, owner=f"{kind}:{to.pk}")
    return locked


@transaction.atomic
def discard(files: Iterable[StoredFile], *, actor: Actor, at: datetime) -> int:
    """Strike out files of a draft that was given up; `tidy` removes content that no row knows any more. Returns how many.

    Only the caller knows that nothing refers to them: a row that something still refers to raises ProtectedError.
    """
    count = 0
    for stored in files:
        record("files.discarded", stored, actor=actor, at=at, digest=stored.digest)
        stored.delete()
        count += 1
    return count


def tidy(*, at: datetime) -> int:
    """Remove what nobody entered in the books within a day: content of uploads that were refused later, and halves. Returns how many."""
    root, oldest, count = Path(settings.MEDIA_ROOT), (at - LOOSE_FOR).timestamp(), 0
    for path in [*root.glob("incoming-*"), *root.glob("content/*/*")]:
        known = path.parent != root and StoredFile.objects.filter(digest=path.name).exists()
        if not known and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
            count += 1
    return count
