"""Run in a site's environment: a complaint desk with its people, a mall, and a complaint about the same matter that was heard before."""

import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xiezhi.config.settings")

import django

django.setup()

from datetime import date, timedelta  # noqa: E402

from django.utils import timezone  # noqa: E402

from tests.builders.cast import PASSWORD, make_cast  # noqa: E402
from tests.builders.complaints import Desk  # noqa: E402
from tests.builders.prepaid import acting  # noqa: E402
from tests.builders.registry import a_subject  # noqa: E402
from xiezhi.domains.complaints.words import CaseStatus  # noqa: E402
from xiezhi.domains.registry.services import register_tenancy  # noqa: E402

cast = make_cast()
desk = Desk(cast)
for name in ("dispatcher", "officer", "mall"):
    cast.people[name].set_password(PASSWORD)
    cast.people[name].save(update_fields=["password"])
register_tenancy(
    mall=desk.mall,
    subject=a_subject(cast, 1, "北京演示嘉轩健身有限公司"),
    unit="3层01",
    starts_on=date(2026, 1, 1),
    actor=acting("fund_supervisor", cast["scjg"]),
    at=timezone.now(),
)
earlier = desk.case(
    CaseStatus.DISPATCHED,
    description=sys.argv[1],
    mall=desk.mall,
    respondent_name="演示嘉轩健身",
    at=timezone.now() - timedelta(hours=3),
)
print(json.dumps({"password": PASSWORD, "mall": desk.mall.name, "earlier": earlier.number, "unit": desk.unit.name}))
