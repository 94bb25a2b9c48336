"""Merchants and cards to post to, made in bulk: what is measured is posting, not opening shops."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

FULL = 10**12
"""What each card holds at first: nothing runs out while it is measured."""


def migrated(address: str | None) -> None:
    """Point Django at `address` (None: a new SQLite file) and bring its tables up."""
    os.environ["XIEZHI_DATA"] = tempfile.mkdtemp(prefix="xiezhi-bench-")
    os.environ.pop("DATABASE_URL", None)
    if address:
        os.environ["DATABASE_URL"] = address
    os.environ["DJANGO_SETTINGS_MODULE"] = "xiezhi.config.settings"
    subprocess.run([sys.executable, "-m", "xiezhi", "migrate", "--verbosity", "0"], check=True)
    import django

    django.setup()


def opened(merchants: int, cards: int) -> list[tuple[int, int, int]]:
    """So many merchants with so many full cards each: (book, principal account, earned account) of every card."""
    from django.db import transaction
    from django.utils import timezone

    from xiezhi.domains.prepaid.ledger.drafts import Draft, Leg, request_digest
    from xiezhi.domains.prepaid.models import Account, Card, Holder, Merchant, Product
    from xiezhi.domains.prepaid.services import posting
    from xiezhi.domains.registry.models import Subject

    now, found = timezone.now(), []
    with transaction.atomic():
        for number in range(merchants):
            subject = Subject.objects.create(code=f"BENCH{number:013d}", name=f"演示{number}", updated_at=now)
            merchant = Merchant.objects.create(subject=subject, registered_at=now)
            posting.open_book(merchant)
            own = dict(Account.objects.filter(book_id=merchant.pk).values_list("purse", "pk"))
            product = Product.objects.create(merchant=merchant, code="P", name="演示", created_at=now)
            holder = Holder.objects.create(merchant=merchant)
            made = Card.objects.bulk_create(
                Card(merchant=merchant, number=f"{number:06d}{each:06d}", product=product, holder=holder, opened_at=now)
                for each in range(cards)
            )
            purses = Account.objects.bulk_create(
                Account(book_id=merchant.pk, card=card, purse=purse)
                for card in made
                for purse in ("principal", "bonus", "uses")
            )
            principals = [each for each in purses if each.purse == "principal"]
            posting.post_batch(
                [
                    Draft(
                        merchant.pk,
                        "purchase",
                        (Leg(own["funds"], each.pk, FULL),),
                        f"p{each.pk}",
                        request_digest({}),
                        now,
                    )
                    for each in principals
                ],
                booked_at=now,
            )
            found += [(merchant.pk, each.pk, own["earned"]) for each in principals]
    return found


def batch_file(path: Path, rows: int, cards: int) -> Path:
    """A file of redemptions, spread over the first merchant's cards."""
    with path.open("w", encoding="utf-8") as file:
        file.write("key,card,amount_fen\n")
        file.writelines(f"row-{number},{0:06d}{number % cards:06d},{1 + number % 900}\n" for number in range(rows))
    return path


def merchant_actor() -> tuple[Any, Any]:
    """The first merchant and somebody who may post its files."""
    from xiezhi.domains.prepaid.models import Merchant
    from xiezhi.foundation.access.actors import Actor
    from xiezhi.foundation.orgs.models import Organisation

    merchant = Merchant.objects.select_related("subject").order_by("pk").first()
    assert merchant
    district = Organisation.objects.create(kind="district", code="bench", name="演示区")
    merchant.organisation = Organisation.objects.create(
        kind="enterprise", code="bench-1", name="演示商户", parent=district
    )
    merchant.save(update_fields=["organisation"])
    held = frozenset({"prepaid.view", "prepaid.sell", "prepaid.operate"})
    return merchant, Actor(role="merchant", permissions=held, organisation_id=merchant.organisation_id)
