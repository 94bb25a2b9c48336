"""The ledger's three tables. Rows are written by services/posting.py alone; triggers keep entries for ever."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.prepaid.ledger.digest import GENESIS
from xiezhi.domains.prepaid.ledger.drafts import DEBIT_GROWS, LIMITED, Kind, Phase, Purse
from xiezhi.domains.prepaid.models.cards import Card
from xiezhi.domains.prepaid.models.merchants import BankAccount, Merchant

_LIMITED_DEBIT = sorted(each.value for each in LIMITED & DEBIT_GROWS)
_LIMITED_CREDIT = sorted(each.value for each in LIMITED - DEBIT_GROWS)


class Book(models.Model):
    """账簿 of one merchant. Its row is the lock under which everything in it is posted. `owed`, `kept`, `guaranteed`: what the card and
    refund accounts, the custody accounts and the guarantee hold in all, as of `day`, the last day on which that changed."""

    merchant = models.OneToOneField(Merchant, models.PROTECT, primary_key=True, related_name="book")
    last_sequence = models.BigIntegerField(default=0)
    head = models.BinaryField(default=GENESIS, max_length=32)
    day = models.DateField(null=True)
    owed = models.BigIntegerField(default=0)
    kept = models.BigIntegerField(default=0)
    guaranteed = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("账簿")

    def __str__(self) -> str:
        return str(self.merchant)


class DayTotal(models.Model):
    """日终余额 of a book at the end of an earlier day, written by the first posting after it that changes one of the three. A day without
    a row ended like the one before it. Verification proves all rows against the journal."""

    book = models.ForeignKey(Book, models.PROTECT, db_index=False, related_name="days")
    day = models.DateField()
    owed = models.BigIntegerField()
    kept = models.BigIntegerField()
    guaranteed = models.BigIntegerField()

    class Meta:
        verbose_name = _("日终余额")
        constraints = [models.UniqueConstraint(fields=["book", "day"], name="prepaid_day_total_once")]

    def __str__(self) -> str:
        return f"{self.book_id} {self.day}"


class Account(models.Model):
    """账户. Totals of what was debited and credited, posted and pending; the database keeps limited ones above zero."""

    book = models.ForeignKey(Book, models.PROTECT, related_name="accounts")
    purse = models.CharField(_("账户"), max_length=16, choices=Purse)
    card = models.ForeignKey(Card, models.PROTECT, null=True, related_name="accounts")
    bank_account = models.OneToOneField(BankAccount, models.PROTECT, null=True, related_name="account")
    is_open = models.BooleanField(default=True)
    debits = models.BigIntegerField(default=0)
    credits = models.BigIntegerField(default=0)
    debits_pending = models.BigIntegerField(default=0)
    credits_pending = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("账户")
        constraints = [
            models.UniqueConstraint(fields=["card", "purse"], condition=~Q(card=None), name="prepaid_account_of_card"),
            models.UniqueConstraint(
                fields=["book", "purse"], condition=Q(card=None, bank_account=None), name="prepaid_account_of_book"
            ),
            models.CheckConstraint(
                condition=~Q(purse__in=_LIMITED_CREDIT) | Q(credits__gte=F("debits") + F("debits_pending")),
                name="prepaid_account_credit_kept",
            ),
            models.CheckConstraint(
                condition=~Q(purse__in=_LIMITED_DEBIT) | Q(debits__gte=F("credits") + F("credits_pending")),
                name="prepaid_account_debit_kept",
            ),
            models.CheckConstraint(
                condition=Q(debits__gte=0, credits__gte=0, debits_pending__gte=0, credits_pending__gte=0),
                name="prepaid_account_totals",
            ),
        ]

    def __str__(self) -> str:
        return self.get_purse_display()

    @property
    def balance(self) -> int:
        """What it holds, in fen or uses; holds not deducted."""
        return self.debits - self.credits if self.purse in DEBIT_GROWS else self.credits - self.debits

    @property
    def held(self) -> int:
        """What waits to be taken out."""
        return self.credits_pending if self.purse in DEBIT_GROWS else self.debits_pending

    @property
    def available(self) -> int:
        """What can still be spent."""
        return self.balance - self.held


class Entry(models.Model):
    """分录: `amount` from `credit` to `debit`, for ever. `operation` is the sequence of the first entry of the same operation, `leg` counts
    from 0; `key` and `request` stand on the first. `at` is when it happened, `booked_at` when the book took it."""

    book = models.ForeignKey(Book, models.PROTECT, db_index=False, db_constraint=False, related_name="entries")
    sequence = models.BigIntegerField(_("顺序号"))
    operation = models.BigIntegerField(_("业务号"))
    leg = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(_("业务"), max_length=16, choices=Kind)
    phase = models.CharField(_("状态"), max_length=10, choices=Phase)
    debit = models.ForeignKey(Account, models.PROTECT, db_index=False, db_constraint=False, related_name="+")
    credit = models.ForeignKey(Account, models.PROTECT, db_index=False, db_constraint=False, related_name="+")
    amount = models.BigIntegerField(_("金额"))
    debit_after = models.BigIntegerField()
    credit_after = models.BigIntegerField()
    at = models.DateTimeField(_("发生时间"))
    booked_at = models.DateTimeField(_("入账时间"))
    expires_at = models.DateTimeField(_("待确认截止"), null=True)
    key = models.CharField(_("幂等键"), max_length=64, blank=True)
    request = models.BinaryField(max_length=32, null=True)
    source = models.CharField(_("来源"), max_length=12)
    actor_user_id = models.BigIntegerField(null=True)
    refers = models.BigIntegerField(_("所指业务"), null=True)
    digest = models.BinaryField(max_length=32)

    class Meta:
        verbose_name = _("分录")
        constraints = [
            models.UniqueConstraint(fields=["book", "sequence"], name="prepaid_entry_sequence_once"),
            models.UniqueConstraint(fields=["book", "key"], condition=Q(leg=0), name="prepaid_entry_key_once"),
            models.UniqueConstraint(
                fields=["book", "refers", "leg"], condition=~Q(refers=None), name="prepaid_entry_settled_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0) & ~Q(debit=F("credit")), name="prepaid_entry_amount"),
        ]
        indexes = [
            models.Index(fields=["debit", "sequence"], name="prepaid_entry_by_debit"),
            models.Index(fields=["credit", "sequence"], name="prepaid_entry_by_credit"),
            models.Index(fields=["expires_at"], condition=Q(phase="pending"), name="prepaid_entry_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.book_id}/{self.sequence}"
