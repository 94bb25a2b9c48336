"""The four screens as a person walks them, and what others see of them."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from tests.builders.cast import Cast
from tests.foundation.imports import toy
from xiezhi.foundation.imports.models import ImportBatch
from xiezhi.foundation.jobs import services as jobs
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.orgs.models import Organisation

Upload = Callable[..., ContentFile]


@pytest.fixture
def sign_in(cast: Cast) -> Callable[[str], Client]:
    def client_of(name: str) -> Client:
        client = Client()
        client.force_login(cast.people[name])
        return client

    return client_of


def work() -> None:
    for job in Job.objects.filter(status=Job.Status.QUEUED):
        jobs.run(job.pk)


def sheet_of(response: Any) -> list[tuple[Any, ...]]:
    assert "attachment" in response["Content-Disposition"] and response["X-Content-Type-Options"] == "nosniff"
    book = load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    return list(book.worksheets[0].iter_rows(values_only=True))


def page(client: Client, name: str, *arguments: Any, status: int = 200, **query: str) -> str:
    response = client.get(reverse(f"imports:{name}", args=arguments), query)
    assert response.status_code == status
    return response.content.decode()


def test_a_person_walks_through(sign_in: Callable[[str], Client], workbook: Upload) -> None:
    client = sign_in("scjg.planner")
    assert "还没有导入过表格" in page(client, "list")
    first = page(client, "start", "tests.streets")
    assert "下载模板" in first and "街道" in first

    template = sheet_of(client.get(reverse("imports:template", args=["tests.streets"])))
    assert template[0] == ("代码", "名称*", "设立日期", "人口") and template[1][0] == "1001"

    rows = [*toy.sheet_rows(3), ["12", "坏", None, None], [None, "无代码", None, None]]
    answer = client.post(reverse("imports:start", args=["tests.streets"]), {"import_file": workbook(rows)})
    batch = ImportBatch.objects.get()
    assert answer["Location"] == reverse("imports:columns", args=[batch.pk])

    columns = page(client, "columns", batch.pk)
    assert "例：街道0" in columns and "已自动对应 4 列" in columns
    form = {"seen_status": "uploaded", **{key: str(index) for key, index in batch.mapping.items()}}
    missing = client.post(reverse("imports:columns", args=[batch.pk]), {**form, "name": ""})
    assert missing.status_code == 422 and "请选择表里的哪一列是“名称”" in missing.content.decode()
    answer = client.post(reverse("imports:columns", args=[batch.pk]), form)
    assert answer["Location"] == reverse("imports:check", args=[batch.pk])
    again = client.post(reverse("imports:columns", args=[batch.pk]), form)
    assert again["Location"] == reverse("imports:check", args=[batch.pk]) and Job.objects.count() == 1

    assert "取消任务" in page(client, "check", batch.pk)
    assert "还没有导完的" in page(client, "start", "tests.streets"), "one can leave and come back"
    work()
    review = page(client, "check", batch.pk)
    assert "格式不对。" in review and "应为4 至 9 位数字。" in review and "导入这 4 行" in review
    assert "街道2" in page(client, "check", batch.pk, show="new")
    assert "无代码" in page(client, "check", batch.pk, show="to_confirm")
    refused = sheet_of(client.get(reverse("imports:refused", args=[batch.pk])))
    assert refused[0][-3:] == ("原行号", "问题", "如何改正") and refused[1][:2] == ("12", "坏") and refused[1][4] == 5

    client.post(reverse("imports:apply", args=[batch.pk]), {"seen_status": "checked"})
    assert "要么全部生效" in page(client, "apply", batch.pk)
    work()
    result = page(client, "apply", batch.pk)
    assert "已保存 <strong>4</strong> 行" in result and "进入待确认队列</dt><dd>1</dd>" in result
    assert Organisation.objects.filter(name="街道2").exists()
    assert client.get(reverse("imports:detail", args=[batch.pk]))["Location"] == reverse(
        "imports:apply", args=[batch.pk]
    )
    assert "3 / 0 / 1" in page(client, "list")


def test_a_stale_page_says_so_and_a_double_click_does_no_harm(
    sign_in: Callable[[str], Client], workbook: Upload
) -> None:
    client, colleague = sign_in("scjg.planner"), sign_in("scjg.head")
    client.post(reverse("imports:start", args=["tests.streets"]), {"import_file": workbook(toy.sheet_rows(3))})
    batch = ImportBatch.objects.get()
    columns = {"seen_status": "uploaded", "name": "1", "code": "0"}
    client.post(reverse("imports:columns", args=[batch.pk]), columns)
    work()
    colleague.post(reverse("imports:abandon", args=[batch.pk]), {"seen_status": "checked"})
    answer = client.post(reverse("imports:apply", args=[batch.pk]), {"seen_status": "checked"}, follow=True)
    assert "刚刚被他人改为“已放弃”" in answer.content.decode()
    assert not Organisation.objects.filter(name="街道2").exists()
    assert "已放弃，没有保存" in page(client, "apply", batch.pk)


def test_what_cannot_be_used_is_said_on_the_form(
    sign_in: Callable[[str], Client], workbook: Upload, settings: Any
) -> None:
    client = sign_in("scjg.planner")
    address = reverse("imports:start", args=["tests.streets"])

    def said(upload: ContentFile | None) -> str:
        answer = client.post(address, {"import_file": upload} if upload else {})
        assert answer.status_code == 422
        return answer.content.decode()

    assert "请选择一个文件" in said(None)
    assert "旧版 Excel" in said(ContentFile(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, name="a.xlsx"))
    assert "没有找到表头" in said(workbook([], header=["标题"]))
    settings.UPLOAD_LIMIT_MB = 1
    assert "超过上限 1 MB" in said(ContentFile(b"a,b\n" * 400_000, name="a.csv"))
    assert not ImportBatch.objects.exists()


def test_questions_and_owner_are_asked_where_needed(
    sign_in: Callable[[str], Client], cast: Cast, workbook: Upload
) -> None:
    client = sign_in("registrar")
    address = reverse("imports:start", args=["tests.department_streets"])
    first = client.get(address).content.decode()
    assert "年度" in first and "演示区消防救援局" in first and "银槐街道" not in first
    answer = client.post(address, {"import_file": workbook(toy.sheet_rows(2)), "year": "2026"})
    assert answer.status_code == 422
    client.post(
        address, {"import_file": workbook(toy.sheet_rows(2)), "year": "2026", "import_owner": str(cast["xfjy"].pk)}
    )
    batch = ImportBatch.objects.get()
    assert batch.organisation == cast["xfjy"] and batch.options == {"year": 2026}
    assert "部门" not in sign_in("scjg.planner").get(address).content.decode().split("import_file")[0].split("年度")[-1]


def test_others_batches_are_not_there(sign_in: Callable[[str], Client], workbook: Upload) -> None:
    sign_in("scjg.planner").post(
        reverse("imports:start", args=["tests.streets"]), {"import_file": workbook(toy.sheet_rows(3))}
    )
    batch = ImportBatch.objects.get()
    stranger, without = sign_in("wsjk.planner"), sign_in("scjg.inspector")
    for name in ("detail", "columns", "check", "apply", "refused"):
        page(stranger, name, batch.pk, status=404)
        page(without, name, batch.pk, status=404)
    for name in ("columns", "sheet", "check", "apply", "abandon"):
        assert stranger.post(reverse(f"imports:{name}", args=[batch.pk])).status_code == 404
    page(without, "start", "tests.streets", status=403)
    page(without, "template", "tests.streets", status=403)
    page(stranger, "start", "tests.unknown", status=404)
    assert batch.file.display_name not in page(stranger, "list")
    assert Client().get(reverse("imports:list")).status_code == 302


def test_a_job_cancelled_in_the_queue_leads_back_to_the_columns(
    sign_in: Callable[[str], Client], workbook: Upload
) -> None:
    client = sign_in("scjg.planner")
    client.post(reverse("imports:start", args=["tests.streets"]), {"import_file": workbook(toy.sheet_rows(3))})
    batch = ImportBatch.objects.get()
    client.post(reverse("imports:columns", args=[batch.pk]), {"name": "1"})
    client.post(reverse("jobs:cancel", args=[Job.objects.get().pk]))
    answer = client.get(reverse("imports:check", args=[batch.pk]))
    assert answer["Location"] == reverse("imports:columns", args=[batch.pk])


def test_a_few_queries_whatever_the_number_of_rows(
    sign_in: Callable[[str], Client], workbook: Upload, django_assert_max_num_queries: Any
) -> None:
    client = sign_in("scjg.planner")
    client.post(reverse("imports:start", args=["tests.streets"]), {"import_file": workbook(toy.sheet_rows(120))})
    batch = ImportBatch.objects.get()
    client.post(reverse("imports:columns", args=[batch.pk]), {"name": "1", "code": "0"})
    work()
    with django_assert_max_num_queries(16):
        page(client, "check", batch.pk)
    with django_assert_max_num_queries(16):
        page(client, "list")
