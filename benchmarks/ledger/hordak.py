"""django-hordak posting on the same server: Django's other double-entry ledger with its rules in the database (triggers).

    python -m benchmarks.ledger.singles --hordak PATH/TO/VENV/bin/python

django-hordak is not among our packages and runs in an environment of its own: `python3 -m venv V && V/bin/pip install django-hordak
"psycopg[binary]" "django<6"`. This file is run by that environment's Python; nothing of ours is imported.

    python -P hordak.py ADDRESS setup ACCOUNTS | python -P hordak.py ADDRESS run CLIENTS SECONDS ACCOUNTS

(-P: this file must not stand before the package of its name.)

One posting is `Account.transfer_to`, hordak's own call for a transaction of two legs: no overdraft check, no key, no digest, no balance kept.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
import time
from typing import Any
from urllib.parse import unquote, urlsplit

WARM = 20


def begin(address: str) -> None:
    import django
    from django.conf import settings

    parts = urlsplit(address)
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parts.path[1:],
                "USER": unquote(parts.username or ""),
                "PASSWORD": unquote(parts.password or ""),
                "HOST": parts.hostname,
                "PORT": parts.port,
                "CONN_MAX_AGE": 600,
            }
        },
        USE_TZ=True,
        CURRENCIES=("CNY",),
        DEFAULT_CURRENCY="CNY",
        HORDAK_INTERNAL_CURRENCY="CNY",
    )
    django.setup()


def setup(accounts: int) -> None:
    from django.core.management import call_command
    from hordak.models import Account

    call_command("migrate", verbosity=0)
    Account.objects.create(name="earned", code="1", type="IN", currencies=["CNY"])
    for number in range(accounts):
        Account.objects.create(name=f"card {number}", code=f"2{number:05d}", type="LI", currencies=["CNY"])


def run(clients: int, seconds: float, accounts: int) -> float:
    from django.db import connections

    connections.close_all()
    fork = multiprocessing.get_context("fork")
    barrier, rates = fork.Barrier(clients), fork.Array("d", clients)
    children = [fork.Process(target=client, args=(n, seconds, accounts, barrier, rates)) for n in range(clients)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        if child.exitcode:
            sys.exit(f"a client ended with {child.exitcode}")
    return sum(rates)


def client(number: int, seconds: float, accounts: int, barrier: Any, rates: Any) -> None:
    from hordak.models import Account
    from moneyed import Money

    earned = Account.objects.get(code="1")
    cards = list(Account.objects.filter(type="LI").order_by("pk")[:accounts])
    rng, fen = random.Random(number), Money("0.01", "CNY")
    for _time in range(WARM):
        rng.choice(cards).transfer_to(earned, fen)
    barrier.wait(60)
    begun, done = time.monotonic(), 0
    while time.monotonic() < begun + seconds:
        rng.choice(cards).transfer_to(earned, fen)
        done += 1
    rates[number] = done / (time.monotonic() - begun)


if __name__ == "__main__":
    begin(sys.argv[1])
    match sys.argv[2:]:
        case ["setup", number]:
            setup(int(number))
        case ["run", clients, seconds, accounts]:
            print(run(int(clients), float(seconds), int(accounts)))
        case _:
            sys.exit(__doc__)
