"""Reading the environment: every switch has one name, one type and a loud complaint."""

import os
import secrets
import socket
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def flag(name: str, default: bool) -> bool:
    """The switch `name` as a truth value; raises ImproperlyConfigured for anything but 0/1/true/false."""
    text = os.environ.get(name, "").strip().lower()
    if not text:
        return default
    if text in {"1", "true", "yes"}:
        return True
    if text in {"0", "false", "no"}:
        return False
    raise ImproperlyConfigured(f"{name}={text!r}: write 1 or 0")


def choice(name: str, choices: tuple[str, ...]) -> str:
    """One of `choices`, the first unless told; raises ImproperlyConfigured for any other word."""
    text = os.environ.get(name, "").strip().lower() or choices[0]
    if text not in choices:
        raise ImproperlyConfigured(f"{name}={text!r}: write one of {', '.join(choices)}")
    return text


def words(name: str, default: list[str]) -> list[str]:
    """A comma-separated list."""
    text = os.environ.get(name, "")
    return [word.strip() for word in text.split(",") if word.strip()] or default


def secret(name: str, kept_in: Path) -> str:
    """The secret `name` from the environment or from a file that only its owner may read, made at first use."""
    if value := os.environ.get(name):
        return value
    if kept_in.exists():
        return kept_in.read_text().strip()
    kept_in.parent.mkdir(parents=True, exist_ok=True)
    value = secrets.token_urlsafe(50)
    try:
        descriptor = os.open(kept_in, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was first
        return kept_in.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(value)
    return value


def origin(address: str) -> str:
    """Scheme, host and port of an address; raises ImproperlyConfigured where it is none."""
    parts = urlsplit(address)
    if parts.scheme not in {"https", "http"} or not parts.netloc:
        raise ImproperlyConfigured(f"{address!r}: write a whole address, https://…")
    return f"{parts.scheme}://{parts.netloc}"


def directory(issuer: str) -> dict[str, Any]:
    """allauth's configuration of the district's OpenID Connect directory at `issuer`, from XIEZHI_OIDC_CLIENT_ID, _CLIENT_SECRET and _NAME;
    without an issuer there is none. Raises ImproperlyConfigured where something is missing, or the address is not https (but on this
    computer)."""
    if not issuer:
        return {"APPS": []}
    host = urlsplit(origin(issuer)).hostname
    if not issuer.startswith("https://") and host not in {"127.0.0.1", "localhost", "::1"}:
        raise ImproperlyConfigured("XIEZHI_OIDC_ISSUER: the directory must be asked over https")
    client, password = os.environ.get("XIEZHI_OIDC_CLIENT_ID", ""), os.environ.get("XIEZHI_OIDC_CLIENT_SECRET", "")
    if not client or not password:
        raise ImproperlyConfigured("XIEZHI_OIDC_ISSUER needs XIEZHI_OIDC_CLIENT_ID and XIEZHI_OIDC_CLIENT_SECRET")
    app = {
        "provider_id": "district",
        "name": os.environ.get("XIEZHI_OIDC_NAME", "统一身份认证"),
        "client_id": client,
        "secret": password,
        "settings": {"server_url": issuer},
    }
    return {"APPS": [app], "OAUTH_PKCE_ENABLED": True}


def mail_box(name: str) -> dict[str, Any]:
    """An IMAP box from `imaps://USER:PASSWORD@HOST[:PORT]/FOLDER`; empty where nothing is said. User and password are written as in any
    address (`%40` for `@`). Raises ImproperlyConfigured for anything else, and for a box that would be asked without TLS but on this
    computer."""
    text = os.environ.get(name, "").strip()
    if not text:
        return {}
    parts = urlsplit(text)
    if parts.scheme not in {"imaps", "imap"} or not parts.hostname or not parts.username or parts.password is None:
        raise ImproperlyConfigured(f"{name}: write imaps://USER:PASSWORD@HOST/FOLDER")
    if parts.scheme == "imap" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ImproperlyConfigured(f"{name}: the box must be asked over imaps")
    return {
        "tls": parts.scheme == "imaps",
        "host": parts.hostname,
        "port": parts.port or (993 if parts.scheme == "imaps" else 143),
        "user": unquote(parts.username),
        "password": unquote(parts.password),
        "folder": unquote(parts.path.strip("/")) or "INBOX",
    }


def free_port(wanted: int) -> int:
    """`wanted` if nobody listens there on 127.0.0.1, else a free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")
