"""From file to records: the steps, their order, and that nothing is saved twice, half or by the wrong person."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from tests.builders.cast import NOW, Cast
from tests.foundation.imports import toy
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.files.models import StoredFile
from xiezhi.foundation.imports import services
from xiezhi.foundation.imports.models import ImportBatch
from xiezhi.foundation.imports.queries import problem_header, problem_rows
from xiezhi.foundation.jobs import services as jobs
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale

Upload = Callable[..., ContentFile]


@pytest.fixture
def registrar(cast: Cast) -> Actor:
    return cast.actor("registrar")


def started(upload: ContentFile, actor: Actor, **more: Any) -> ImportBatch:
    batch, _new = services.start_import("tests.streets", upload=upload, actor=actor, at=NOW, **more)
    return batch


def job_of(batch: ImportBatch) -> Job:
    assert batch.job
    return batch.job


def run(batch: ImportBatch) -> ImportBatch:
    """Do the batch's job here, as a worker would."""
    assert batch.job
    jobs.run(batch.job.pk)
    batch = ImportBatch.objects.get(pk=batch.pk)
    assert batch.job
    return batch


def checked(upload: ContentFile, actor: Actor, **mapping: int) -> ImportBatch:
    batch = started(upload, actor)
    batch = services.choose_columns(batch=batch, mapping=batch.mapping | mapping, actor=actor, at=NOW)
    return run(services.check_import(batch=batch, actor=actor, at=NOW))


def applied(upload: ContentFile, actor: Actor) -> ImportBatch:
    return run(services.apply_import(batch=checked(upload, actor), actor=actor, at=NOW))


def streets() -> set[str]:
    return set(Organisation.objects.filter(code__startswith="1", code__lt="2").values_list("name", flat=True)) - {
        "演示区",
        "演示区金榆街道",
        "演示区银槐街道",
    }


def test_the_whole_way(registrar: Actor, workbook: Upload) -> None:
    batch = started(workbook(toy.sheet_rows(45)), registrar)
    assert (batch.status, batch.mapping) == ("uploaded", {"code": 0, "name": 1, "since": 2, "people": 3})
    batch = services.choose_columns(batch=batch, mapping=batch.mapping, actor=registrar, at=NOW)
    batch = run(services.check_import(batch=batch, actor=registrar, at=NOW))
    assert batch.status == "checked" and not streets()
    assert batch.counts == {"new": 45, "changed": 0, "unchanged": 0, "to_confirm": 0, "refused": 0}
    batch = run(services.apply_import(batch=batch, actor=registrar, at=NOW))
    assert batch.status == "applied" and len(streets()) == 45 and batch.result == {"queued": 0}
    assert batch.job and batch.job.status == Job.Status.SUCCEEDED


def test_importing_again_changes_nothing_and_says_so(registrar: Actor, workbook: Upload) -> None:
    rows = toy.sheet_rows(30)
    applied(workbook(rows), registrar)
    before = list(Organisation.objects.order_by("pk").values())
    batch = checked(workbook(rows), registrar)
    assert batch.counts["unchanged"] == 30 and batch.to_save == 0
    with pytest.raises(Refused, match="没有需要导入的行"):
        services.apply_import(batch=batch, actor=registrar, at=NOW)
    rows[3][1] = "改了名"
    batch = applied(workbook(rows), registrar)
    assert batch.counts["changed"] == 1 and batch.counts["unchanged"] == 29
    assert batch.rows.get(outcome="changed").changes == {"name": ["街道3", "改了名"]}
    changed = [new for old, new in zip(before, Organisation.objects.order_by("pk").values(), strict=True) if old != new]
    assert [street["name"] for street in changed] == ["改了名"]


def test_every_bad_row_is_named_and_can_be_mended_and_uploaded(
    registrar: Actor, workbook: Upload, tmp_path: Path
) -> None:
    rows = [
        [1001, "好", "2026-01-02", 5],
        ["12", None, "2026-13-40", "许多"],
        [None, None, None, None],
        [1003, "=1+1", "2027-01-02", 5],
        [None, "没有代码", "", 5],
        [1005, "甲", None, None],
        [1006, "乙", None, None],
        ["１００５", "丙", None, None],
        [1005, "丁", None, None],
        [1007, "晚", "2027-01-02", 5],
    ]
    batch = checked(workbook(rows), registrar)
    assert batch.counts == {"new": 2, "changed": 0, "unchanged": 0, "to_confirm": 1, "refused": 6}
    said = {
        row.number: [(each["column"], each["value"], each["reason"]) for each in row.problems]
        for row in batch.rows.filter(outcome="refused").order_by("number")
    }
    assert said == {
        3: [
            ("code", "12", "格式不对。"),
            ("name", "", "必填项是空的。"),
            ("since", "2026-13-40", "没有这一天。"),
            ("people", "许多", "应为数字。"),
        ],
        5: [("name", "=1+1", "这是公式单元格。")],
        7: [("code", "1005", "与第 9、10 行重复。")],
        9: [("code", "１００５", "与第 7 行重复。")],
        10: [("code", "1005", "与第 7 行重复。")],
        11: [("since", "2027-01-02", "设立日期晚于今天。")],
    }
    assert problem_header(batch) == [*toy.HEADER, "原行号", "问题", "如何改正"]
    back = list(problem_rows(batch))
    assert back[0][:5] == ["12", None, "2026-13-40", "许多", 3] and "代码：格式不对。" in str(back[0][5])
    assert batch.rows.get(number=5).raw[1] == "=1+1"
    batch = run(services.apply_import(batch=batch, actor=registrar, at=NOW))
    assert streets() == {"好", "乙"} and batch.result == {"queued": 1}

    mended = [[str(1_500 + number), "补", None, None, *row[4:]] for number, row in enumerate(back)]
    for number, row in enumerate(mended):
        row[1] = f"补{number}"
    batch = applied(workbook(mended, header=problem_header(batch)), registrar)
    assert batch.counts["new"] == 6 and len(streets()) == 8


def test_columns_are_remembered_per_organisation_and_header(registrar: Actor, cast: Cast, workbook: Upload) -> None:
    header = ["编号", "＊街 道名称（全称）", "说明"]
    upload = lambda: workbook([["1001", "甲", "x"], ["1002", "乙", "y"]], header=header)  # noqa: E731
    batch = started(upload(), registrar)
    assert batch.mapping == {"name": 1}
    with pytest.raises(Refused, match="名称"):
        services.choose_columns(batch=batch, mapping={"code": 0}, actor=registrar, at=NOW)
    with pytest.raises(Refused, match="两个项目"):
        services.choose_columns(batch=batch, mapping={"code": 1, "name": 1}, actor=registrar, at=NOW)
    services.choose_columns(batch=batch, mapping={"code": 0, "name": 1}, actor=registrar, at=NOW)
    services.abandon_import(batch=batch, actor=registrar, at=NOW)
    assert started(upload(), registrar).mapping == {"code": 0, "name": 1}
    assert started(upload(), cast.actor("wsjk.planner")).mapping == {"name": 1}


def test_the_same_file_twice_leads_to_the_open_batch(registrar: Actor, cast: Cast, workbook: Upload) -> None:
    first, new = services.start_import("tests.streets", upload=workbook(toy.sheet_rows(2)), actor=registrar, at=NOW)
    again, newer = services.start_import(
        "tests.streets", upload=ContentFile(first.file.path.read_bytes(), name="别名.xlsx"), actor=registrar, at=NOW
    )
    assert (new, newer, again.pk) == (True, False, first.pk) and StoredFile.objects.count() == 1
    other, new = services.start_import(
        "tests.streets",
        upload=ContentFile(first.file.path.read_bytes(), name="a.xlsx"),
        actor=cast.actor("wsjk.planner"),
        at=NOW,
    )
    assert new and other.organisation == cast["wsjk"]


def test_a_departments_sheet_belongs_to_it(cast: Cast, workbook: Upload) -> None:
    def start(actor: Actor, **more: Any) -> ImportBatch:
        return services.start_import(
            "tests.department_streets",
            upload=workbook(toy.sheet_rows(2)),
            actor=actor,
            at=NOW,
            options={"year": 2026},
            **more,
        )[0]

    own = start(cast.actor("scjg.planner"))
    assert own.organisation == cast["scjg"] and own.options == {"year": 2026}
    with pytest.raises(PermissionRefused):
        start(cast.actor("scjg.planner"), organisation=cast["wsjk"])
    with pytest.raises(Refused, match="哪个部门"):
        start(cast.actor("registrar"))
    with pytest.raises(Refused, match="哪个部门"):
        start(cast.actor("registrar"), organisation=cast["110199001"])
    on_behalf = start(cast.actor("registrar"), organisation=cast["wsjk"])
    visible = ImportBatch.objects.visible_to
    assert list(visible(cast.actor("wsjk.head"))) == [on_behalf]
    assert list(visible(cast.actor("scjg.head"))) == [own]
    assert visible(cast.actor("registrar")).count() == 2
    assert not visible(cast.actor("wsjk.inspector")).exists(), "without the permission a colleague's batch is not there"
    with pytest.raises(PermissionRefused):
        start(cast.actor("scjg.inspector"))
    with pytest.raises(PermissionRefused):
        services.abandon_import(batch=own, actor=cast.actor("wsjk.planner"), at=NOW)


def test_double_clicks_and_stale_pages(registrar: Actor, workbook: Upload) -> None:
    batch = started(workbook(toy.sheet_rows(3)), registrar)
    services.choose_columns(batch=batch, mapping=batch.mapping, actor=registrar, at=NOW, seen_status="uploaded")
    services.check_import(batch=batch, actor=registrar, at=NOW, seen_status="mapped")
    with pytest.raises(AlreadyDone):
        services.check_import(batch=batch, actor=registrar, at=NOW, seen_status="mapped")
    assert Job.objects.count() == 1
    with pytest.raises(Stale):
        services.choose_columns(batch=batch, mapping=batch.mapping, actor=registrar, at=NOW, seen_status="mapped")


def test_another_sheet_saved_meanwhile_asks_for_a_new_check(registrar: Actor, workbook: Upload) -> None:
    waiting = checked(workbook(toy.sheet_rows(3)), registrar)
    other = checked(workbook(toy.sheet_rows(4, prefix="别的")), registrar)
    run(services.apply_import(batch=other, actor=registrar, at=NOW))
    with pytest.raises(Refused, match="重新核对"):
        services.apply_import(batch=waiting, actor=registrar, at=NOW)
    services.choose_columns(batch=waiting, mapping=waiting.mapping, actor=registrar, at=NOW)
    waiting = run(services.check_import(batch=waiting, actor=registrar, at=NOW))
    assert waiting.counts["changed"] == 3


def test_cancelled_while_checking_goes_back_a_step(registrar: Actor, workbook: Upload) -> None:
    batch = started(workbook(toy.sheet_rows(60)), registrar)
    batch = services.choose_columns(batch=batch, mapping=batch.mapping, actor=registrar, at=NOW)
    batch = services.check_import(batch=batch, actor=registrar, at=NOW)
    jobs.cancel(job=job_of(batch), actor=registrar, at=NOW)
    queued = services.settle(batch=batch, at=NOW)
    assert queued.status == "mapped"
    batch = services.check_import(batch=queued, actor=registrar, at=NOW)

    def stop(step: str, number: int) -> None:
        if number == 2:
            jobs.cancel(job=job_of(batch), actor=registrar, at=NOW)

    toy.hooks.append(stop)
    batch = run(batch)
    assert batch.status == "mapped" and batch.job and batch.job.status == Job.Status.CANCELLED


def test_cancelled_while_saving_saves_nothing(registrar: Actor, workbook: Upload) -> None:
    batch = checked(workbook(toy.sheet_rows(60)), registrar)
    batch = services.apply_import(batch=batch, actor=registrar, at=NOW)

    def stop(step: str, number: int) -> None:
        if number == 2:
            jobs.cancel(job=job_of(batch), actor=registrar, at=NOW)

    toy.hooks.append(stop)
    batch = run(batch)
    # With one connection the request is rolled back together with the rows.
    assert batch.status == "checked" and not streets()


@pytest.mark.parametrize("step", ["check", "apply"])
def test_a_fault_in_the_middle_saves_nothing_and_can_be_begun_again(
    registrar: Actor, workbook: Upload, step: str
) -> None:
    def fault(at_step: str, number: int) -> None:
        if at_step == step and number == 2:
            raise Refused("街道库正在整理，请稍后再试。")

    toy.hooks.append(fault)
    batch = checked(workbook(toy.sheet_rows(60)), registrar)
    if step == "apply":
        batch = run(services.apply_import(batch=batch, actor=registrar, at=NOW))
    assert batch.status == "failed" and "整理" in batch.error and not streets()
    assert batch.job and batch.job.status == Job.Status.FAILED
    toy.hooks.clear()
    services.choose_columns(batch=batch, mapping=batch.mapping, actor=registrar, at=NOW)
    batch = run(services.check_import(batch=batch, actor=registrar, at=NOW))
    assert batch.counts["new"] == 60
    run(services.apply_import(batch=batch, actor=registrar, at=NOW))
    assert len(streets()) == 60


def test_a_batch_whose_worker_died_for_good_is_brought_to_rest(registrar: Actor, workbook: Upload) -> None:
    batch = started(workbook(toy.sheet_rows(3)), registrar)
    batch = services.choose_columns(batch=batch, mapping=batch.mapping, actor=registrar, at=NOW)
    batch = services.check_import(batch=batch, actor=registrar, at=NOW)
    late = NOW + timedelta(hours=1)
    Job.objects.filter(pk=batch.job_id).update(status="running", attempts=3, lease_until=NOW)
    assert services.settle_all(at=late) == 0
    jobs.reclaim(at=late)
    assert services.settle_all(at=late) == 1
    batch.refresh_from_db()
    assert batch.status == "failed" and "三次中断" in batch.error


def test_old_batches_are_tidied(registrar: Actor, workbook: Upload) -> None:
    done = applied(workbook(toy.sheet_rows(3)), registrar)
    left = started(workbook(toy.sheet_rows(4)), registrar)
    assert services.tidy(at=NOW + timedelta(days=10)) == 0
    ImportBatch.objects.filter(pk=done.pk).update(applied_at=NOW)
    assert services.tidy(at=NOW + timedelta(days=100)) == 2
    left.refresh_from_db()
    assert left.status == "abandoned" and not done.rows.exists()
    assert services.tidy(at=NOW + timedelta(days=100)) == 0


def test_import_now_does_all_steps(registrar: Actor, workbook: Upload, tmp_path: Path) -> None:
    path = tmp_path / "甲.xlsx"
    path.write_bytes(workbook(toy.sheet_rows(25)).read())
    batch = services.import_now("tests.streets", path=path, actor=registrar, at=NOW)
    assert batch.status == "applied" and len(streets()) == 25
    batch = services.import_now("tests.streets", path=path, actor=registrar, at=NOW)
    assert batch.status == "checked" and batch.counts["unchanged"] == 25
    (tmp_path / "乙.csv").write_text("代码,名称\n", "gb18030")
    with pytest.raises(Refused, match="没有数据"):
        services.import_now("tests.streets", path=tmp_path / "乙.csv", actor=registrar, at=NOW)


def test_another_worksheet_can_be_chosen(registrar: Actor, tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    for title, rows in {"说明": [["请填", "第二张"]], "数据": [toy.HEADER, *toy.sheet_rows(2)]}.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(tmp_path / "two.xlsx")
    batch = started(ContentFile((tmp_path / "two.xlsx").read_bytes(), name="two.xlsx"), registrar)
    assert (batch.sheet_name, batch.sheet_names, batch.mapping) == ("说明", ["说明", "数据"], {})
    batch = services.choose_sheet(batch=batch, name="数据", actor=registrar, at=NOW)
    assert batch.mapping["name"] == 1
    services.choose_columns(batch=batch, mapping=batch.mapping, actor=registrar, at=NOW)
    assert run(services.check_import(batch=batch, actor=registrar, at=NOW)).counts["new"] == 2
