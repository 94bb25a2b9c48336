"""The keys that personal data is sealed under: one file in the data folder that only its owner may read, or XIEZHI_PERSONAL_KEYS.

Either is a list of `name:key`. `index` keys the digests by which sealed values are found, and stays; the other names are keys for sealing,
newest first. A process notices a changed file at its next use, so nothing has to be started again when keys are changed.
"""

import base64
import os
import secrets
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

NAME = "personal_keys"
_INDEX = "index"


@dataclass(frozen=True)
class Ring:
    """`keys` by name, newest first: the first one seals, all of them open. `index`: the key of the digests."""

    index: bytes
    keys: dict[str, Fernet]

    @property
    def newest(self) -> str:
        """The name of the key that seals now."""
        return next(iter(self.keys))


def from_environment() -> bool:
    """Whether the keys are said in the environment, where no command can change them."""
    return bool(settings.PERSONAL_KEYS)


def place() -> Path:
    """The file of the keys."""
    return Path(settings.DATA) / NAME


def ring() -> Ring:
    """The keys in force; made at first use. Raises ImproperlyConfigured where they cannot be read."""
    if from_environment():
        return _parsed(settings.PERSONAL_KEYS)
    path = place()
    try:
        about = path.stat()
    except FileNotFoundError:
        _write(path, f"{_INDEX}:{_fresh()}\n{_named_anew()}:{_fresh()}\n", only_first=True)
        about = path.stat()
    return _read(path, about.st_mtime_ns, about.st_size, about.st_ino)


def add_key() -> str:
    """Put a new key in front; returns its name. Raises ImproperlyConfigured where the keys stand in the environment."""
    _of_file()
    ring()
    index, *keys = place().read_text().split()
    name = _named_anew()
    _write(place(), "\n".join([index, f"{name}:{_fresh()}", *keys]) + "\n")
    return name


def drop_keys(names: set[str]) -> None:
    """Forget keys that nothing is sealed under any more; never the newest. Raises ImproperlyConfigured as `add_key`."""
    _of_file()
    names = names - {ring().newest}
    kept = [line for line in place().read_text().split() if line.partition(":")[0] not in names]
    _write(place(), "\n".join(kept) + "\n")


def _of_file() -> None:
    if from_environment():
        raise ImproperlyConfigured(
            "the keys are in XIEZHI_PERSONAL_KEYS: add or remove them there, then start the processes again"
        )


def _fresh() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _named_anew() -> str:
    return f"k{secrets.token_hex(4)}"


def _write(path: Path, text: str, *, only_first: bool = False) -> None:
    """All of it or nothing, for nobody else's eyes; with `only_first` another process's file wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=f".{NAME}-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if only_first:
            try:
                os.link(made, path)
            except FileExistsError:
                return
        else:
            Path(made).replace(path)
    finally:
        Path(made).unlink(missing_ok=True)


@lru_cache(maxsize=8)
def _read(path: Path, *_stamp: int) -> Ring:
    return _parsed(path.read_text())


@lru_cache(maxsize=8)
def _parsed(text: str) -> Ring:
    index, keys = b"", {}
    for entry in text.replace(",", " ").split():
        name, _, key = entry.partition(":")
        try:
            if name == _INDEX:
                index = base64.urlsafe_b64decode(key)
            else:
                keys[name] = Fernet(key)
        except ValueError:
            raise ImproperlyConfigured(f"the personal-data key {name!r} is not 32 bytes in URL-safe base64") from None
    if len(index) < 32 or not keys or any("." in name or not name for name in keys):
        raise ImproperlyConfigured("personal-data keys: write index:KEY and at least one NAME:KEY, newest first")
    return Ring(index, keys)
