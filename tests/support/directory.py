"""What an installation talks to when people sign in, on loopback: an OpenID Connect directory and an SMS gateway, both as small as they can be."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "xiezhi", "a-secret-of-the-test"


@dataclass
class Directory:
    """`says`: the claims of whoever signs in next; `spoil(claims)` alters the identity token before it is signed. `texts`: messages taken in."""

    says: dict[str, Any] = field(default_factory=dict)
    spoil: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    issuer: str = ""
    _key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    _granted: dict[str, dict[str, str]] = field(default_factory=dict)

    def grant(self, authorize: str) -> str:
        """What the directory's own page does after a successful login there: the address that leads back, with a code."""
        asked = {key: values[0] for key, values in parse_qs(urlsplit(authorize).query).items()}
        assert asked["client_id"] == CLIENT and asked["response_type"] == "code", asked
        code = secrets.token_urlsafe(12)
        self._granted[code] = asked
        back = urlsplit(asked["redirect_uri"]).path
        return f"{back}?code={code}&state={asked['state']}"

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path.endswith("openid-configuration"):
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        if path.endswith("/keys"):
            public = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
            return 200, {"keys": [{**public, "kid": "test", "alg": "RS256", "use": "sig"}]}
        if path.endswith("/token"):
            asked = self._granted.pop(form.get("code", ""), None)  # a code works once
            if asked is None or form.get("client_secret") != SECRET or not self._proves(asked, form):
                return 400, {"error": "invalid_grant"}
            return 200, {"access_token": "of-the-test", "token_type": "Bearer", "id_token": self._token()}
        if path.endswith("/userinfo"):
            return 200, self.says
        return 404, {}

    @staticmethod
    def _proves(asked: dict[str, str], form: dict[str, str]) -> bool:
        """PKCE: who fetches the token is who asked for the code."""
        import hashlib

        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked.get("code_challenge")

    def _token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, **self.says, **self.spoil}
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "test"})


@contextmanager
def directory() -> Iterator[Directory]:
    """A directory and gateway on a free port of this machine, gone at the end."""
    told = Directory()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            if self.path.startswith("/sms"):
                told.texts.append(body)
                self._send(200, {})
            else:
                self._say({key: values[0] for key, values in parse_qs(body).items()})

        def _say(self, form: dict[str, str]) -> None:
            self._send(*told.answer(urlsplit(self.path).path, form))

        def _send(self, status: int, content: dict[str, Any]) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
