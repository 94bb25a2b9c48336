"""Required custody: a share of what is owed to card holders on a reference day, less what a guarantee covers."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta


@dataclass(frozen=True)
class CustodyRule:
    """`per_mille` of the balance. `basis`: "quarter_end" is the balance at the end of the last quarter, "current" today's balance.

    `offset_per_mille`: how much of the requirement a guarantee may stand in for at most.
    """

    per_mille: int
    basis: str = "quarter_end"
    offset_per_mille: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.per_mille <= 1000 or not 0 <= self.offset_per_mille <= 1000:
            raise ValueError("a share is from 0 to 1000 per mille")
        if self.basis not in {"quarter_end", "current"}:
            raise ValueError(f"unknown basis {self.basis}")


@dataclass(frozen=True)
class History:
    """A running total by day: `days` ascending, `balances` at the end of each. Before the first day it is 0."""

    days: Sequence[date] = field(default_factory=tuple)
    balances: Sequence[int] = field(default_factory=tuple)

    def at_end_of(self, day: date) -> int:
        """The total at the end of `day`."""
        position = bisect_right(self.days, day)
        return self.balances[position - 1] if position else 0


@dataclass(frozen=True)
class Day:
    """One day of a merchant: what it owes, must keep, keeps and has covered by guarantee, in fen; `gap` is positive for a shortfall."""

    on: date
    owed: int
    required: int
    kept: int
    covered: int

    @property
    def gap(self) -> int:
        """Required less kept and covered: a shortfall when positive, a surplus when negative."""
        return self.required - self.kept - self.covered


def last_quarter_end(day: date) -> date:
    """The last day of the quarter before the one that `day` is in."""
    first_month = 3 * ((day.month - 1) // 3) + 1
    return date(day.year, first_month, 1) - timedelta(days=1)


def required_fen(balance_fen: int, per_mille: int) -> int:
    """The share of a balance, a fraction of a fen rounded up: never less than the rule asks. A negative balance requires nothing."""
    return -(-max(balance_fen, 0) * per_mille // 1000)


def day_of(day: date, rule: CustodyRule, *, owed: History, kept: History, guarantee: History) -> Day:
    """Where a merchant stands at the end of `day`."""
    basis = owed.at_end_of(last_quarter_end(day) if rule.basis == "quarter_end" else day)
    required = required_fen(basis, rule.per_mille)
    covered = min(max(guarantee.at_end_of(day), 0), required * rule.offset_per_mille // 1000)
    return Day(day, owed.at_end_of(day), required, kept.at_end_of(day), covered)


def over_time(
    first: date,
    last: date,
    rules: Sequence[tuple[date, CustodyRule]],
    *,
    owed: History,
    kept: History,
    guarantee: History,
) -> list[Day]:
    """Every day from `first` to `last`, each under the rule in force on it. `rules`: (in force since, rule), ascending.

    Raises ValueError when no rule was in force on some day.
    """
    since = [each for each, _rule in rules]
    days = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        position = bisect_right(since, day)
        if not position:
            raise ValueError(f"no rule was in force on {day}")
        days.append(day_of(day, rules[position - 1][1], owed=owed, kept=kept, guarantee=guarantee))
    return days
