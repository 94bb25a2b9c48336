"""The key that signs the daily head, and the file in which heads lie outside the database.

Under `<XIEZHI_DATA>/audit/`: `private.pem` (only its owner may read it), one `public-<id>.pem` per key there ever was, and `heads.jsonl`,
one signed head a line. A head is signed as its canonical JSON without the signature.
"""

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from django.conf import settings

SIGNED = ("on", "sequence", "digest", "algorithm", "signed_at", "key_id")
"""What a signature covers, in the order of a line of heads.jsonl."""


class KeyTrouble(Exception):
    """The signing key is missing or not a key. The message says where and what to do."""


def folder() -> Path:
    """Where keys and heads lie."""
    return Path(settings.DATA) / "audit"


def heads_file() -> Path:
    """The heads, one JSON object a line, oldest first."""
    return folder() / "heads.jsonl"


def key_id(public: Ed25519PublicKey) -> str:
    """The first 16 hexadecimal digits of SHA-256 over the raw public key: short enough to read out on the telephone."""
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def make_key() -> Ed25519PrivateKey:
    """The key of this installation: what is there, or a new one written beside its public half. Safe when two start at once."""
    place = folder() / "private.pem"
    if place.exists():
        return private_key()
    folder().mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    public = key.public_key()
    (folder() / f"public-{key_id(public)}.pem").write_bytes(
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was first; its public key lies beside ours
        return private_key()
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def private_key() -> Ed25519PrivateKey:
    """The key that signs. Raises KeyTrouble when it is missing or unreadable."""
    place = folder() / "private.pem"
    try:
        key = load_pem_private_key(place.read_bytes(), password=None)
    except FileNotFoundError:
        raise KeyTrouble(
            f"{place} is missing: restore it from the backup, or begin a new key with `xiezhi audit new-key`"
        ) from None
    except (OSError, ValueError) as error:
        raise KeyTrouble(f"{place} cannot be used ({error}): restore it from the backup") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyTrouble(f"{place} is not an Ed25519 key: restore it from the backup")
    return key


def set_aside() -> Path | None:
    """Move the present private key out of the way, so that a new one can be made; its public half stays to verify old heads."""
    place = folder() / "private.pem"
    if not place.exists():
        return None
    old = folder() / f"private-{key_id(private_key().public_key())}.old.pem"
    place.rename(old)
    return old


def read_public_key(path: Path) -> Ed25519PublicKey:
    """The public key in a PEM file. Raises KeyTrouble."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise KeyTrouble(f"{path} is not a public key: {error}") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyTrouble(f"{path} is not an Ed25519 public key")
    return key


def public_keys() -> dict[str, Ed25519PublicKey]:
    """Every public key in the folder by its id. Raises KeyTrouble for a file that is none."""
    keys = (read_public_key(path) for path in sorted(folder().glob("public-*.pem")))
    return {key_id(key): key for key in keys}


def content(head: Mapping[str, Any]) -> bytes:
    """What is signed: canonical JSON of a head without its signature."""
    return json.dumps({name: head[name] for name in SIGNED}, sort_keys=True, separators=(",", ":")).encode()


def sign(head: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    """The signature of a head, in base64."""
    return base64.b64encode(key.sign(content(head))).decode()


def is_signed_by(head: Mapping[str, Any], key: Ed25519PublicKey) -> bool:
    """Whether the head's signature is this key's."""
    try:
        key.verify(base64.b64decode(head["signature"], validate=True), content(head))
    except (InvalidSignature, ValueError, KeyError):
        return False
    return True


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The heads in a file; none when it is not there. Raises KeyTrouble naming the line that is no head."""
    if not path.exists():
        return
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        try:
            head = json.loads(line)
            content(head), head["signature"]
        except (ValueError, KeyError, TypeError):
            raise KeyTrouble(f"{path}, line {number}: not a signed head") from None
        yield head
