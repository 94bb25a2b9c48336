"""Sealed where it lies, opened with a trace, gone when its time is over."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import connection

from tests.builders.cast import NOW, Cast, make_cast
from tests.builders.prepaid import World
from xiezhi.domains.prepaid.models import Holder
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.accounts.phones import digest as phone_of_account
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.jobs.services import run
from xiezhi.foundation.notices.models import ChannelKind, Wish
from xiezhi.foundation.notices.sealing import unseal as unseal_address
from xiezhi.foundation.privacy import keyring, sealing, services
from xiezhi.foundation.privacy.models import Opening, Request
from xiezhi.foundation.privacy.queries import dry_run, rows_of
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused

PHONE, NAME = "19912345678", "演示持卡人"


@pytest.fixture(autouse=True)
def own_keys(settings: Any, tmp_path: Path) -> Path:
    settings.DATA = tmp_path
    return tmp_path


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


def lying_in_the_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone, phone_digest FROM prepaid_holder WHERE phone <> ''")
        return " ".join(str(row) for row in cursor.fetchall())


def test_keys_are_their_owners_alone_and_old_ones_still_open(own_keys: Path, settings: Any) -> None:
    old = sealing.seal(PHONE)
    assert keyring.place().stat().st_mode & 0o777 == 0o600
    assert PHONE not in old and sealing.seal(PHONE) != old and sealing.unseal(old) == PHONE
    found_by = sealing.digest("x", PHONE)
    assert keyring.add_key() == sealing.key_of(sealing.seal("a")) != sealing.key_of(old)
    assert sealing.unseal(old) == PHONE and sealing.digest("x", PHONE) == found_by != sealing.digest("y", PHONE)
    keyring.drop_keys({sealing.key_of(old), keyring.ring().newest})
    with pytest.raises(sealing.Unreadable, match="personal_keys"):
        sealing.unseal(old)
    fresh = sealing.seal(PHONE)
    settings.PERSONAL_KEYS = keyring.place().read_text()
    keyring.place().unlink()
    assert sealing.unseal(fresh) == PHONE
    with pytest.raises(keyring.ImproperlyConfigured, match="XIEZHI_PERSONAL_KEYS"):
        keyring.add_key()


@pytest.mark.parametrize("text", ["index:abc,k1:def", "k1:x", "index:" + "A" * 44])
def test_keys_that_are_none_are_refused_by_name(settings: Any, text: str) -> None:
    settings.PERSONAL_KEYS = text
    with pytest.raises(keyring.ImproperlyConfigured, match="key"):
        keyring.ring()


def test_a_telephone_number_is_sealed_found_and_resealed(cast: Cast) -> None:
    world = World(cast)
    sale = world.sell(world.product(), 10_000, phone="199 1234-5678")
    assert "1234" not in lying_in_the_database()
    assert world.sell(world.product(), 10_000, phone=f"+86{PHONE}").card.holder == sale.card.holder
    assert Holder.objects.get(pk=sale.card.holder_id).phone == "199 1234-5678"
    with pytest.raises(FieldError, match="digest"):
        Holder.objects.filter(phone=PHONE)

    secret = sealing.under_secret(b"xiezhi.notices.addresses:").encrypt(b"someone@example.cn").decode()
    wish = Wish.objects.create(
        user=cast.people["administrator"], channel=ChannelKind.MAIL, sealed_address=secret, changed_at=NOW
    )
    old = keyring.ring().newest
    call_command("keys", "rotate")
    run(Job.objects.get(kind="privacy.reseal").pk)
    assert Job.objects.get(kind="privacy.reseal").result == {"resealed": 2}
    assert set(services.rows_by_key()) == {keyring.ring().newest} != {old}
    call_command("keys", "retire")
    assert old not in keyring.ring().keys
    wish.refresh_from_db()
    assert unseal_address(wish.sealed_address) == "someone@example.cn"
    assert Holder.objects.get(pk=sale.card.holder_id).phone == "199 1234-5678"


def test_opening_leaves_a_trace_that_holds_nothing(cast: Cast) -> None:
    world = World(cast)
    holder = world.sell(world.product(), 10_000, phone=PHONE).card.holder
    User.objects.filter(pk=cast.people["scjg.head"].pk).update(phone_digest=phone_of_account(PHONE))
    with pytest.raises(PermissionRefused):
        services.open_row(row=holder, reason="", actor=cast.actor("administrator"), at=NOW)
    clerk = replace(
        world.owner,
        user_id=cast.people["xfjy.planner"].pk,
        membership_id=cast.actor("xfjy.planner").membership_id,
    )
    shown = services.open_row(row=holder, reason="核对退款", actor=clerk, at=NOW)
    assert shown == {"姓名": NAME, "手机号": PHONE}
    opening = Opening.objects.get()
    assert (opening.by_id, opening.reason, opening.fields) == (clerk.user_id, "核对退款", ["name", "phone"])
    assert opening in Opening.objects.visible_to(cast.actor("scjg.head"))
    assert opening not in Opening.objects.visible_to(cast.actor("xfjy.head"))
    written = json.dumps(list(Entry.objects.values_list("payload", flat=True))) + str(opening.__dict__)
    assert PHONE not in written and NAME not in written


def test_a_person_gets_a_copy_and_what_nothing_keeps_is_erased(cast: Cast) -> None:
    world = World(cast)
    sale = world.sell(world.product(), 10_000, phone=PHONE)
    gone = world.sell(world.product(), 10_000, phone="19987654321")
    admin = cast.actor("administrator")
    with pytest.raises(Refused, match="7 位"):
        services.enter_request(found_by="phone", sought="12", identity="当面", actor=admin, at=NOW)
    with pytest.raises(PermissionRefused):
        services.enter_request(found_by="phone", sought=PHONE, identity="当面", actor=world.owner, at=NOW)

    asked = services.enter_request(found_by="phone", sought="199-1234-5678", identity="当面", actor=admin, at=NOW)
    assert [row for _holding, row in rows_of(asked)] == [sale.card.holder]
    copy = services.copy_for(request=asked, actor=admin, at=NOW)
    assert ("持卡人", sale.card.holder_id, "手机号", PHONE) in copy and Opening.objects.count() == 1
    with pytest.raises(Refused, match="勾选"):
        services.erase_for(request=asked, seen=2, actor=admin, at=NOW)
    done = services.erase_for(request=asked, seen=1, actor=admin, at=NOW)
    assert "没有停用的卡" in done.outcome[0]["kept"] and Holder.objects.get(pk=sale.card.holder_id).name == NAME
    assert done.sought == "" and not list(rows_of(done))
    with pytest.raises(AlreadyDone):
        services.close_request(request=done, actor=admin, at=NOW)

    world.refund(gone.card)
    assert [
        line.count for line in dry_run(NOW + timedelta(days=366 * 4)) if line.holding.model == "prepaid.holder"
    ] == [0]
    later = NOW + timedelta(days=366 * 5 + 2)
    assert [line.count for line in dry_run(later) if line.holding.model == "prepaid.holder"] == [1]
    again = services.enter_request(found_by="name", sought=NAME, identity="当面", actor=admin, at=later)
    report = services.erase_for(request=again, seen=2, actor=admin, at=later).outcome
    assert sorted(bool(each["kept"]) for each in report) == [False, True]
    holder = Holder.objects.get(pk=gone.card.holder_id)
    assert (holder.name, holder.phone, holder.phone_digest, holder.link) == ("", "", "", None)
    assert gone.card.number  # the ledger keeps the card
    assert services.erase_expired(at=later) == 0


def test_what_is_past_its_time_goes_by_itself_and_nothing_else(cast: Cast) -> None:
    world = World(cast)
    gone, stays = (world.sell(world.product(), 10_000, phone=f"1998765432{n}") for n in (1, 2))
    world.refund(gone.card)
    assert services.erase_expired(at=NOW + timedelta(days=365)) == 0
    assert services.erase_expired(at=NOW + timedelta(days=366 * 5 + 2)) == 1
    assert Holder.objects.get(pk=gone.card.holder_id).phone == ""
    assert Holder.objects.get(pk=stays.card.holder_id).phone == "19987654322"
    entry = Entry.objects.get(action="privacy.erased")
    assert entry.object_id == str(gone.card.holder_id) and entry.actor_user_id is None


def test_pages_for_administrators(cast: Cast, client: Any) -> None:
    world = World(cast)
    world.sell(world.product(), 10_000, phone=PHONE)
    client.force_login(cast.people["administrator"])
    for page in ("", "openings/", "retention/", "requests/", "requests/new/", "mine/"):
        assert client.get(f"/desk/privacy/{page}").status_code == 200
    answer = client.post("/desk/privacy/requests/new/", {"found_by": "phone", "sought": PHONE, "identity": "当面"})
    asked = Request.objects.get()
    assert answer["Location"] == f"/desk/privacy/requests/{asked.pk}/"
    page = client.get(answer["Location"]).content.decode()
    assert PHONE not in page and "199****5678" in page
    copy = client.post(f"{answer['Location']}copy/")
    assert json.loads(copy.content)[0]["手机号"] == PHONE and "no-store" in copy["Cache-Control"]
    assert client.post(f"{answer['Location']}copy/", {"format": "xlsx"}).status_code == 200
    assert client.post(f"{answer['Location']}erase/").status_code == 303, "not without having looked"
    assert client.post(f"{answer['Location']}erase/", {"seen": "1"}).status_code == 302
    assert "保留" in client.get(answer["Location"]).content.decode()
