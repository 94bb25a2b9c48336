"""A worker killed (SIGKILL, its own process, the same database) while it learns, or makes keys: no half model, no key twice, and the next
worker does the rest."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from tests.builders.cast import NOW, make_cast
from tests.builders.complaints import Desk
from tests.support.processes import kill_in_the_middle
from xiezhi.domains.complaints.models import CaseKey, TextModel
from xiezhi.domains.complaints.services import likeness, teaching
from xiezhi.domains.complaints.words import CaseStatus
from xiezhi.foundation.jobs import services as jobs
from xiezhi.foundation.jobs.models import Job

LATER = NOW + timedelta(minutes=10)
SAID = {
    "lift": ("困人", "坠落", "异响", "停层不平", "按钮失灵"),
    "prepaid": ("年卡不退", "余额清零", "闭店", "课时不够", "店长失联"),
}


@pytest.mark.django_db(transaction=True)
def test_killed_while_learning_and_while_making_keys(tmp_path: Path) -> None:
    desk = Desk(make_cast(with_password=()))
    for code, texts in SAID.items():
        for text in texts:
            desk.case(CaseStatus.HANDLING, description=f"{text}，反映的是{text}的事", category=code)
    before = CaseKey.objects.count()
    CaseKey.objects.all().delete()
    learning = teaching.train_in_background(actor=desk.dispatcher, at=NOW)
    keying = likeness.fill_in_background(actor=desk.dispatcher, at=NOW)
    kill_in_the_middle("tests.support.killed_job", str(learning.pk), "saving", folder=tmp_path, clock=NOW)
    kill_in_the_middle("tests.support.killed_job", str(keying.pk), "between", folder=tmp_path, clock=NOW)
    assert not TextModel.objects.exists() and CaseKey.objects.count() == before
    assert jobs.reclaim(at=LATER) == 2
    with time_machine.travel(LATER, tick=False):
        for job in (learning, keying):
            jobs.run(job.pk)
    assert set(Job.objects.values_list("status", flat=True)) == {"succeeded"}
    assert TextModel.objects.get().version == 1 and CaseKey.objects.count() == before
