"""A program of its own, working on the database that its environment names. Each command opens a merchant with one card.

`crowd <spenders>`: so many processes spend from one card, starting together; `victim`: spends for ever, telling each operation after it is
committed; `till`: leaves a card and a key to spend from it by the interface; `state <book>`: what stands; `tamper`: alters one row after another and tells what verification says. Answers are JSON lines.
"""

import itertools
import json
import multiprocessing
import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xiezhi.config.settings")

import django

django.setup()

from django.db import connection, connections, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from tests.builders import prepaid  # noqa: E402
from tests.builders.cast import NOW, Cast, make_cast  # noqa: E402
from tests.builders.prepaid import bare_card, bare_merchant  # noqa: E402
from xiezhi.domains.prepaid.ledger.drafts import Draft, Leg, Overdrawn, request_digest  # noqa: E402
from xiezhi.domains.prepaid.models import Account, ApiKey, Book, Entry, Merchant  # noqa: E402
from xiezhi.domains.prepaid.queries.verification import verify_books  # noqa: E402
from xiezhi.domains.prepaid.services import keys, posting  # noqa: E402
from xiezhi.foundation.access.models import Membership  # noqa: E402
from xiezhi.foundation.access.services import actor_for  # noqa: E402
from xiezhi.foundation.orgs.models import Organisation  # noqa: E402

FULL = 1_000
AMOUNT = 70
TIMES = 3
ALTERATIONS = (
    ("amount", "UPDATE prepaid_entry SET amount = amount {0} 1 WHERE sequence = 9", "+", "-"),
    ("at", "UPDATE prepaid_entry SET actor_user_id = {0} WHERE sequence = 9", "7", "NULL"),
    ("key", "UPDATE prepaid_entry SET key = '{0}' WHERE sequence = 9", "other", "s-7"),
    ("removed", "UPDATE prepaid_entry SET sequence = {0}", "9000 WHERE sequence = 9", "9 WHERE sequence = 9000"),
    ("total", "UPDATE prepaid_account SET credits = credits {0} 1 WHERE purse = 'earned'", "+", "-"),
    ("day", "UPDATE prepaid_book SET owed = owed {0} 1", "+", "-"),
    ("tail", "UPDATE prepaid_book SET last_sequence = last_sequence {0} 1", "+", "-"),
)


def opened(fen: int) -> dict[str, int]:
    merchant = bare_merchant(the_cast())
    bare_card(merchant)
    ids = {each.purse: each.pk for each in Account.objects.filter(book_id=merchant.pk)}
    legs = (Leg(ids["funds"], ids["principal"], fen),)
    posting.post(Draft(merchant.pk, "purchase", legs, "first", request_digest({}), NOW), booked_at=NOW)
    return {"book": merchant.pk, **ids}


def the_cast() -> Cast:
    """Made by the first program that works on a database; the later ones need but the street and the registrar of it."""
    if not Organisation.objects.exists():
        return make_cast()
    prepaid._serials = itertools.count(820_001 + 100 * Merchant.objects.count())
    cast = Cast(Organisation.objects.get(kind="district"))
    cast.organisations = {each.code: each for each in Organisation.objects.all()}
    cast.actors = {"registrar": actor_for(Membership.objects.get(role="registrar"))}
    return cast


def spend(ids: dict[str, int], amount: int, key: str) -> int:
    now = timezone.now()
    legs = (Leg(ids["principal"], ids["earned"], amount),)
    return posting.post(
        Draft(ids["book"], "redemption", legs, key, request_digest({"key": key}), now), booked_at=now
    ).operation


def spender(ids: dict[str, int], name: str, barrier: Any, accepted: Any) -> None:
    connection.ensure_connection()
    barrier.wait(60)
    for number in range(TIMES):
        try:
            spend(ids, AMOUNT, f"{name}-{number}")
        except Overdrawn:
            continue
        with accepted.get_lock():
            accepted.value += 1


def crowd(spenders: int) -> None:
    ids = opened(FULL)
    connections.close_all()
    processes = multiprocessing.get_context("fork")
    barrier, accepted = processes.Barrier(spenders), processes.Value("i", 0)
    children = [processes.Process(target=spender, args=(ids, f"s{n}", barrier, accepted)) for n in range(spenders)]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
    tell({"codes": [child.exitcode for child in children], "accepted": accepted.value})
    state(ids["book"])


def victim() -> None:
    ids = opened(10**9)
    tell(ids)
    for number in range(10**6):
        tell([spend(ids, 1, f"v-{number}"), f"v-{number}"])


def till() -> None:
    world = prepaid.World(the_cast())
    card = world.sale(paid=500_000).card
    key = keys.issue_key(merchant=world.merchant, label="一号机", scopes=["redeem"], actor=world.owner, at=NOW)
    ApiKey.objects.filter(pk=key.pk).update(per_minute=1_000_000)
    tell({"book": world.merchant.pk, "card": card.number, "key": key.name, "secret": keys.secret_of(key)})


def state(book: int) -> None:
    told = {each.purse: each.balance for each in Account.objects.filter(book_id=book)}
    keys = dict(Entry.objects.filter(book_id=book).values_list("key", "operation"))
    tell({**told, "last": Book.objects.get(pk=book).last_sequence, "keys": keys, "faults": faults()})


def faults() -> list[str]:
    return [str(fault) for fault in verify_books().faults]


def tamper() -> None:
    ids = opened(FULL)
    for number in range(20):
        spend(ids, 7, f"s-{number}")
    for what, statement, spoiled, mended in ALTERATIONS:
        altered(statement.format(spoiled), ids["book"])
        tell([what, faults()])
        altered(statement.format(mended), ids["book"])
        tell(["mended", faults()])


def altered(statement: str, book: int) -> None:
    """As somebody who owns the database could."""
    column = "merchant_id" if "prepaid_book" in statement else "book_id"
    joined = "AND" if "WHERE" in statement else "WHERE"
    with transaction.atomic(), connection.cursor() as cursor:
        triggers = []
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE prepaid_entry DISABLE TRIGGER USER")
            triggers.append("ALTER TABLE prepaid_entry ENABLE TRIGGER USER")
        else:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'prepaid_entry_no_update'")
            triggers.append(cursor.fetchone()[0])
            cursor.execute("DROP TRIGGER prepaid_entry_no_update")
        cursor.execute(f"{statement} {joined} {column} = {book}")
        cursor.execute(triggers[0])


def tell(what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["crowd", number]:
            crowd(int(number))
        case ["victim"]:
            victim()
        case ["till"]:
            till()
        case ["state", number]:
            state(int(number))
        case ["tamper"]:
            tamper()
