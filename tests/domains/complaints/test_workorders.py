"""Work orders as offices print them, copied whole: every layout gives the same fields. All people, firms and numbers are invented."""

import pytest

from xiezhi.domains.complaints.workorders import is_mixed, kinds_in, split_order, tier_of, urgency_of

LINES = """北京市 12345 市民服务热线工单
工单编号：YS20261120000123
诉求类型：投诉    紧急程度：一般    处理时限：7个工作日
来电时间：2026年11月20日 9时05分
来电人：演示赵某某    来电号码：199 1234 5678
被反映单位：北京示例健身有限公司
问题地址：金榆街 8 号 B1 层
所属街道：金榆街道
主要内容：市民反映在该店办了 2000 元年卡，店铺 11 月闭店。
要求退还余额。
诉求目的：退款
承办单位：演示区市场监督管理局
"""
BRACKETS = """【工单编号】YS20261120000123【诉求类型】投诉【紧急程度】一般【处理时限】7天
【来电时间】2026-11-20 09:05:33【来电人】演示赵某某【来电号码】19912345678
【被反映单位】北京示例健身有限公司【问题地址】金榆街 8 号 B1 层【所属街道】金榆街道
【主要内容】市民反映在该店办了 2000 元年卡，店铺 11 月闭店。
要求退还余额。
【诉求目的】退款【附件】无"""
TABLE = """工单编号\tYS20261120000123\t诉求类型\t投诉
来电时间\t2026/11/20 上午9:05\t紧急程度\t一般
来电人\t演示赵某某\t来电号码\t19912345678
被反映单位\t北京示例健身有限公司\t处理时限\t7日
问题地址\t金榆街 8 号 B1 层\t所属街道\t金榆街道
主要内容\t市民反映在该店办了 2000 元年卡，店铺 11 月闭店。
要求退还余额。
诉求目的\t退款
备注\t无"""
BELOW = """工单编号
YS20261120000123
诉求类型
投诉
来电时间
2026-11-20 09:05
来电人
演示赵某某
来电号码
19912345678
被反映单位
北京示例健身有限公司
问题地址
金榆街 8 号 B1 层
所属街道
金榆街道
紧急程度
一般
办理时限
7天
主要内容
市民反映在该店办了 2000 元年卡，店铺 11 月闭店。
要求退还余额。
诉求目的
退款
"""
SEMICOLONS = (
    "工单编号：YS20261120000123；诉求类型：投诉；来电时间：2026-11-20 09:05；来电人：演示赵某某；来电号码：19912345678；"
    "被反映单位：北京示例健身有限公司；问题地址：金榆街 8 号 B1 层；所属街道：金榆街道；紧急程度：一般；办理时限：7天；"
    "诉求目的：退款；主要内容：市民反映在该店办了 2000 元年卡，店铺 11 月闭店。\n要求退还余额。"
)
SAID = {
    "number": "YS20261120000123", "kind": "complaint", "urgency": "normal", "tier": "7d", "received_at": "2026-11-20T09:05",
    "name": "演示赵某某", "respondent_name": "北京示例健身有限公司", "place": "金榆街 8 号 B1 层", "street": "金榆街道",
    "description": "市民反映在该店办了 2000 元年卡，店铺 11 月闭店。\n要求退还余额。", "demand_text": "退款",
}  # fmt: skip


@pytest.mark.parametrize(
    "layout", [LINES, BRACKETS, TABLE, BELOW, SEMICOLONS], ids=["lines", "brackets", "table", "below", "semicolons"]
)
def test_every_layout_of_the_hotline_gives_the_same_fields(layout: str) -> None:
    found = split_order(layout)
    assert found.pop("phone").replace(" ", "") == "19912345678"
    assert found == SAID
    assert split_order(layout.replace("\n", "\r\n"))["description"] == SAID["description"]


def test_the_platforms_order_a_message_and_a_bare_text() -> None:
    found = split_order(
        "登记编号：1110000002026112000001\n业务类型：举报\n登记时间：2026-11-20 15:30:00\n提供方姓名：演示钱某 （匿名：否）\n"
        "提供方电话：19900001111\n涉及主体名称：北京示例食品有限公司\n统一社会信用代码：91110199MA0000017K\n"
        "举报问题类别：食品\n举报内容：该店销售过期点心，标签：生产日期不清。\n事发时间：2026年11月18日 下午3时\n事发地址：演示路 1 号"
    )
    assert found["kind"] == "report" and found["number"] == "1110000002026112000001" and found["category"] == "食品"
    assert found["subject_code"] == "91110199MA0000017K" and found["happened_on"] == "2026-11-18"
    assert found["description"].startswith(
        "该店销售过期点心，标签：生产日期不清"
    )  # a label of theirs inside a sentence is text
    mail = split_order("您好，我在北京示例超市有限公司买到发霉面包，电话 19900002222，请处理。")
    assert (
        mail["phone"] == "19900002222"
        and mail["respondent_name"] == "北京示例超市有限公司"
        and "发霉" in mail["description"]
    )
    assert split_order("  \n ") == {}
    assert split_order("来电人：无\n联系电话：不详\n主要内容：😀很吵") == {"description": "😀很吵"}


def test_words_of_types_tiers_and_urgency() -> None:
    assert kinds_in("投诉举报") == ["complaint", "report"] and kinds_in("表扬") == []
    assert is_mixed("投诉举报", "") and is_mixed("投诉", "要求退款，并依法查处") and not is_mixed("举报", "请查处")
    assert not is_mixed("投诉", "商家说随便举报") and not is_mixed("咨询", "怎么举报该店")
    assert [tier_of(text) for text in ("2小时", "24 小时内", "7个工作日", "十五日", "2026-11-30 18:00", "12小时")] == ["2h", "24h", "7d", "15d", "", ""]  # fmt: skip
    assert [urgency_of(text) for text in ("一般", "紧急", "特急", "不急", "加急")] == ["normal", "urgent", "emergency", "normal", "urgent"]  # fmt: skip


def test_a_hundred_thousand_characters_are_split_without_delay() -> None:
    assert len(split_order("主要内容：" + "很" * 100_000)["description"]) == 100_000
    assert len(split_order("：" * 50_000 + "【" * 50_000).get("description", "")) <= 100_000
