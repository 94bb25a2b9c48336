"""Run in a site's environment: one merchant of youth sports with its people, a bank and the regulator. Prints what the journey needs."""

import json
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xiezhi.config.settings")

import django

django.setup()

from datetime import date  # noqa: E402

from tests.builders.cast import FOUNDER, NOW, PASSWORD, make_cast  # noqa: E402
from tests.builders.prepaid import World  # noqa: E402
from xiezhi.foundation.access.services import appoint, open_account  # noqa: E402

cast = make_cast()
world = World(cast, industry="youth_sports")
world.product(kind="course", uses=10, price_fen=300_000, name="演示课程卡")
for name, organisation, role in (
    ("regulator", cast["scjg"], "fund_supervisor"),
    ("owner", world.body, "merchant"),
    ("banker", world.bank, "bank"),
):
    user = open_account(username=name, display_name=f"演示{name}", password=PASSWORD, actor=FOUNDER, at=NOW)
    appoint(user=user, organisation=organisation, role=role, starts_on=date(2026, 1, 1), actor=FOUNDER, at=NOW)
product = world.merchant.products.get()
told = {"merchant": world.merchant.pk, "name": world.merchant.subject.name, "product": product.code}
print(json.dumps({**told, "account": world.account.number, "password": PASSWORD}))
