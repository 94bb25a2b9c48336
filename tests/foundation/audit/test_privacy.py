"""Personal data stays outside: telephone and identity numbers never reach a payload."""

import pytest
from django.db import transaction

from tests.builders.cast import NOW
from xiezhi.foundation.access.actors import SYSTEM
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.audit.privacy import masked_text, personal_data_in
from xiezhi.foundation.audit.services import record

IDENTITY = "11010119900307803X"  # an invented number with a valid check sign


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("请联系13800001234。", "请联系138****1234。"),
        ("电话 +86 138-0000-1234", "电话 138****1234"),
        (f"身份证{IDENTITY}", "身份证1101****X"),
        ("编号 JC-2026-000123", "编号 JC-2026-000123"),
        ("91110108MA01DEMO5X", "91110108MA01DEMO5X"),  # a credit code
        ("2026-11-23T09:00:00.138000+08:00", "2026-11-23T09:00:00.138000+08:00"),
        ("113800001234", "113800001234"),  # twelve digits: no telephone
    ],
)
def test_numbers_of_people_are_masked_and_nothing_else(typed, kept):
    assert masked_text(typed) == kept


def test_what_somebody_typed_into_a_free_text_is_masked_before_it_is_kept_for_good(chain):
    with transaction.atomic():
        record("demo.act", chain.district, actor=SYSTEM, at=NOW, reason="致电13800001234", parts=[{"id": IDENTITY}])
    payload = Entry.objects.latest("pk").payload
    assert payload == {"reason": "致电138****1234", "parts": [{"id": "1101****X"}]}
    assert [found for entry in Entry.objects.all() for found in personal_data_in(entry.payload)] == []
