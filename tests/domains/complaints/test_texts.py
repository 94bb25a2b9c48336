"""Texts as they come: masked for those who need not know, cleaned of what no database holds, cut for searching, split from work orders."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xiezhi.domains.complaints.texts import clean, heading, mask_personal, search_words
from xiezhi.domains.complaints.words import EndGround, RefusalGround, article_of
from xiezhi.domains.complaints.workorders import split_order


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("请打 19900001234 找我", "请打 199****1234 找我"),
        ("+86 199-0000-1234", "199****1234"),
        ("座机 010-66668888", "座机 010-****8888"),
        ("身份证110199199001011234。", "身份证1101**************。"),
        ("邮箱 wang.mou@example.cn", "邮箱 w***@example.cn"),
        ("卡号 6200 0000 0000 1234", "卡号 6200 **** **** 1234"),
        ("工单 20261123000001234567890 与 3600 元", "工单 20261123000001234567890 与 3600 元"),
    ],
)
def test_personal_numbers_are_masked_and_others_left(text: str, masked: str) -> None:
    assert mask_personal(text) == masked


@settings(max_examples=50)
@given(st.text(), st.integers(0, 99_999_999), st.text())
def test_no_mobile_number_survives(before: str, number: int, after: str) -> None:
    mobile = f"199{number:08d}"
    assert mobile not in mask_personal(f"{before} {mobile}，{after}")


def test_what_no_database_holds_is_dropped_and_emoji_stay() -> None:
    assert clean("a\x00b\x07\r\nc\ud800😀\t ") == "ab\nc😀"
    assert heading("我是19900001234，面包发霉。请处理") == "我是199****1234，面包发霉"


@settings(max_examples=50)
@given(st.text(alphabet="面包过期abc12 ，", min_size=1, max_size=30))
def test_every_part_of_a_text_is_found_by_its_words(text: str) -> None:
    whole = set(search_words(text))
    for start in range(0, len(text) - 3, 3):
        part = text[start : start + 4]
        if all("\u4e00" <= sign <= "\u9fff" for sign in part):
            assert set(search_words(part)) <= whole


def test_a_work_order_is_split_and_what_is_unknown_left_out() -> None:
    found = split_order(
        "【工单编号】：YS1；诉求人：演示王某，联系电话：19900001234\n诉求类型：投诉举报\n紧急程度：特急\n"
        "诉求时间：2026年11月23日 8:05\n诉求内容：面包发霉，\n第二行：要求退款。\n办理时限：24小时"
    )
    assert found == {
        "number": "YS1", "name": "演示王某", "phone": "19900001234", "kind": "complaint", "urgency": "emergency",
        "received_at": "2026-11-23T08:05", "description": "面包发霉，\n第二行：要求退款。", "tier": "24h",
    }  # fmt: skip
    free = split_order("我昨天在店里买的面包发霉，电话 19900001234")
    assert free == {"description": "我昨天在店里买的面包发霉，电话 19900001234", "phone": "19900001234"}
    assert split_order("   ") == {}


def test_grounds_are_closed_lists_with_their_articles() -> None:
    assert len(RefusalGround) == 7 and len(EndGround) == 8
    assert article_of("16-7") == "第十六条第（七）项" and article_of("23-5") == "第二十三条第（五）项"
