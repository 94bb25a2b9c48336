"""The list mechanism, on the task list's table: filter, sort, count, pages, export, bulk, empty, htmx."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import django_filters
import django_tables2
import pytest
from django.utils.html import conditional_escape

from tests.builders.cast import NOW
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.ui import lists
from xiezhi.foundation.ui.lists import Action, Bulk, Empty, Filters, SearchFilter, list_page
from xiezhi.foundation.ui.tables import MomentColumn, StatusColumn, Table
from xiezhi.foundation.workflow.errors import Refused

pytestmark = pytest.mark.django_db


class JobTable(Table):
    title = django_tables2.Column()
    status = StatusColumn(Job.Status)
    created_at = MomentColumn()
    phone = ("title", "status")

    class Meta(Table.Meta):
        model = Job
        fields = ("title", "status", "created_at")
        order_by = "title"


class JobFilters(Filters):
    q = SearchFilter("title", "kind")
    status = django_filters.ChoiceFilter(choices=Job.Status.choices)
    started = django_filters.BooleanFilter(field_name="started_at", lookup_expr="isnull")
    created_at = django_filters.DateFromToRangeFilter()

    class Meta:
        model = Job
        fields = ("q", "status", "started", "created_at")


@pytest.fixture
def jobs() -> None:
    Job.objects.bulk_create(
        Job(
            kind="toy",
            title=f"任务 {number:03}",
            status="failed" if number % 4 == 0 else "succeeded",
            created_at=NOW + timedelta(hours=number // 60),
        )
        for number in range(120)
    )


@pytest.fixture
def listed(request_for: Any) -> Any:
    """The page's text (or the response itself for a sheet)."""

    def answer(query: str = "", *, htmx: str = "", **options: Any) -> Any:
        settings = {"title": "任务", "queryset": Job.objects.all(), "table": JobTable, "filterset": JobFilters}
        request = request_for(f"/desk/tasks/{query}", htmx=htmx, permissions=options.pop("permissions", frozenset()))
        response = list_page(request, **{**settings, "unit": "项", **options})
        return response if "export=" in query else response.content.decode()

    return answer


def titles(text: str) -> list[str]:
    return re.findall(r'data-phone="head">(任务 \d+)', text)


def test_three_queries_whatever_the_size(jobs: None, listed: Any, django_assert_num_queries: Any) -> None:
    # the person's views, count, page; then the shell's two badges
    with django_assert_num_queries(5):
        text = listed()
    assert "共 <strong>120</strong> 项" in text
    assert len(titles(text)) == 50


def test_a_long_list_is_counted_so_far_and_to_the_end_on_demand(
    jobs: None, listed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MOST_COUNTED", 100)
    text = listed()
    assert "共 <strong>100</strong> 项以上" in text and "数清楚" in text
    last = listed("?page=2&q=任务")
    assert titles(last)[-1] == "任务 099" and "只翻到前 100 行" in last and 'rel="next"' not in last
    assert titles(listed("?page=9")) == titles(last)
    whole = listed("?count=all&page=3")
    assert "共 <strong>120</strong> 项" in whole and "数清楚" not in whole and titles(whole)[-1] == "任务 119"


def test_a_day_reaches_from_midnight_to_midnight_here(jobs: None) -> None:
    class Days(Filters):
        first = lists.SinceFilter(field_name="created_at")
        last = lists.UntilFilter(field_name="created_at")

        class Meta:
            model = Job
            fields = ("first", "last")

    def found(**given: str) -> int:
        return Days(given, queryset=Job.objects.all()).qs.count()

    midnight = NOW.replace(hour=0) + timedelta(days=1)
    Job.objects.filter(title="任务 000").update(created_at=midnight)
    Job.objects.filter(title="任务 001").update(created_at=midnight - timedelta(microseconds=1))
    today, tomorrow = f"{NOW:%Y-%m-%d}", f"{midnight:%Y-%m-%d}"
    assert (found(first=tomorrow), found(last=today)) == (1, 119)
    assert found(first=today, last=tomorrow) == 120 and found(last="9999-12-31") == 120


def test_filters_combine_and_stay_in_the_form(jobs: None, listed: Any) -> None:
    text = listed("?q=00&status=failed")
    assert titles(text) == ["任务 000", "任务 004", "任务 008", "任务 100"]
    assert "（已筛选）" in text
    assert 'value="00"' in text
    assert '<option value="failed" selected>' in text
    assert ">全部</option>" in text
    assert "----" not in text


def test_every_word_of_a_search_must_occur(jobs: None, listed: Any) -> None:
    assert titles(listed("?q=任务+007")) == ["任务 007"]
    assert "没有符合条件的记录" in listed("?q=任务+没有")


def test_a_wrong_filter_says_so_and_hides_nothing(jobs: None, listed: Any) -> None:
    text = listed("?status=nonsense&created_at_after=2026-13-45")
    assert text.count("field-error") == 2
    assert "<strong>120</strong>" in text


def test_sorting_both_ways_with_the_mark_in_the_head(jobs: None, listed: Any) -> None:
    text = listed("?sort=-title")
    assert titles(text)[0] == "任务 119"
    assert 'aria-sort="descending"' in text
    assert 'href="?sort=title"' in text


def test_ties_keep_their_place_between_pages(jobs: None, listed: Any) -> None:
    seen = [title for number in (1, 2, 3) for title in titles(listed(f"?sort=created_at&page={number}"))]
    assert len(set(seen)) == 120


def test_an_unknown_column_is_not_sorted_by(jobs: None, listed: Any) -> None:
    assert len(titles(listed("?sort=owner__password"))) == 50


@pytest.mark.parametrize(
    ("asked", "first"), [("2", "任务 050"), ("99", "任务 100"), ("x", "任务 000"), ("0", "任务 100")]
)
def test_pages(jobs: None, listed: Any, asked: str, first: str) -> None:
    assert titles(listed(f"?page={asked}"))[0] == first


def test_page_links_keep_the_filters(jobs: None, listed: Any) -> None:
    assert 'href="?status=succeeded&amp;page=2"' in listed("?status=succeeded")


def test_htmx_gets_the_results_alone(jobs: None, listed: Any, request_for: Any) -> None:
    part = listed("?q=007", htmx="results")
    assert part.strip().startswith('<section id="results"')
    assert "<html" not in part
    assert "<html" in listed("?q=007", htmx="something-else")
    response = list_page(request_for(), title="任务", queryset=Job.objects.all(), table=JobTable)
    assert "HX-Request" in response["Vary"]


def test_export_holds_the_filtered_rows_in_the_shown_order(jobs: None, listed: Any) -> None:
    response = listed("?status=failed&sort=-title&page=2&export=csv")
    rows = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    assert rows[0] == ["任务", "状态", "提交时间"]
    assert len(rows) == 31
    assert rows[1] == ["任务 116", "未完成", "2026-11-23 10:00"]


def test_an_export_that_is_too_large_is_refused_with_a_way_out(jobs: None, listed: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(lists, "MOST_ROWS", 100)
    with pytest.raises(Refused, match="先筛选"):
        listed("?export=csv")


def test_no_export_where_it_is_not_offered(jobs: None, listed: Any) -> None:
    assert "export=" not in listed(export=False)


def test_the_empty_state_says_how_to_begin(listed: Any) -> None:
    text = listed(empty=Empty("还没有任务", "这里会列出任务。", Action("导入", "/desk/import/", icon="upload")))
    assert "还没有任务" in text
    assert '<a class="btn btn-primary" href="/desk/import/">' in text
    assert "没有符合条件" not in text


def test_actions_and_bulk_are_for_those_who_may(jobs: None, listed: Any) -> None:
    offer = {
        "actions": [Action("新建", "/desk/new/", permission="toy.new")],
        "bulk": [Bulk("作废", "/desk/void/", permission="toy.void", needs_reason=True)],
    }
    stranger, friend = listed(**offer), listed(**offer, permissions=frozenset({"toy.new", "toy.void"}))
    assert "/desk/new/" not in stranger
    assert "/desk/void/" not in stranger
    assert 'name="selected"' not in stranger
    assert 'class="btn btn-primary" href="/desk/new/"' in friend
    assert friend.count('name="selected"') == 50
    assert 'formaction="/desk/void/"' in friend
    assert 'name="reason"' in friend


def test_phone_cards_name_every_fact(jobs: None, listed: Any) -> None:
    text = listed()
    assert 'data-label="状态" data-phone="fact"' in text
    assert 'data-label="提交时间" data-phone="none"' in text


def test_cells_are_what_django_tables2_makes_of_them(jobs: None) -> None:
    class Odd(Table):
        words = django_tables2.Column(accessor="get_status_display")
        owner = django_tables2.Column(accessor="owner__display_name", default="无人")
        linked = django_tables2.Column(accessor="title", linkify=lambda record: f"/{record.pk}")
        status = django_tables2.Column()
        twice = django_tables2.Column(accessor="title", attrs={"td": {"data-of": lambda record: record.title}})

        def render_twice(self, value: str, record: Job, table: Table) -> str:
            return f"<{value}&{record.status}{len(table.columns)}>"

        class Meta(Table.Meta):
            model = Job
            fields = ("status",)

    table = Odd(Job.objects.order_by("title"))
    table.paginate(per_page=3)
    for line, row in zip(table.lines(), table.paginated_rows, strict=True):
        shown = re.findall(r"<td[^>]*>(.*?)</td>", line)
        assert shown == [str(conditional_escape(cell)) for _column, cell in row.items()]
        assert f'data-of="{row.record.title}"' in line
    assert "&lt;任务 002&amp;succeeded5&gt;" in shown and "无人" in shown
