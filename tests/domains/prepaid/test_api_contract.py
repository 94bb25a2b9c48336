"""The till interface keeps what its OpenAPI description promises, whatever is sent: requests that fit it, and requests that do not.

Schemathesis makes the requests and judges the answers: no 5xx, and no status, media type, header or field that is not described.
"""

import io
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

import pytest
import schemathesis
import time_machine
from django.core.handlers.wsgi import WSGIRequest
from django.test.client import ClientHandler
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.test import Client

from tests.builders.cast import NOW
from tests.builders.prepaid import World
from xiezhi.domains.prepaid.models import ApiKey
from xiezhi.domains.prepaid.queries.verification import verify_books
from xiezhi.domains.prepaid.services import keys

DESCRIPTION = "/api/prepaid/v1/openapi.json"
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
EXAMPLES = 6
"""Requests of each kind for each operation."""


class Till:
    """The application behind a till that signs whatever it sends, by the clock of the tests' world; notes what came back."""

    def __init__(self, key: ApiKey) -> None:
        self.key = key
        self.application = ClientHandler()
        self.statuses: set[int] = set()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        moment = str(int(NOW.timestamp()))
        signed = keys.signature(
            keys.secret_of(self.key),
            method=environ["REQUEST_METHOD"],
            path=WSGIRequest({**environ}).get_full_path(),
            moment=moment,
            body_digest=sha256(body).hexdigest(),
        )
        of_the_key = {"HTTP_X_KEY": self.key.name, "HTTP_X_TIME": moment, "HTTP_X_SIGNATURE": signed}

        with time_machine.travel(NOW, tick=False):
            answer = self.application({**environ, **of_the_key, "wsgi.input": io.BytesIO(body)})
        self.statuses.add(answer.status_code)
        start_response(f"{answer.status_code} {answer.reason_phrase}", list(answer.items()))
        return [answer.content]


def ask_everything(schema: Any, mode: GenerationMode, known: dict[str, Any]) -> None:
    """Fitting requests go to the objects that are `known` to be there, unfitting ones anywhere."""
    for found in schema.get_all_operations():
        operation = found.ok()
        fitting = mode is GenerationMode.POSITIVE
        parts = {name: known[name] for name in known if fitting and f"{{{name}}}" in operation.path}
        if not (fitting or operation.headers or operation.query):
            continue  # takes words only, of which none is unfit

        @settings(max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode, path_parameters=parts or None))
        def ask(case: Any) -> None:
            case.call_and_validate(checks=CHECKS)

        ask()


def key_of(world: World) -> ApiKey:
    """One that opens everything and is never told to wait."""
    scopes = tuple(ApiKey.Scope.values)
    key = keys.issue_key(merchant=world.merchant, label="一号机", scopes=scopes, actor=world.owner, at=NOW)
    ApiKey.objects.filter(pk=key.pk).update(per_minute=100_000)
    return key


@pytest.mark.parametrize(("mode", "expected"), [(GenerationMode.POSITIVE, 200), (GenerationMode.NEGATIVE, 422)])
def test_answers_are_as_described(world: World, mode: GenerationMode, expected: int) -> None:
    card = world.sale(paid=500_000).card
    used = world.redeem(card, amount_fen=1)
    till = Till(key_of(world))
    schema = schemathesis.openapi.from_wsgi(DESCRIPTION, till)
    till.statuses.clear()
    ask_everything(schema, mode, {"number": card.number, "operation": used.operation})
    assert expected in till.statuses
    assert verify_books().faults == ()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/cards", b'{"product": "\\u0000", "paid_fen": 1}', 422),
        ("POST", "/cards", b'{"product": "\\ud800", "paid_fen": 1}', 422),
        ("POST", "/cards", b'{"product": "CODE", "paid_fen": 1, "holder_name": "\\u0000"}', 422),
        ("POST", "/cards", b'{"product": "CODE", "paid_fen": 1, "holder_name": "\\ud800"}', 422),
        ("POST", "/cards", b'{"product"', 400),
        ("POST", "/cards", b"\xff", 400),
        ("GET", "/cards/%00", b"", 404),
        ("GET", "/cards/%F0%9F%92%B3", b"", 404),
        ("GET", f"/cards/NUMBER/entries?before={10**30}", b"", 422),
        ("POST", f"/operations/{10**30}/void", b"", 404),
        ("POST", "/operations/0/reversal", b"", 404),
    ],
)
def test_what_no_database_can_hold_is_told(world: World, method: str, path: str, body: bytes, status: int) -> None:
    """Of these the fuzzer thinks too seldom."""
    card = world.sale(paid=10_000).card
    path, body = path.replace("NUMBER", card.number), body.replace(b"CODE", card.product.code.encode())
    client = Client(Till(key_of(world)))
    headers = {"Idempotency-Key": "x", "Content-Type": "application/json"}
    answer = client.open(f"/api/prepaid/v1{path}", method=method, data=body, headers=headers)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert set(answer.json or {}) == {"code", "message"}
