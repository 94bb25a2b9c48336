"""A small demo district, loaded as `make demo` loads the large one: its own imports refuse nothing, and everybody finds something to do."""

from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from xiezhi.demo.load import is_complete
from xiezhi.domains.inspections.models import Check, Participation, Plan, Result, Round, Visit
from xiezhi.domains.registry.models import PendingMatch, Subject
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.services import actor_for
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.imports.models import ImportBatch
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.ui.attention import attention_for

pytestmark = pytest.mark.django_db
SUBJECTS = 150
MOMENT = datetime.combine(date(2026, 11, 23), time(9), ZoneInfo("Asia/Shanghai"))


def _load(settings: Any, folder: Path, capsys: Any, subjects: int = SUBJECTS) -> str:
    settings.DATA, settings.MEDIA_ROOT = folder, folder / "files"
    call_command("demo", subjects=subjects, load_only=True)
    said: str = capsys.readouterr().out
    return said


def test_a_district_to_look_at(settings: Any, tmp_path: Path, capsys: Any) -> None:
    with time_machine.travel(MOMENT, tick=False):
        said = _load(settings, tmp_path, capsys)
        assert "http://127.0.0.1:" in said and "scjg-head" in said and "Xiezhi-demo-2026" in said
        _nothing_was_refused()
        _the_past_is_recorded()
        _the_present_waits()
        entries = Entry.objects.count()
        again = _load(settings, tmp_path, capsys)
    assert "scjg-head" in again and "Loading" not in again
    assert Entry.objects.count() == entries, "a second run keeps what is there"


def _nothing_was_refused() -> None:
    batches = ImportBatch.objects.all()
    assert [batch.spec_key for batch in batches if batch.counts["refused"]] == []
    assert set(batches.values_list("status", flat=True)) == {"applied"}
    assert Subject.objects.count() == SUBJECTS
    assert set(Plan.objects.values_list("status", flat=True)) == {"filed"}


def _the_past_is_recorded() -> None:
    past = Round.objects.order_by("pk")[0]
    assert past.figures["joint_visits"] > 0
    assert set(past.visits.filter(on__lt=timezone.localdate()).values_list("status", flat=True)) == {"recorded"}
    assert set(past.visits.filter(on=timezone.localdate()).values_list("status", flat=True)) <= {
        "confirmed"
    }  # for the visitor
    assert Result.objects.filter(problem_found=True).exists() and Result.objects.filter(problem_found=False).exists()
    assert not Notice.objects.filter(read_at=None, sent_at__lt=MOMENT).exists(), "weeks-old notices are read"


def _the_present_waits() -> None:
    waiting = Participation.objects.filter(answer="pending", visit__status="offered")
    assert {"SCJG", "XFJY", "WSJK"} <= set(waiting.values_list("department__code", flat=True))
    assert Visit.objects.filter(status="confirmed").exists()
    assert Check.objects.filter(status="off_site_first").exists()
    assert PendingMatch.objects.filter(status="waiting").exists()
    for username in ("scjg-head", "xfjy-head", "wsjk-head", "scjg-planner"):
        post = Membership.objects.select_related("organisation").get(user__username=username)
        assert [line for line in attention_for(actor_for(post), MOMENT) if line.count], username
    for username, waits in {
        "scjg-funds": {"存管资金低于应存", "支取申请待批准", "冲正申请待复核", "对账差异待处理"},
        "gym": {"存管资金低于应存", "持卡人异议待答复"},
        "bank": {"对账差异待处理"},
    }.items():
        post = Membership.objects.select_related("organisation").get(user__username=username)
        assert waits <= {str(line.text) for line in attention_for(actor_for(post), MOMENT)}, username


def test_what_is_not_a_complete_demo_is_left_alone(settings: Any, tmp_path: Path) -> None:
    Organisation.objects.create(kind="district", code="110199", name="别人的区", short_name="别人的区")
    with pytest.raises(CommandError, match="not a complete demo"):
        call_command("demo", load_only=True)
    assert Organisation.objects.count() == 1 and not is_complete()
