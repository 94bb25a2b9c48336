"""What is read from a year's notice, and what is refused in it."""

import io
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from xiezhi.foundation.calendar.models import SpecialDay
from xiezhi.foundation.calendar.notices import Day, checked, read_file, read_text
from xiezhi.foundation.workflow.errors import Refused

HOLIDAY, MAKEUP = SpecialDay.Kind.HOLIDAY, SpecialDay.Kind.MAKEUP
NOTICE_2026 = """
各省、自治区、直辖市人民政府，国务院各部委、各直属机构：
经国务院批准，现将2026年元旦、春节、清明节、劳动节、端午节、中秋节和国庆节放假调休日期的具体安排通知如下。
一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。
二、春节：2月15日（农历腊月二十八、周日）至23日（农历正月初七、周一）放假调休，共9天。2月14日（周六）、2月28日（周六）上班。
三、清明节：4月4日（周六）至6日（周一）放假，共3天。
四、劳动节：5月1日（周五）至5日（周二）放假调休，共5天。5月9日（周六）上班。
五、端午节：6月19日（周五）至21日（周日）放假，共3天。
六、中秋节：9月25日（周五）至27日（周日）放假，共3天。
七、国庆节：10月1日（周四）至7日（周三）放假调休，共7天。9月20日（周日）、10月10日（周六）上班。
国务院办公厅
2025年11月4日
"""


@pytest.mark.django_db
def test_the_notices_own_sentences_give_the_days_that_came_with_the_software():
    days, troubles = read_text(NOTICE_2026, 2026)
    assert troubles == []
    kept, troubles, remarks = checked(days, 2026)
    assert (troubles, remarks) == ([], [])
    stored = SpecialDay.objects.filter(year=2026).order_by("day").values_list("day", "kind", "name")
    assert [(each.on, each.kind, each.name) for each in kept] == list(stored)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.dates(date(2027, 1, 1), date(2027, 12, 31)), st.booleans()),
        unique_by=lambda each: each[0],
        min_size=1,
    )
)
def test_days_written_as_lines_read_the_same_again(picked):
    days = [Day(on, HOLIDAY if off else MAKEUP, "演示节") for on, off in picked]
    again, troubles = read_text("\n".join(each.as_line() for each in days), 2027)
    assert troubles == [] and [(each.on, each.kind, each.name) for each in again] == [
        (each.on, each.kind, each.name) for each in days
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2027-02-30 放假 春节", "第 1 行：没有这一天"),
        ("\n2027-02-05 元旦", "第 2 行：没有写明“放假”还是“上班”"),
        ("一、元旦：1月1日（周四）放假，共1天。", "2027-01-01 不是周四"),
        ("一、元旦：1月1日（周五）至3日（周日）放假，共8天。", "写着共 8 天，读到 3 天"),
        ("一、元旦：1月5日至3日放假。", "早于开始日期"),
        ("一、元旦：1月32日放假。", "没有这一天：1月32日"),
        ("2027-01-01 至 2027-03-01 放假 元旦", "太长"),
        ("一、元旦：1月1日。", "看不出哪几天"),
    ],
)
def test_a_line_that_cannot_be_right_is_named(text, message):
    _days, troubles = read_text(text, 2027)
    assert [str(each) for each in troubles if message in str(each)], troubles


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2027-01-02 放假 元旦\n2027-01-02 上班 元旦", "第 2 行：2027-01-02 既放假又上班"),
        ("2027-01-04 上班 元旦", "本来就是工作日"),
        ("2028-01-03 放假 元旦", "不在 2027 年"),
        ("2027-01-01 放假", "没有写是什么节日"),
        ("", "没有读到任何"),
    ],
)
def test_days_that_clash_are_refused(text, message):
    _kept, troubles, _remarks = checked(read_text(text, 2027)[0], 2027)
    assert [str(each) for each in troubles if message in str(each)], troubles


def test_a_weekend_of_the_year_before_is_left_out_with_a_remark_and_few_holidays_are_remarked():
    kept, troubles, remarks = checked(read_text("2026-12-27 至 2027-01-01 放假 元旦", 2027)[0], 2027)
    assert [each.on for each in kept] == [date(2027, 1, 1)]
    assert len(troubles) == 4  # Monday to Thursday of the year before would count
    assert any("2026-12-27" in each for each in remarks) and any("只有 1 天放假" in each for each in remarks)


def sheet(path: Path, *rows: tuple) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    path.write_bytes(content.getvalue())
    return path


def test_a_sheet_is_read_by_its_titles_and_a_wrong_one_is_refused(tmp_path):
    good = sheet(
        tmp_path / "good.xlsx",
        ("日期", "结束日期", "类别", "名称"),
        (date(2027, 2, 5), "2027-02-07", "放假", "春节"),
        ("2027-02-14", None, "上班", "春节"),
        ("昨天", None, "放假", "春节"),
        ("2027-05-01", None, "也许", "劳动节"),
    )
    days, troubles = read_file(good)
    assert [each.on for each in days] == [date(2027, 2, 5) + timedelta(days=n) for n in range(3)] + [date(2027, 2, 14)]
    assert [each.line for each in troubles] == [4, 5]
    assert "“日期”列" in str(troubles[0]) and "“类别”列写着“也许”" in str(troubles[1])
    with pytest.raises(Refused, match="看起来不是放假安排"):
        read_file(sheet(tmp_path / "wrong.xlsx", ("企业名称", "统一社会信用代码"), ("演示", "1")))
