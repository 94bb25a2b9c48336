"""Making an archive, looking into one, putting one back."""

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from xiezhi import __version__
from xiezhi.foundation.keeping import archive, keys
from xiezhi.foundation.keeping.database import Store, differences, store
from xiezhi.foundation.keeping.trouble import Trouble, room_on

Say = Callable[[str], object]
UPLOADS = "files"


@dataclass(frozen=True)
class Made:
    """What went into an archive."""

    path: Path
    bytes: int
    rows: int
    files: int
    keys: tuple[str, ...]


def make_backup(target: Path, *, passphrase: str | None, at: datetime, own: Store | None = None) -> Made:
    """Write database, uploads and keys to `target` (in a folder: under a name made of the moment `at`).

    The database is one moment's; uploads are copied after it, so each that it names is there. Without `passphrase` the keys stay behind.
    Raises Trouble; then nothing is left.
    """
    own = own or store()
    if own.is_empty():
        raise Trouble(
            "There is nothing to back up: the database has no tables. Is XIEZHI_DATA or DATABASE_URL the right one?"
        )
    if target.is_dir():
        target = target / f"xiezhi-{at:%Y-%m-%d-%H%M%S}.tar.gz"
    uploads, sealed = _uploads(), keys.key_files(settings.DATA) if passphrase is not None else {}
    with archive.writing(target) as made:
        _enough_room(made.staging, own.size_bytes() + sum(path.stat().st_size for path in uploads.values()))
        snapshot = made.staging / own.member
        found = own.snapshot(snapshot)
        uploads = _uploads()
        about = {
            "product": "xiezhi",
            "format": archive.FORMAT,
            "version": __version__,
            "made_at": at.isoformat(),
            "database": {"kind": own.kind, "server": own.version(), "member": own.member},
            "uploads": len(uploads),
            "keys": {"sealed": sorted(sealed), "secret_check": keys.key_check(settings.SECRET_KEY)},
            **found,
        }
        made.add_bytes(archive.ABOUT, json.dumps(about, ensure_ascii=False, indent=1).encode())
        made.add(own.member, snapshot)
        snapshot.unlink()
        for name, path in uploads.items():
            made.add(f"{UPLOADS}/{name}", path)
        if passphrase is not None and sealed:
            made.add_bytes(archive.KEYS, keys.seal(sealed, passphrase))
    return Made(target, target.stat().st_size, sum(found["rows"].values()), len(uploads), tuple(sorted(sealed)))


def _uploads() -> dict[str, Path]:
    root = Path(settings.MEDIA_ROOT)
    return {
        path.relative_to(root).as_posix(): path
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.startswith("incoming-")
    }


def _enough_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Trouble(
            f"There is not enough room in {folder.parent}: up to {needed / 1e6:,.0f} MB are needed, {free / 1e6:,.0f} MB are free. "
            "Nothing was left behind. Make room there, or name a folder on another disk, and repeat."
        )


def examine(path: Path, *, said: Say = lambda line: None) -> dict[str, Any]:
    """Prove an archive without an installation: every member's hash, and the database as far as it can be read here.

    Returns what the archive says of itself. Raises Trouble with the first fault.
    """
    about = archive.read_about(path)
    own = store()
    with tempfile.TemporaryDirectory(prefix="xiezhi-verify-") as folder, room_on(Path(folder)):
        wanted = about["database"]["member"]
        archive.unpack(path, Path(folder), said, only={wanted})
        if own.kind == about["database"]["kind"]:
            found = own.examine(Path(folder) / wanted)
            _compare(path, about, found)
    return about


def _compare(path: Path, about: dict[str, Any], found: dict[str, Any] | None) -> None:
    lines = differences(about, found) if found else []
    if lines:
        raise Trouble(f"{path} contradicts itself:\n  " + "\n  ".join(lines))


def restore_backup(
    path: Path, *, passphrase: Callable[[], str | None], own: Store | None = None, said: Say = lambda line: None
) -> dict[str, Any]:
    """Put an archive into an empty installation, as it was; migrating it up is the caller's next step. Returns what the archive says.

    `passphrase` is asked for when there are keys to open; None leaves them. Raises Trouble before anything is changed: the place is not
    empty, the archive is damaged, of a newer version, of another kind of database, or the passphrase is wrong.
    """
    own = own or store()
    about = archive.read_about(path)
    _refuse_newer(path, about)
    _refuse_other_kind(path, about, own)
    _refuse_occupied(own)
    phrase = passphrase() if about["keys"]["sealed"] else None
    data = Path(settings.DATA)
    data.mkdir(parents=True, exist_ok=True)
    with room_on(data), tempfile.TemporaryDirectory(prefix=".restoring-", dir=data) as folder:
        staging = Path(folder)
        archive.unpack(path, staging, said)
        if phrase is not None:
            keys.unseal((staging / archive.KEYS).read_bytes(), phrase, staging / "keys-opened")
        _compare(path, about, own.examine(staging / own.member))
        connections.close_all()
        try:
            _compare(path, about, own.load(staging / own.member))
        except Trouble as trouble:  # only a server can tell so late, and only of an archive that somebody made up
            raise Trouble(f"{trouble}\nIt was loaded all the same: empty the database before you try again.") from None
        _move_all(staging / UPLOADS, Path(settings.MEDIA_ROOT))
        _move_all(staging / "keys-opened", data)
    return about


def _move_all(source: Path, target: Path) -> None:
    if not source.is_dir():
        return
    for path in sorted(each for each in source.rglob("*") if each.is_file()):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place) if path.stat().st_dev == place.parent.stat().st_dev else shutil.move(path, place)


def _refuse_newer(path: Path, about: dict[str, Any]) -> None:
    on_disk = MigrationLoader(None).disk_migrations
    known = {*on_disk, *(old for migration in on_disk.values() for old in migration.replaces)}
    strange = [
        f"{app} {name}" for app, names in about["migrations"].items() for name in names if (app, name) not in known
    ]
    if strange:
        raise Trouble(
            f"{path} was made by Xiezhi {about['version']}, which is newer than this one ({__version__}): "
            f"its database has changes that are not known here ({', '.join(strange[:3])}{' …' if strange[3:] else ''}). "
            "Install that version or a newer one, then restore. Nothing was changed."
        )


def _refuse_other_kind(path: Path, about: dict[str, Any], own: Store) -> None:
    kind = about["database"]["kind"]
    if kind != own.kind:
        mend = "Name a PostgreSQL database in DATABASE_URL" if kind == "postgresql" else "Leave DATABASE_URL unset"
        raise Trouble(
            f"{path} holds a {kind} database, but this installation uses {own.kind}. {mend}. Nothing was changed."
        )


def _refuse_occupied(own: Store) -> None:
    held = []
    if not own.is_empty():
        held.append("the database has tables")
    if _uploads():
        held.append(f"{settings.MEDIA_ROOT} has files")
    if held:
        raise Trouble(
            f"This place is not empty: {' and '.join(held)}. A restore overwrites nothing. "
            "Name a new folder in XIEZHI_DATA (and for PostgreSQL a new database in DATABASE_URL)."
        )
