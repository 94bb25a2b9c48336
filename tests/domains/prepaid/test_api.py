"""The till interface: signed requests, keys with scopes that end, replays, batches whole or not at all."""

import hashlib
import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import polars
import pytest
import time_machine
from django.test import Client

from tests.builders.cast import NOW
from tests.builders.prepaid import World, balances
from xiezhi.domains.prepaid.models import ApiKey, Card, Entry
from xiezhi.domains.prepaid.queries.verification import verify_books
from xiezhi.domains.prepaid.services import keys
from xiezhi.foundation.workflow.errors import Refused

ROOT = "/api/prepaid/v1"
Till = Callable[..., Any]


def key_for(world: World, *scopes: str, **facts: Any) -> ApiKey:
    wanted = scopes or tuple(ApiKey.Scope.values)
    return keys.issue_key(merchant=world.merchant, label="一号机", scopes=wanted, actor=world.owner, at=NOW, **facts)


def till_for(key: ApiKey) -> Till:
    """`till("post", "/cards", {...}, key="k1", at=…, secret=…)`: one signed request."""

    def send(
        method: str, path: str, body: Any = None, *, idempotency: str = "", at: datetime = NOW, **more: Any
    ) -> Any:
        content = body if isinstance(body, bytes) else (json.dumps(body).encode() if body is not None else b"")
        moment = more.get("moment", str(int(at.timestamp())))
        signed = keys.signature(
            more.get("secret", keys.secret_of(key)),
            method=method,
            path=ROOT + path,
            moment=moment,
            body_digest=hashlib.sha256(more.get("signed_body", content)).hexdigest(),
        )
        headers = {"X-Key": more.get("name", key.name), "X-Time": moment, "X-Signature": signed}
        if idempotency:
            headers["Idempotency-Key"] = idempotency
        with time_machine.travel(more.get("server_at", at), tick=False):
            return Client(raise_request_exception=False).generic(
                method, ROOT + path, content, content_type=more.get("content_type", "application/json"), headers=headers
            )

    return send


@pytest.fixture
def till(world: World) -> Till:
    return till_for(key_for(world))


def sell(world: World, till: Till, paid: int = 10_000, **facts: Any) -> Any:
    code = world.product(**facts).code
    sale = {"product": code, "paid_fen": paid, "holder_name": "演示", "holder_phone": "19900000001"}
    return till("POST", "/cards", sale, idempotency="sale-1")


def test_a_till_sells_uses_and_asks(world: World, till: Till) -> None:
    sold = sell(world, till, bonus_fen=2_000)
    assert sold.status_code == 200, sold.content
    number = sold.json()["card"]
    assert sold.json()["after"] == {"principal_fen": 10_000, "bonus_fen": 2_000}
    assert "/my/open/" in sold.json()["holder_link"]
    used = till("POST", f"/cards/{number}/redemptions", {"amount_fen": 6_000}, idempotency="use-1").json()
    assert (used["after"], used["amount_fen"]) == ({"principal_fen": 5_000, "bonus_fen": 1_000}, 6_000)
    assert till("POST", f"/cards/{number}/redemptions", {"amount_fen": 6_000}, idempotency="use-1").json() == used
    asked = till("GET", f"/cards/{number}").json()
    assert (asked["principal_fen"], asked["bonus_fen"], asked["status"]) == (5_000, 1_000, "active")
    listed = till("GET", f"/cards/{number}/entries").json()
    assert [(each["purse"], each["change"]) for each in listed] == [
        ("bonus", -1_000),
        ("principal", -5_000),
        ("bonus", 2_000),
        ("principal", 10_000),
    ]
    back = till("POST", f"/operations/{used['operation']}/reversal", idempotency="rev-1").json()
    assert back["kind"] == "reversal"
    refunded = till("POST", f"/cards/{number}/refunds", {}, idempotency="ref-1")
    assert refunded.json()["after"] == {"principal_fen": 0, "bonus_fen": 0}
    assert till("POST", f"/cards/{number}/redemptions", {"amount_fen": 1}, idempotency="use-2").status_code == 409
    assert verify_books().faults == ()


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"secret": "0" * 64}, 401, "bad_signature"),
        ({"signed_body": b"{}"}, 401, "bad_signature"),
        ({"name": "xz-unknown"}, 401, "unknown_key"),
        ({"server_at": NOW + timedelta(minutes=6)}, 401, "clock_skew"),
        ({"server_at": NOW - timedelta(minutes=6)}, 401, "clock_skew"),
        ({"moment": "soon"}, 401, "clock_skew"),
        ({"moment": "9" * 30}, 401, "clock_skew"),
    ],
)
def test_forged_or_late_requests_do_nothing(
    world: World, till: Till, change: dict[str, Any], status: int, code: str
) -> None:
    sold = sell(world, till).json()
    before = Entry.objects.count()
    path = f"/cards/{sold['card']}/redemptions"
    answer = till("POST", path, {"amount_fen": 1}, idempotency="x", **change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Entry.objects.count() == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"amount_fen": 0}, 422, "invalid"),
        ({"amount_fen": -1}, 422, "invalid"),
        ({"amount_fen": 12.5}, 422, "invalid"),
        ({"amount_fen": "100"}, 422, "invalid"),
        ({"amount_fen": 2**63}, 422, "invalid"),
        ({"amount_fen": 2**200}, 422, "invalid"),
        ({"amount_fen": True}, 422, "invalid"),
        ({"amount": 100}, 422, "invalid"),
        ({}, 422, "invalid"),
        ({"amount_fen": 1, "uses": 1}, 422, "invalid"),
        ({"amount_fen": 10_001}, 409, "insufficient_balance"),
        ({"uses": 1}, 400, "refused"),
    ],
)
def test_amounts_that_cannot_be_are_clear_errors(
    world: World, till: Till, body: dict[str, Any], status: int, code: str
) -> None:
    number = sell(world, till).json()["card"]
    answer = till("POST", f"/cards/{number}/redemptions", body, idempotency="x")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert balances(Card.objects.get())["principal"] == 10_000


def test_the_same_key_for_something_else_is_an_error(world: World, till: Till) -> None:
    number = sell(world, till).json()["card"]
    till("POST", f"/cards/{number}/redemptions", {"amount_fen": 1}, idempotency="x")
    answer = till("POST", f"/cards/{number}/redemptions", {"amount_fen": 2}, idempotency="x")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert till("POST", f"/cards/{number}/redemptions", {"amount_fen": 1}).status_code == 422


def test_a_key_does_what_its_scopes_say_until_it_ends(world: World) -> None:
    key = key_for(world, "read", "redeem", expires_at=NOW + timedelta(days=1))
    till = till_for(key)
    card = world.sale(paid=10_000).card
    path = f"/cards/{card.number}"
    assert till("GET", path).status_code == 200
    assert till("POST", f"{path}/refunds", {}, idempotency="x").status_code == 403
    assert till("POST", f"{path}/top-ups", {"paid_fen": 1}, idempotency="x").status_code == 403
    assert till("GET", path, at=NOW + timedelta(days=2)).json()["code"] == "key_expired"
    new = keys.rotate_key(key=key, actor=world.owner, at=NOW)
    assert till("GET", path).status_code == 200
    assert till_for(new)("GET", path).status_code == 200
    keys.revoke_key(key=new, actor=world.owner, at=NOW)
    assert till_for(new)("GET", path).json()["code"] == "key_revoked"
    with pytest.raises(Refused):
        keys.rotate_key(key=new, actor=world.owner, at=NOW)
    with pytest.raises(Refused):
        key_for(world, "everything")


def test_too_many_requests_are_told_to_wait(world: World) -> None:
    key = key_for(world)
    ApiKey.objects.filter(pk=key.pk).update(per_minute=3)
    till = till_for(key)
    assert [till("GET", "/products").status_code for _time in range(5)] == [200, 200, 200, 429, 429]
    assert till("GET", "/products", at=NOW + timedelta(minutes=1)).status_code == 200


def test_another_merchants_cards_are_not_there(world: World, other_world: World, till: Till) -> None:
    card = other_world.sale(paid=10_000).card
    assert till("GET", f"/cards/{card.number}").status_code == 404
    used = other_world.redeem(card, amount_fen=1)
    assert till("POST", f"/operations/{used.operation + 500}/reversal", idempotency="x").status_code == 404


CSV = "key,card,amount_fen\n"


def test_a_batch_is_posted_whole_once_and_a_second_time_changes_nothing(world: World, till: Till) -> None:
    first, second = world.sale(paid=10_000, bonus_fen=1_000).card, world.sale(paid=10_000).card
    rows = f"a,{first.number},2200\nb,{second.number},10000\nc,{first.number},8800\n"
    done = till("POST", "/batches", (CSV + rows).encode(), content_type="text/csv")
    assert done.json() == {"rows": 3, "posted": 3, "replayed": 0, "refused": []}
    before = Entry.objects.count()
    again = till("POST", "/batches", (CSV + rows).encode(), content_type="text/csv")
    assert again.json() == {"rows": 3, "posted": 0, "replayed": 3, "refused": []}
    assert Entry.objects.count() == before
    assert balances(first) == {"principal": 0, "bonus": 0, "uses": 0}
    assert verify_books().faults == ()


def test_one_refused_row_keeps_the_whole_file_out_and_every_refused_row_is_named(world: World, till: Till) -> None:
    card, held = world.sale(paid=10_000).card, world.sale(paid=10_000, confirm_each=True).card
    before = Entry.objects.count()
    rows = [f"a,{card.number},100", "b,0000,100", f"c,{card.number},0", f"d,{card.number},1.5"]
    rows += [f"e,{card.number},99999999", f"f,{held.number},100", f"!,{card.number},1"]
    done = till("POST", "/batches", (CSV + "\n".join(rows)).encode(), content_type="text/csv")
    assert done.status_code == 409
    assert [(row["number"], row["code"]) for row in done.json()["refused"]] == [
        (2, "refused"),
        (3, "bad_amount"),
        (4, "bad_amount"),
        (5, "insufficient_balance"),
        (6, "refused"),
        (7, "refused"),
    ]
    assert Entry.objects.count() == before


def test_parquet_is_read_as_well(world: World, till: Till) -> None:
    card = world.sale(kind="count", paid=900, uses=3).card
    file = io.BytesIO()
    polars.DataFrame({"key": ["a", "b"], "card": [card.number] * 2, "uses": [1, 2]}).write_parquet(file)
    done = till("POST", "/batches", file.getvalue(), content_type="application/vnd.apache.parquet")
    assert done.json()["posted"] == 2
    assert balances(card) == {"principal": 0, "bonus": 0, "uses": 0}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x01",
        b"PAR1xxxx",
        b"key,card\n",
        b"key,card,amount_fen,colour\n",
        CSV.encode(),
        (CSV + "a,1,2\na,1,2\n").encode(),
    ],
)
def test_files_that_are_no_batch_are_refused(world: World, till: Till, content: bytes) -> None:
    answer = till("POST", "/batches", content, content_type="text/csv")
    assert answer.status_code == 400, answer.content
    assert answer.json()["message"]


def test_a_batch_beyond_the_limit_is_refused_unread(world: World, till: Till, settings: Any) -> None:
    settings.UPLOAD_LIMIT_MB = 1
    answer = till("POST", "/batches", b"x" * (1024 * 1024 + 1), content_type="text/csv")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_the_description_names_every_path(client: Client) -> None:
    described = client.get(f"{ROOT}/openapi.json").json()
    assert set(described["paths"]) >= {f"{ROOT}/cards", f"{ROOT}/cards/{{number}}/redemptions", f"{ROOT}/batches"}
    assert "409" in described["paths"][f"{ROOT}/cards/{{number}}/redemptions"]["post"]["responses"]
