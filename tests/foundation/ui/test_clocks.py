from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from xiezhi.foundation.ui.clocks import time_left

BEIJING = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=BEIJING)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("due", "text", "tone"),
    [
        ("2026-11-25 18:00:00", "剩 2 个工作日（11-25 18:00 前）", "caution"),
        ("2026-11-30 18:00:00", "剩 5 个工作日（11-30 18:00 前）", "neutral"),
        ("2026-11-23 18:00:00", "剩 9 小时（今天 18:00 前）", "warning"),
        ("2026-11-23 09:00:30", "剩 不到 1 分钟（今天 09:00 前）", "warning"),
        ("2026-11-23 08:30:00", "已超 30 分钟（11-23 08:30 截止）", "urgent"),
        ("2026-11-20 18:00:00", "已超 2 天（11-20 18:00 截止）", "urgent"),
        ("2025-12-31 18:00:00", "已超 326 天（2025-12-31 18:00 截止）", "urgent"),
    ],
)
def test_deadlines_in_words(due: str, text: str, tone: str) -> None:
    left = time_left(datetime.fromisoformat(due).replace(tzinfo=BEIJING), MONDAY)
    assert (left.text, left.tone) == (text, tone)


def test_the_national_holiday_does_not_count() -> None:
    before = datetime(2026, 9, 30, 9, 0, tzinfo=BEIJING)
    # Thursday 8 October 2026 is the first working day after the holiday of 1 to 7 October.
    assert time_left(datetime(2026, 10, 8, 18, 0, tzinfo=BEIJING), before).text.startswith("剩 1 个工作日")
