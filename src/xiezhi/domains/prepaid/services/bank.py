"""The bank's side: statements taken in once, reconciled with the book, differences shown to people and never adjusted away."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.prepaid import rules
from xiezhi.domains.prepaid.ledger.drafts import Phase
from xiezhi.domains.prepaid.models import Account, BankAccount, BankLine, Difference, Entry, Statement
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.services.custody import check_custody
from xiezhi.domains.prepaid.statements import ParsedStatement, parse
from xiezhi.engines.custody import BankItem, BookItem, Match, Outcome, reconcile
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.events.services import publish
from xiezhi.foundation.notices.services import notify, people_holding
from xiezhi.foundation.rules.queries import reading
from xiezhi.foundation.workflow.errors import Refused

CHUNK = 500


@dataclass(frozen=True)
class Reconciled:
    """What one run found: pairs made now, and differences that stand open after it, by outcome."""

    matched: int
    open: dict[str, int]


def import_statements(*, content: bytes, name: str, actor: Actor, at: datetime) -> list[Statement]:
    """Take in a bank's file (CSV or camt.053), whole or not at all, and reconcile its accounts.

    Raises Refused for a file that cannot be read, an account we do not know, a statement or a line taken in before; PermissionRefused
    for another bank's account.
    """
    parsed = parse(content)
    with transaction.atomic():
        statements = [_keep(each, name, actor, at) for each in parsed]
        for account in {each.bank_account for each in statements}:
            reconcile_account(account=account, at=at)
        check_custody({each.bank_account.merchant for each in statements}, at=at)
    return statements


def _keep(parsed: ParsedStatement, name: str, actor: Actor, at: datetime) -> Statement:
    account = BankAccount.objects.select_related("merchant").filter(number=parsed.account).first()
    if account is None:
        raise Refused(_("账号 ···%(tail)s 没有登记为存管账户，请核对。") % {"tail": parsed.account[-4:]})
    if not (actor.can(May.SUPERVISE) or (actor.can(May.REPORT) and actor.organisation_id == account.bank_id)):
        raise PermissionRefused(_("只能导入本行存管账户的流水。"))
    if Statement.objects.filter(bank_account=account, digest=parsed.digest).exists():
        raise Refused(_("这份流水（···%(tail)s，%(first)s 至 %(last)s）已经导入过。") % {
            "tail": parsed.account[-4:], "first": parsed.first_on, "last": parsed.last_on
        })  # fmt: skip
    numbers = [line.number for line in parsed.lines]
    for start in range(0, len(numbers), CHUNK):
        known = BankLine.objects.filter(bank_account=account, number__in=numbers[start : start + CHUNK]).first()
        if known is not None:
            raise Refused(_("流水号 %(number)s 在先前的流水里已经有了，没有重复导入。") % {"number": known.number})
    statement = Statement.objects.create(
        bank_account=account,
        name=name[:150],
        digest=parsed.digest,
        first_on=parsed.first_on,
        last_on=parsed.last_on,
        opening_fen=parsed.opening_fen,
        closing_fen=parsed.closing_fen,
        imported_at=at,
    )
    BankLine.objects.bulk_create(
        BankLine(
            statement=statement,
            bank_account=account,
            number=line.number,
            on=line.on,
            amount_fen=line.amount_fen,
            reference=line.reference,
            note=line.note,
        )
        for line in parsed.lines
    )
    record("prepaid.statement_imported", statement, actor=actor, at=at, lines=len(parsed.lines), digest=parsed.digest)
    return statement


@transaction.atomic
def reconcile_account(*, account: BankAccount, at: datetime) -> Reconciled:
    """Match what is not matched yet and note the rest as differences. Running it again changes nothing.

    An entry of the book counts as missing at the bank only up to the last day that a statement covers.
    """
    mirror = Account.objects.select_for_update().get(bank_account=account)
    last = Statement.objects.filter(bank_account=account).order_by("-last_on").values_list("last_on", flat=True).first()
    if last is None:
        return Reconciled(0, {})
    lines = {each.pk: each for each in BankLine.objects.filter(bank_account=account, matched=None)}
    entries = {each.sequence: each for each in _unmatched_entries(account, mirror)}
    findings = reconcile(
        [BankItem(each.pk, each.on, each.amount_fen, each.reference) for each in lines.values()],
        [_book_item(each, mirror) for each in entries.values()],
        days=reading(rules.MATCH_DAYS, on=timezone.localdate(at)).value,
    )
    matched = [each for each in findings if each.outcome == Outcome.MATCHED]
    for each in matched:
        BankLine.objects.filter(pk=each.bank or 0).update(matched=each.book)
    _settle_matched(account, matched, at)
    for each in findings:
        if each.outcome != Outcome.MATCHED:
            _note(account, each, lines, entries, mirror, last, at)
    return Reconciled(len(matched), open_differences(account))


def open_differences(account: BankAccount) -> dict[str, int]:
    """How many differences of an account wait for people, by outcome."""
    found = Difference.objects.filter(bank_account=account, status=Difference.Status.OPEN).values_list(
        "outcome", flat=True
    )
    return {outcome: list(found).count(outcome) for outcome in sorted(set(found))}


@transaction.atomic
def explain_difference(*, difference: Difference, note: str, actor: Actor, at: datetime) -> Difference:
    """Settle a difference with a person's explanation. Nothing is adjusted: what must be booked is booked as an operation of its own."""
    actor.require(May.SUPERVISE)
    if not note.strip():
        raise Refused(_("请写明差异的原因和处理结果。"))
    locked: Difference = Difference.objects.select_for_update(of=("self",)).get(pk=difference.pk)
    if locked.status != Difference.Status.OPEN:
        raise Refused(_("这条差异已经处理。"))
    locked.status, locked.note, locked.settled_at = Difference.Status.EXPLAINED, note.strip()[:200], at
    locked.save(update_fields=["status", "note", "settled_at"])
    record("prepaid.difference_explained", locked, actor=actor, at=at, outcome=locked.outcome)
    return locked


@transaction.atomic
def escalate_differences(*, at: datetime) -> int:
    """Tell the supervisors of differences that have waited too long, once each; returns how many. For the ticker."""
    limit = at - timedelta(days=reading(rules.ESCALATE_DAYS, on=timezone.localdate(at)).value)
    due = list(
        Difference.objects.filter(status=Difference.Status.OPEN, escalated_at=None, found_at__lte=limit).select_related(
            "bank_account__merchant__subject", "bank_account__bank"
        )
    )
    people = people_holding(May.SUPERVISE, organisation_ids=None, at=at)
    for each in due:
        account = each.bank_account
        asked = people + people_holding(May.REPORT, organisation_ids=[account.bank_id], at=at)
        notify(
            asked,
            key=f"prepaid.difference:{each.pk}",
            title=_("对账差异超过期限未处理：%(outcome)s") % {"outcome": each.get_outcome_display()},
            body=str(account.merchant),
            at=at,
            level="urgent",
            link=f"/desk/prepaid/differences/{each.pk}/",
        )
        publish("prepaid.bank_item_escalated", at=at, difference_id=each.pk, merchant_id=account.merchant_id)
    Difference.objects.filter(pk__in=[each.pk for each in due]).update(escalated_at=at)
    return len(due)


def _unmatched_entries(account: BankAccount, mirror: Account) -> Iterable[Entry]:
    """Posted movements of the mirror that no bank line is matched with."""
    taken = set(BankLine.objects.filter(bank_account=account).exclude(matched=None).values_list("matched", flat=True))
    moved = Entry.objects.filter(book_id=account.merchant_id, phase__in=[Phase.POSTED, Phase.CONFIRMED])
    moved = moved.filter(Q(debit=mirror) | Q(credit=mirror)).order_by("sequence")
    return (entry for entry in moved if entry.sequence not in taken)


def _book_item(entry: Entry, mirror: Account) -> BookItem:
    sign = 1 if entry.debit_id == mirror.pk else -1
    reference = entry.key.removeprefix("ref:") if entry.key.startswith("ref:") else ""
    return BookItem(entry.sequence, timezone.localdate(entry.at), sign * entry.amount, reference)


def _settle_matched(account: BankAccount, matched: Sequence[Match], at: datetime) -> None:
    still = Difference.objects.filter(bank_account=account, status=Difference.Status.OPEN)
    settled = {"status": Difference.Status.MATCHED, "settled_at": at}
    for start in range(0, len(matched), CHUNK):
        part = matched[start : start + CHUNK]
        found = Q(line_id__in=[each.bank for each in part]) | Q(sequence__in=[each.book for each in part])
        still.filter(found).update(**settled)


def _note(
    account: BankAccount,
    finding: Match,
    lines: dict[int, BankLine],
    entries: dict[int, Entry],
    mirror: Account,
    last: object,
    at: datetime,
) -> None:
    line = lines[finding.bank] if finding.bank is not None else None
    item = _book_item(entries[finding.book], mirror) if finding.book is not None else None
    if line is None and item is not None and item.on > last:  # type: ignore[operator]
        return  # no statement covers it yet
    known = Difference.objects.filter(bank_account=account)
    found = known.filter(line=line) if line else known.filter(line=None, sequence=item.id if item else None)
    values = {
        "outcome": finding.outcome.value,
        "sequence": item.id if item else None,
        "bank_fen": line.amount_fen if line else None,
        "book_fen": item.amount if item else None,
    }
    if line and item:  # a missing entry that now has its line, of another amount
        known.filter(line=None, sequence=item.id, status=Difference.Status.OPEN).update(
            status=Difference.Status.MATCHED, settled_at=at
        )
    if found.exists():
        found.filter(status=Difference.Status.OPEN).update(**values)
        return
    on = line.on if line else (item.on if item else timezone.localdate(at))
    Difference.objects.create(bank_account=account, line=line, on=on, found_at=at, **values)
