"""Required custody over time, shortfalls, releases, guarantees; statements reconciled; differences that age."""

from datetime import date, datetime, timedelta

import pytest

from tests.builders.cast import NOW
from tests.builders.prepaid import World
from xiezhi.domains.prepaid.ledger import drafts
from xiezhi.domains.prepaid.models import BankLine, Difference, Release, Shortfall
from xiezhi.domains.prepaid.queries import custody as queries
from xiezhi.domains.prepaid.queries.verification import verify_books
from xiezhi.domains.prepaid.services import bank, custody
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.workflow.errors import Refused

LAST_QUARTER = datetime(2026, 9, 20, 10, tzinfo=NOW.tzinfo)
HEAD = "账号,流水号,日期,收入,支出,参考号,摘要\n"


def deposit(world: World, fen: int, reference: str = "B1", at: datetime = NOW) -> None:
    custody.deposit(account=world.account, amount_fen=fen, reference=reference, actor=world.owner, at=at)


def upload(world: World, *rows: str, name: str = "流水.csv", at: datetime = NOW) -> None:
    text = HEAD + "".join(f"{world.account.number},{row}\n" for row in rows)
    bank.import_statements(content=text.encode(), name=name, actor=world.banker, at=at)


def test_forty_percent_of_the_last_quarter_ends_balance_is_required(world: World) -> None:
    card = world.sale(paid=400_001, at=LAST_QUARTER).card
    world.redeem(card, amount_fen=100_000, at=NOW)  # this quarter: changes nothing yet
    day = queries.position(world.merchant, on=NOW.date())
    assert (day.owed, day.required, day.kept, day.gap) == (300_001, 160_001, 0, 160_001)
    before = queries.position(world.merchant, on=date(2026, 9, 30))
    assert before.required == 0
    later = queries.position(world.merchant, on=date(2027, 1, 1))
    assert later.required == 120_001


def test_youth_sports_keep_all_of_todays_balance(make_world: type[World]) -> None:
    world = make_world(industry="youth_sports")
    world.sale(kind="course", uses=10, paid=300_000)
    day = queries.position(world.merchant, on=NOW.date())
    assert day.required == 300_000


def test_the_newly_founded_keep_all_for_their_first_year(make_world: type[World]) -> None:
    world = make_world(founded_on=date(2026, 3, 2))
    world.sale(paid=100_000)
    assert queries.position(world.merchant, on=NOW.date()).required == 100_000
    assert queries.position(world.merchant, on=date(2027, 3, 2)).required == 40_000
    last_of_a_month = make_world(founded_on=date(2026, 3, 31))
    last_of_a_month.sale(paid=100_000)
    assert queries.position(last_of_a_month.merchant, on=date(2027, 3, 30)).required == 100_000


def test_a_shortfall_opens_is_told_and_closes_when_mended(world: World) -> None:
    world.sale(paid=400_000, at=LAST_QUARTER)
    assert custody.check_custody([world.merchant], at=NOW) == 1
    assert custody.check_custody([world.merchant], at=NOW) == 1
    shortfall = Shortfall.objects.get()
    assert (shortfall.gap_fen, shortfall.closed_on) == (160_000, None)
    deposit(world, 100_000, "B1")
    shortfall.refresh_from_db()
    assert (shortfall.gap_fen, shortfall.worst_fen) == (60_000, 160_000)
    deposit(world, 60_000, "B2")
    shortfall.refresh_from_db()
    assert shortfall.closed_on == NOW.date()
    assert world.merchant.subject.timeline.filter(kind__startswith="prepaid.shortfall").count() == 2


def test_a_guarantee_stands_in_for_custody_until_it_is_called(world: World) -> None:
    world.sale(paid=400_000, at=LAST_QUARTER)
    custody.grant_guarantee(merchant=world.merchant, amount_fen=160_000, reference="G1", actor=world.regulator, at=NOW)
    assert queries.position(world.merchant, on=NOW.date()).gap == 0
    custody.call_guarantee(account=world.account, amount_fen=50_000, reference="C1", actor=world.regulator, at=NOW)
    day = queries.position(world.merchant, on=NOW.date())
    assert (day.kept, day.covered, day.gap) == (50_000, 110_000, 0)
    with pytest.raises(drafts.Overdrawn):
        custody.call_guarantee(account=world.account, amount_fen=110_001, reference="C2", actor=world.regulator, at=NOW)
    assert verify_books().faults == ()


def ask(world: World, fen: int, key: str = "r1") -> Release:
    return custody.request_release(
        account=world.account, amount_fen=fen, purpose="演示用途", key=key, actor=world.owner, at=NOW
    )


def test_a_release_is_held_then_approved_only_while_custody_stays_enough(world: World) -> None:
    world.sale(paid=400_000, at=LAST_QUARTER)
    deposit(world, 200_000)
    release = ask(world, 40_001)
    with pytest.raises(drafts.Overdrawn):
        ask(world, 160_000, "r2")
    with pytest.raises(Refused, match="低于应存"):
        custody.decide_release(release=release, move="approve", actor=world.regulator, at=NOW)
    with pytest.raises(PermissionRefused):
        custody.decide_release(release=release, move="approve", actor=world.owner, at=NOW)
    custody.decide_release(release=release, move="withdraw", actor=world.owner, at=NOW)
    small = ask(world, 40_000, "r3")
    assert ask(world, 40_000, "r3") == small
    custody.decide_release(release=small, move="approve", actor=world.regulator, at=NOW)
    assert world.balance("custody") == 160_000
    with pytest.raises(Refused):
        custody.decide_release(release=small, move="refuse", reason="演示", actor=world.regulator, at=NOW)


def test_a_release_that_nobody_decides_sets_its_money_free(world: World) -> None:
    deposit(world, 1_000)
    ask(world, 1_000)
    late = NOW + timedelta(days=11)
    assert custody.expire_releases(at=late) == 1
    assert custody.expire_releases(at=late) == 0
    assert Release.objects.get().status == "expired"
    custody.note_bank_fee(account=world.account, amount_fen=1_000, reference="F1", actor=world.banker, at=late)
    assert world.balance("custody") == 0


def test_the_same_deposit_twice_is_one(world: World) -> None:
    deposit(world, 500, "B1")
    deposit(world, 500, "B1")
    assert world.balance("custody") == 500
    with pytest.raises(drafts.KeyReused):
        deposit(world, 600, "B1")


def test_reconciliation_finds_what_matches_lacks_exceeds_and_differs(world: World) -> None:
    for reference, fen in (("B1", 100), ("B2", 200), ("B3", 300)):
        deposit(world, fen, reference)
    upload(world, "L1,2026-11-23,1.00,,B1,", "L2,2026-11-23,2.50,,B2,", "L3,2026-11-23,,0.10,,账户管理费")
    found = {each.outcome: (each.bank_fen, each.book_fen) for each in Difference.objects.all()}
    assert found == {"amount_differs": (250, 200), "extra": (-10, None), "missing": (None, 300)}
    assert BankLine.objects.get(number="L1").matched
    assert bank.reconcile_account(account=world.account, at=NOW).matched == 0
    assert Difference.objects.count() == 3
    custody.note_bank_fee(account=world.account, amount_fen=10, reference="L3", actor=world.banker, at=NOW)
    upload(world, "L4,2026-11-24,3.00,,B3,", name="第二份.csv")
    states = {each.outcome: each.status for each in Difference.objects.all()}
    assert states == {"amount_differs": "open", "extra": "matched", "missing": "matched"}
    difference = Difference.objects.get(outcome="amount_differs")
    with pytest.raises(Refused, match="写明"):
        bank.explain_difference(difference=difference, note=" ", actor=world.regulator, at=NOW)
    bank.explain_difference(difference=difference, note="商户多汇，已另记", actor=world.regulator, at=NOW)
    assert bank.open_differences(world.account) == {}


def test_what_no_statement_covers_yet_is_not_missing(world: World) -> None:
    deposit(world, 100, "B1")
    deposit(world, 100, "B9", at=NOW + timedelta(days=5))
    upload(world, "L1,2026-11-23,1.00,,B1,")
    assert not Difference.objects.exists()


def test_differences_escalate_once_after_their_time(world: World) -> None:
    upload(world, "L1,2026-11-23,1.00,,B1,")
    assert bank.escalate_differences(at=NOW + timedelta(days=2)) == 0
    assert bank.escalate_differences(at=NOW + timedelta(days=4)) == 1
    assert bank.escalate_differences(at=NOW + timedelta(days=5)) == 0


def test_a_statement_is_taken_in_once_and_whole(world: World, other_world: World) -> None:
    upload(world, "L1,2026-11-23,1.00,,,")
    with pytest.raises(Refused, match="已经导入过"):
        upload(world, "L1,2026-11-23,1.00,,,", name="另一个名字.csv")
    with pytest.raises(Refused, match="先前的流水里已经有了"):
        upload(world, "L0,2026-11-23,2.00,,,", "L1,2026-11-23,1.00,,,")
    assert BankLine.objects.count() == 1
    with pytest.raises(PermissionRefused):
        text = f"{HEAD}{other_world.account.number},X,2026-11-23,1.00,,,\n"
        bank.import_statements(content=text.encode(), name="x", actor=world.banker, at=NOW)


CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>
<Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">0.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{closing}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2026-11-23</Dt></BookgDt><AcctSvcrRef>L1</AcctSvcrRef>
<NtryDtls><TxDtls><Refs><EndToEndId>B1</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>
</Stmt></BkToCstmrStmt></Document>"""


def camt(world: World, **facts: str) -> bytes:
    given = {
        "account": world.account.number,
        "currency": "CNY",
        "amount": "1.00",
        "direction": "CRDT",
        "closing": "1.00",
    }
    return CAMT.format(**{**given, **facts}).encode()


def test_camt_053_is_read_like_a_table(world: World) -> None:
    deposit(world, 100, "B1")
    (statement,) = bank.import_statements(content=camt(world), name="a.xml", actor=world.banker, at=NOW)
    assert (statement.opening_fen, statement.closing_fen) == (0, 100)
    assert BankLine.objects.get().matched
    assert not Difference.objects.exists()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"amount": "1.005"}, "不足一分"),
        ({"amount": "-1.00"}, "范围"),
        ({"amount": "1e30"}, "范围"),
        ({"amount": "NaN"}, "范围"),
        ({"amount": "壹元"}, "不是金额"),
        ({"amount": "0.00", "closing": "0.00"}, "大于零"),
        ({"currency": "USD"}, "人民币"),
        ({"direction": "BOTH"}, "借贷方向"),
        ({"closing": "2.00"}, "期末余额"),
        ({"account": "6200999999999"}, "没有登记"),
    ],
)
def test_camt_that_does_not_hold_together_is_refused_whole(world: World, facts: dict[str, str], words: str) -> None:
    with pytest.raises(Refused, match=words):
        bank.import_statements(content=camt(world, **facts), name="a.xml", actor=world.banker, at=NOW)
    assert not BankLine.objects.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "空的"),
        (b"<a><b></a>", "完整的 XML"),
        (b"<a/>", "camt.053"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "DOCTYPE"),
        ("账号,日期\n".encode(), "流水号"),
        (HEAD.encode(), "没有流水"),
        ((HEAD + "1234567890,L1,2026-13-01,1,,,\n").encode(), "第 2 行.*不是日期"),
        ((HEAD + "1234567890,L1,2026-11-23,1,2,,\n").encode(), "有且只有一个"),
        ((HEAD + "1234567890,L1,2026-11-23,0.001,,,\n").encode(), "不足一分"),
        ((HEAD + "1234567890,L1,2026-11-23,1,,,\n1234567890,L1,2026-11-23,1,,,\n").encode(), "两次"),
        (b"\xff\xff\xff\x00\x81", "读不出文字"),
    ],
)
def test_files_that_cannot_be_read_say_why(world: World, content: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        bank.import_statements(content=content, name="x", actor=world.banker, at=NOW)
