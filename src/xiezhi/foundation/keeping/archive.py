"""The tar file itself. First member `backup.json`, last `SHA256SUMS`, which covers all the others: unpacked by hand, `sha256sum -c` proves it."""

import hashlib
import io
import json
import os
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from xiezhi.foundation.keeping.trouble import Trouble, room_on

ABOUT, SUMS, KEYS = "backup.json", "SHA256SUMS", "keys.sealed"
FORMAT = 1
SUFFIXES = (".tar.gz", ".tgz", ".tar")
ONE_PIECE = 1024 * 1024


class _Hashing:
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.sum = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self.file.read(size)
        self.sum.update(piece)
        return piece


class Archive:
    """An archive that is being written."""

    def __init__(self, tar: tarfile.TarFile, staging: Path) -> None:
        self.tar, self.staging = tar, staging
        self.sums: dict[str, str] = {}

    def add(self, name: str, path: Path) -> None:
        """Add the file at `path` as member `name`."""
        with path.open("rb") as file:
            self._add(name, file, os.fstat(file.fileno()).st_size)

    def add_bytes(self, name: str, content: bytes) -> None:
        """Add a member of that content."""
        self._add(name, io.BytesIO(content), len(content))

    def _add(self, name: str, file: IO[bytes], size: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, int(time.time())
        hashing = _Hashing(file)
        self.tar.addfile(info, hashing)
        self.sums[name] = hashing.sum.hexdigest()


@contextmanager
def writing(target: Path) -> Iterator[Archive]:
    """An archive to add members to, and a folder beside it for what must be staged; it gets its name when all of it is on the disk.

    Nothing is left when the body raises. Raises Trouble for a name that will not do, and when the disk is full.
    """
    _refuse(target)
    with room_on(target.parent), _folder_beside(target) as folder:
        staging = Path(folder)
        part = staging / "part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with _tar(file, plain=target.name.endswith(".tar")) as tar:
                archive = Archive(tar, staging)
                yield archive
                lines = "".join(f"{digest}  {name}\n" for name, digest in archive.sums.items())
                archive.add_bytes(SUMS, lines.encode())
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)


def _tar(file: IO[bytes], *, plain: bool) -> tarfile.TarFile:
    if plain:
        return tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)
    return tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT, compresslevel=6)


def _refuse(target: Path) -> None:
    if not target.name.endswith(SUFFIXES):
        raise Trouble(f"{target.name}: name a file that ends in .tar.gz or .tar, or a folder that is there.")
    if not target.parent.is_dir():
        raise Trouble(f"There is no folder {target.parent}. Make it first (mkdir -p), then repeat.")
    if target.exists():
        raise Trouble(f"{target} exists; a backup overwrites nothing. Name another file.")


def _folder_beside(target: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix=".xiezhi-backup-", dir=target.parent)
    except PermissionError:
        raise Trouble(f"This user may not write into {target.parent}.") from None


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, "r|*") as tar:
            yield tar
    except FileNotFoundError:
        raise Trouble(f"There is no file {path}.") from None
    except PermissionError:
        raise Trouble(f"This user may not read {path}.") from None
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise Trouble(
            f"{path} is not a whole backup ({error}). Take another copy of it. Nothing was changed."
        ) from None


def read_about(path: Path) -> dict[str, Any]:
    """What the archive says of itself. Raises Trouble for a file that is no backup, or one of a format not known here."""
    with _opened(path) as tar:
        first = tar.next()
        file = tar.extractfile(first) if first and first.name == ABOUT else None
        if file is None:
            raise Trouble(f"{path} is not a backup made by Xiezhi: it does not begin with {ABOUT}.")
        about: dict[str, Any] = json.loads(file.read())
    if about.get("format", 0) > FORMAT:
        raise Trouble(
            f"{path} was made by Xiezhi {about.get('version')}, whose format this one cannot read. "
            "Install that version or a newer one. Nothing was changed."
        )
    return about


def unpack(
    path: Path, into: Path, said: Callable[[str], object] = lambda name: None, *, only: set[str] | None = None
) -> dict[str, str]:
    """Read the whole archive, prove every member against SHA256SUMS, and write them (or those named in `only`) below `into`.

    Returns the sums. Raises Trouble naming the first member that is altered, unexpected or missing.
    """
    found: dict[str, str] = {}
    listed: dict[str, str] = {}
    with _opened(path) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isreg() else None
            if file is None or member.name in found or not _harmless(member.name):
                raise Trouble(f"{path} holds {member.name!r}, which no backup has. Nothing was changed.")
            said(member.name)
            if member.name == SUMS:
                listed = dict(reversed(line.split("  ", 1)) for line in file.read().decode().splitlines())  # type: ignore[misc]
                continue
            found[member.name] = _copy(file, into / member.name if only is None or member.name in only else None)
    for name in sorted({*found, *listed}):
        if found.get(name) != listed.get(name):
            what = "is missing" if name not in found else "is not listed" if name not in listed else "was altered"
            raise Trouble(f"{path} is not whole: {name} {what}. Take another copy of it. Nothing was changed.")
    return found


def _harmless(name: str) -> bool:
    return not name.startswith("/") and ".." not in Path(name).parts


def _copy(source: IO[bytes], target: Path | None) -> str:
    total = hashlib.sha256()
    if target is None:
        while piece := source.read(ONE_PIECE):
            total.update(piece)
        return total.hexdigest()
    target.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while piece := source.read(ONE_PIECE):
            total.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return total.hexdigest()
