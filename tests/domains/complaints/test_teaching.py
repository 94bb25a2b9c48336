"""识别模型: versions come in by three ways, none is in use before somebody says so, and bad files leave nothing."""

from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.builders.cast import NOW
from tests.builders.complaints import Desk
from xiezhi.domains.complaints.models import Case, ModelUse, Suggestion, TextModel
from xiezhi.domains.complaints.queries.loaded import forget
from xiezhi.domains.complaints.queries.reading import read
from xiezhi.domains.complaints.queries.suggestions import adoption
from xiezhi.domains.complaints.services import teaching
from xiezhi.domains.complaints.words import CaseStatus
from xiezhi.engines.text.modelfile import dump, load
from xiezhi.engines.text.training import train
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.files.models import StoredFile
from xiezhi.foundation.jobs import services as jobs
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale

WORDS = {
    "lift": ["电梯困人", "电梯坠落异响", "轿厢停层不平", "梯门夹人", "维保单位不来修梯", "十层按钮失灵"],
    "prepaid": ["健身年卡退费", "美发储值卡余额", "办卡后闭店", "课时没有用完", "会员卡不给退钱", "充值送的金额"],
}
ROWS = [
    (f"{text}，{said}第{at}次", code)
    for code, texts in WORDS.items()
    for at, text in enumerate(texts)
    for said in ("反映", "请处理")
]


def a_model(seed: int = 0) -> bytes:
    return dump(train([text for text, _ in ROWS], [code for _, code in ROWS], seed=seed))


def sheet(rows: list[tuple[str, str]], header: tuple[str, str] = ("text", "label")) -> SimpleUploadedFile:
    book = openpyxl.Workbook()
    for row in [header, *rows]:
        book.active.append(row)
    out = BytesIO()
    book.save(out)
    return SimpleUploadedFile("标注.xlsx", out.getvalue())


def test_a_model_is_kept_used_taken_out_again_and_its_digest_is_with_what_it_said(desk: Desk) -> None:
    data = a_model()
    who: dict[str, Any] = {"actor": desk.dispatcher, "at": NOW}
    kept = teaching.receive_file(upload=SimpleUploadedFile("a.model", data), note="演示", **who)
    assert (
        isinstance(kept, TextModel) and kept.version == 1 and kept.macro_f1 == load(data).facts.out_of_fold["macro_f1"]
    )
    assert {each.source for each in read("电梯困人", on=NOW.date()).offers if each.kind == "category"} == {"keywords"}
    first = teaching.use_model(model=kept, seen=0, **who)
    case = desk.case(CaseStatus.LEAD, description="电梯困人，反映维保单位不来修梯")
    row = Suggestion.objects.get(case=case, kind="category")
    assert (row.value, row.source, row.model_digest) == ("lift", "model", kept.digest) and 0.5 <= (
        row.confidence or 0
    ) <= 1
    assert row.reasons and row.sure
    with pytest.raises(AlreadyDone):
        teaching.use_model(model=kept, seen=first.pk, **who)
    with pytest.raises(Stale):
        teaching.use_model(model=None, seen=0, **who)
    teaching.use_model(model=None, seen=first.pk, **who)
    assert {each.source for each in read("电梯困人", on=NOW.date()).offers if each.kind == "category"} == {"keywords"}
    with pytest.raises(Refused, match="第 1 版"):
        teaching.keep_model(data=data, source="file", note="", **who)
    with pytest.raises(PermissionRefused):
        teaching.keep_model(data=a_model(1), source="file", note="", actor=desk.officer, at=NOW)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda data: b"PK" + data, "表格|Excel|损坏"),
        (lambda data: data.replace(b"model 1 ", b"model 9 ", 1), "第 9 版"),
        (lambda data: data[:-7], "摘要不符"),
        (lambda data: dump(train([text for text, _ in ROWS], ["a" + code for _, code in ROWS])), "alift"),
        (lambda data: b"", "空的"),
    ],
)
def test_a_spoilt_model_file_is_refused_and_nothing_is_kept(desk: Desk, spoil: Any, says: str) -> None:
    with pytest.raises(Refused, match=says):
        teaching.receive_file(
            upload=SimpleUploadedFile("a.model", spoil(a_model())), note="", actor=desk.dispatcher, at=NOW
        )
    assert not TextModel.objects.exists() and not StoredFile.objects.exists()


def test_a_model_that_was_spoilt_in_the_database_leaves_the_keywords(desk: Desk) -> None:
    kept = teaching.keep_model(data=a_model(), source="file", note="", actor=desk.dispatcher, at=NOW)
    teaching.use_model(model=kept, seen=0, actor=desk.dispatcher, at=NOW)
    TextModel.objects.update(data=b"xiezhi-text-model 1 spoilt")
    forget()
    assert read("电梯困人", on=NOW.date()).first("category").source == "keywords"  # type: ignore[union-attr]


def test_a_labelled_table_is_learned_by_a_job_and_faults_name_their_rows(desk: Desk) -> None:
    who: dict[str, Any] = {"note": "", "actor": desk.dispatcher, "at": NOW}
    with pytest.raises(Refused, match=r"第 3 行.*空") as refused:
        teaching.receive_file(upload=sheet([("电梯", "lift"), ("", "lift"), ("水", "不存在")]), **who)
    assert "第 4 行：“不存在”" in str(refused.value)
    with pytest.raises(Refused, match="text"):
        teaching.receive_file(upload=sheet(ROWS, ("内容一", "类")), **who)
    with pytest.raises(Refused, match="太少"):
        teaching.receive_file(upload=sheet(ROWS[:6]), **who)
    assert not Job.objects.exists() and not StoredFile.objects.exists()
    named = [(text, {"lift": "电梯", "prepaid": "预付卡退费"}[code]) for text, code in ROWS]
    job = teaching.receive_file(upload=sheet(named), **who)
    jobs.run(job.pk)
    job = Job.objects.get(pk=job.pk)
    assert (job.status, job.result["version"]) == (Job.Status.SUCCEEDED, 1), job.error
    kept = TextModel.objects.get()
    assert (
        kept.source == "rows"
        and kept.facts["per_label"] == {"lift": 12, "prepaid": 12}
        and not ModelUse.objects.exists()
    )


def test_the_desks_own_decisions_are_learned_from(desk: Desk, client: Client) -> None:
    client.force_login(desk.cast.people["dispatcher"])
    client.post(reverse("complaints:models_train"))
    jobs.run(Job.objects.get().pk)
    assert "至少要有两个类别" in client.get(reverse("complaints:models")).text and not TextModel.objects.exists()
    for text, code in ROWS:
        desk.case(CaseStatus.HANDLING, description=text, category=code)
    desk.case(CaseStatus.LEAD, description="没有决定的不学", category="price")
    Job.objects.all().delete()
    client.post(reverse("complaints:models_train"))
    jobs.run(Job.objects.get().pk)
    kept = TextModel.objects.get()
    assert kept.source == "cases" and kept.facts["texts"] == len(ROWS)
    page = client.post(reverse("complaints:models_use"), {"version": "1", "seen": "0"}, follow=True)
    assert "已启用第 1 版" in page.text and ModelUse.objects.get().model == kept
    assert Case.objects.count() == len(ROWS) + 1
    counted = {each.kind: each for each in adoption(at=NOW)}["category"]
    assert counted.decided == counted.accepted + counted.corrected > 0 and counted.percent is not None
    page = client.post(
        reverse("complaints:models_use"), {"version": "", "seen": str(ModelUse.objects.get().pk)}, follow=True
    )
    assert "按关键词" in page.text and ModelUse.objects.count() == 2
    assert client.post(reverse("complaints:models_use"), {"version": "99", "seen": "0"}).status_code == 404
    client.force_login(desk.cast.people["officer"])
    assert client.get(reverse("complaints:models")).status_code == 403
