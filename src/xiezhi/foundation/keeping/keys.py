"""The small files of a data folder beside database and uploads: the secret key, signing keys, whatever a room keeps there.

A backup without them cannot be used, and a backup with them in the clear would give them to everybody who holds it. So they travel sealed
under a passphrase: scrypt, then Fernet (AES-128-CBC with HMAC-SHA256).
"""

import base64
import hashlib
import hmac
import json
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from xiezhi.foundation.keeping.trouble import Trouble

REMADE = {"static", "run", "files", "search", "demo-files"}
"""Folders that are kept otherwise (uploads) or made again at the next start."""
SHORTEST_PASSPHRASE = 10
MOST_BYTES = 20 * 1024 * 1024
COST = 2**15


def key_files(data: Path) -> dict[str, Path]:
    """What is to be sealed, by its path below the data folder: everything but databases and what REMADE names."""
    found = {}
    for path in sorted(data.rglob("*")):
        name = path.relative_to(data)
        passed = name.parts[0] in REMADE or name.parts[0].startswith(".") or ".sqlite3" in path.name
        if path.is_file() and not path.is_symlink() and not passed:
            found[name.as_posix()] = path
    return found


def seal(files: dict[str, Path], passphrase: str) -> bytes:
    """The files' content and modes under `passphrase`. Raises Trouble for a short one, or when the files are too large to be keys."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise Trouble(f"The passphrase is too short: take at least {SHORTEST_PASSPHRASE} characters.")
    sizes = {name: path.stat().st_size for name, path in files.items()}
    if sum(sizes.values()) > MOST_BYTES:
        largest = max(sizes, key=lambda name: sizes[name])
        raise Trouble(
            f"{largest} in the data folder is {sizes[largest]:,} bytes, too large to be a key. "
            "Move what does not belong there to another folder, then repeat."
        )
    bundle = {
        name: {"mode": path.stat().st_mode & 0o777, "content": base64.b64encode(path.read_bytes()).decode()}
        for name, path in files.items()
    }
    salt = os.urandom(16)
    token = Fernet(_key(passphrase, salt, COST)).encrypt(json.dumps(bundle).encode())
    return json.dumps(
        {"kdf": "scrypt", "n": COST, "salt": base64.b64encode(salt).decode(), "fernet": token.decode()}
    ).encode()


def unseal(content: bytes, passphrase: str, into: Path) -> list[str]:
    """Write the files of a sealed bundle below `into` with their modes; returns their names. Raises Trouble for a wrong passphrase."""
    told = json.loads(content)
    try:
        key = _key(passphrase, base64.b64decode(told["salt"]), int(told["n"]))
        bundle = json.loads(Fernet(key).decrypt(told["fernet"].encode()))
    except InvalidToken:
        raise Trouble("The passphrase does not open this backup's keys. Nothing was changed.") from None
    for name, entry in bundle.items():
        place = (into / name).resolve()
        if not place.is_relative_to(into.resolve()):
            raise Trouble(f"The sealed keys name a place outside the data folder: {name}. Nothing was changed.")
        place.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(base64.b64decode(entry["content"]))
        place.chmod(entry["mode"])
    return sorted(bundle)


def _key(passphrase: str, salt: bytes, cost: int) -> bytes:
    return base64.urlsafe_b64encode(Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase.encode()))


def key_check(secret: str) -> str:
    """Eight digits that tell one secret key from another and give nothing of it away."""
    return hmac.new(secret.encode(), b"xiezhi backup", hashlib.sha256).hexdigest()[:8]


def secret_in_force(data: Path) -> str:
    """The secret key that a process started now would have."""
    return os.environ.get("XIEZHI_SECRET_KEY") or (data / "secret_key").read_text().strip()
