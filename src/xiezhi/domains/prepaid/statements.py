"""Reading what banks send: CSV with a heading line, and ISO 20022 camt.053. Pure: bytes in, statements out, or a refusal saying where."""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from xml.etree import ElementTree

from django.utils.translation import gettext as _

from xiezhi.domains.prepaid.ledger.drafts import MOST_FEN
from xiezhi.foundation.workflow.errors import Refused

MOST_LINES = 200_000
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "account": ("账号", "存管账号", "account"),
    "number": ("流水号", "交易流水号", "number"),
    "on": ("日期", "入账日期", "交易日期", "date"),
    "credit": ("收入", "贷方金额", "credit"),
    "debit": ("支出", "借方金额", "debit"),
    "reference": ("参考号", "业务参考号", "reference"),
    "note": ("摘要", "note"),
}
REQUIRED = ("account", "number", "on", "credit", "debit")


@dataclass(frozen=True)
class Line:
    """One movement; `amount_fen` positive into the account."""

    number: str
    on: date
    amount_fen: int
    reference: str = ""
    note: str = ""


@dataclass(frozen=True)
class ParsedStatement:
    """What a file says of one account. Balances None where it does not say."""

    account: str
    lines: tuple[Line, ...]
    first_on: date
    last_on: date
    opening_fen: int | None = None
    closing_fen: int | None = None

    @property
    def digest(self) -> str:
        """Of what it says: the same statement in another file or format has the same."""
        parts = [
            self.account,
            self.first_on,
            self.last_on,
            *((each.number, each.on, each.amount_fen) for each in self.lines),
        ]
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def parse(content: bytes) -> list[ParsedStatement]:
    """The statements in a file, one for each account. Raises Refused naming the place and what would be right."""
    start = content.lstrip(b"\xef\xbb\xbf \r\n\t")[:200]
    if not start:
        raise Refused(_("文件是空的。"))
    return parse_camt(content) if start.startswith(b"<") else parse_csv(content)


def yuan_to_fen(text: str, where: str) -> int:
    """`1,234.50` → 123450. Raises Refused for what is no amount, negative, has fractions of a fen, or is too large."""
    cleaned = text.strip().replace(",", "").removeprefix("¥")
    try:
        amount = Decimal(cleaned) * 100
    except InvalidOperation:
        raise Refused(
            _("%(where)s：“%(text)s”不是金额，例如应写 1234.50。") % {"where": where, "text": text[:30]}
        ) from None
    if not amount.is_finite() or amount < 0 or amount > MOST_FEN:
        raise Refused(_("%(where)s：金额 %(text)s 超出可以接受的范围。") % {"where": where, "text": text[:30]})
    if amount != int(amount):
        raise Refused(_("%(where)s：金额 %(text)s 有不足一分的部分，请核对。") % {"where": where, "text": text[:30]})
    return int(amount)


def parse_csv(content: bytes) -> list[ParsedStatement]:
    """A table with a heading line; encodings UTF-8 and GB 18030."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            raise Refused(_("读不出文字，请另存为 UTF-8 编码的 CSV 后重新上传。")) from None
    rows = csv.reader(io.StringIO(text, newline=""))
    headings = [cell.strip() for cell in next(rows, [])]
    places = {
        key: next((headings.index(name) for name in names if name in headings), None) for key, names in COLUMNS.items()
    }
    lost = [COLUMNS[key][0] for key in REQUIRED if places[key] is None]
    if lost:
        raise Refused(_("表头缺少这些列：%(columns)s。") % {"columns": _("、").join(lost)})
    found: dict[str, list[Line]] = {}
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        if number > MOST_LINES:
            raise Refused(_("流水超过 %(most)s 行，请按日期拆成几个文件。") % {"most": MOST_LINES})
        cells = {key: row[at].strip() if at is not None and at < len(row) else "" for key, at in places.items()}
        account, line = _csv_line(cells, _("第 %(number)s 行") % {"number": number})
        found.setdefault(account, []).append(line)
    if not found:
        raise Refused(_("文件里没有流水。"))
    return [_statement(account, lines) for account, lines in sorted(found.items())]


def _csv_line(cells: dict[str, str], where: str) -> tuple[str, Line]:
    if not cells["account"] or not cells["number"]:
        raise Refused(_("%(where)s：账号和流水号不能为空。") % {"where": where})
    credit = yuan_to_fen(cells["credit"] or "0", where)
    debit = yuan_to_fen(cells["debit"] or "0", where)
    if bool(credit) == bool(debit):
        raise Refused(_("%(where)s：收入和支出须有且只有一个大于零。") % {"where": where})
    day = cells["on"].replace("/", "-").replace(".", "-")
    return "".join(cells["account"].split()), Line(
        cells["number"][:64], _day(day, where), credit - debit, cells["reference"][:64], cells["note"][:200]
    )


def _day(text: str, where: str) -> date:
    compact = re.fullmatch(r"(\d{4})-?(\d{1,2})-?(\d{1,2})", text.strip()[:10])
    try:
        if compact is None:
            raise ValueError
        return date(*map(int, compact.groups()))
    except ValueError:
        raise Refused(
            _("%(where)s：“%(text)s”不是日期，例如应写 2026-11-23。") % {"where": where, "text": text[:30]}
        ) from None


def parse_camt(content: bytes) -> list[ParsedStatement]:
    """camt.053 of any version. Only CNY; only booked entries. Declarations of entities are refused unread."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise Refused(_("这个 XML 文件带有 DOCTYPE 声明，camt.053 不应有，没有读取。"))
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise Refused(
            _("不是完整的 XML：第 %(line)s 行第 %(column)s 列。")
            % dict(zip(("line", "column"), error.position, strict=True))
        ) from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    found = root.findall("./BkToCstmrStmt/Stmt")
    if not found:
        raise Refused(_("不是 camt.053 银行对账单：没有 BkToCstmrStmt/Stmt。"))
    return [_camt_statement(each, number) for number, each in enumerate(found, start=1)]


def _camt_statement(statement: ElementTree.Element, number: int) -> ParsedStatement:
    where = _("第 %(number)s 份对账单") % {"number": number}
    account = _text(statement, "./Acct/Id/IBAN") or _text(statement, "./Acct/Id/Othr/Id")
    if not account:
        raise Refused(_("%(where)s：没有账号（Acct/Id）。") % {"where": where})
    lines = []
    for position, entry in enumerate(statement.findall("./Ntry"), start=1):
        here = _("%(where)s第 %(position)s 笔") % {"where": where, "position": position}
        status = _text(entry, "./Sts/Cd") or _text(entry, "./Sts")
        if status and status != "BOOK":
            continue
        lines.append(_camt_line(entry, here))
        if len(lines) > MOST_LINES:
            raise Refused(_("流水超过 %(most)s 行，请按日期拆成几个文件。") % {"most": MOST_LINES})
    opening, closing = (_camt_balance(statement, codes, where) for codes in (("OPBD", "PRCD"), ("CLBD",)))
    parsed = _statement(
        "".join(account.split()), lines, statement=statement, where=where, opening=opening, closing=closing
    )
    if opening is not None and closing is not None and opening + sum(line.amount_fen for line in lines) != closing:
        raise Refused(_("%(where)s：期初余额加各笔流水不等于期末余额，文件可能不完整。") % {"where": where})
    return parsed


def _camt_line(entry: ElementTree.Element, where: str) -> Line:
    fen, direction = _camt_amount(entry, where), _text(entry, "./CdtDbtInd")
    if direction not in {"CRDT", "DBIT"}:
        raise Refused(_("%(where)s：没有借贷方向（CdtDbtInd）。") % {"where": where})
    if _text(entry, "./RvslInd") == "true":
        direction = "DBIT" if direction == "CRDT" else "CRDT"
    day = _text(entry, "./BookgDt/Dt") or _text(entry, "./BookgDt/DtTm")
    number = _text(entry, "./AcctSvcrRef") or _text(entry, "./NtryRef")
    if not number:
        raise Refused(_("%(where)s：没有银行流水号（AcctSvcrRef 或 NtryRef）。") % {"where": where})
    if not fen:
        raise Refused(_("%(where)s：金额须大于零。") % {"where": where})
    reference = _text(entry, "./NtryDtls/TxDtls/Refs/EndToEndId")
    return Line(
        number[:64],
        _day(day, where),
        fen if direction == "CRDT" else -fen,
        "" if reference == "NOTPROVIDED" else reference[:64],
        (_text(entry, "./NtryDtls/TxDtls/RmtInf/Ustrd") or _text(entry, "./AddtlNtryInf"))[:200],
    )


def _camt_amount(element: ElementTree.Element, where: str) -> int:
    amount = element.find("./Amt")
    if amount is None or not amount.text:
        raise Refused(_("%(where)s：没有金额（Amt）。") % {"where": where})
    if amount.get("Ccy", "CNY") != "CNY":
        raise Refused(
            _("%(where)s：币种是 %(currency)s，只接受人民币（CNY）。") % {"where": where, "currency": amount.get("Ccy")}
        )
    return yuan_to_fen(amount.text, where)


def _camt_balance(statement: ElementTree.Element, codes: tuple[str, ...], where: str) -> int | None:
    for balance in statement.findall("./Bal"):
        if _text(balance, "./Tp/CdOrPrtry/Cd") in codes:
            fen = _camt_amount(balance, where)
            return -fen if _text(balance, "./CdtDbtInd") == "DBIT" else fen
    return None


def _statement(
    account: str,
    lines: list[Line],
    *,
    statement: ElementTree.Element | None = None,
    where: str = "",
    opening: int | None = None,
    closing: int | None = None,
) -> ParsedStatement:
    if twice := [number for number, times in Counter(line.number for line in lines).items() if times > 1]:
        raise Refused(
            _("账号 %(account)s：流水号 %(number)s 出现了两次。")
            % {"account": f"···{account[-4:]}", "number": min(twice)}
        )
    days = [line.on for line in lines]
    if statement is not None:
        for path in ("./FrToDt/FrDtTm", "./FrToDt/ToDtTm"):
            if text := _text(statement, path):
                days.append(_day(text, where))
    if not days:
        raise Refused(_("%(where)s：没有流水，也没有起止日期（FrToDt）。") % {"where": where})
    return ParsedStatement(account, tuple(lines), min(days), max(days), opening, closing)


def _text(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()
