"""A book as simply as one can tell it: a list of moves and sums over it. Slow and obvious; shares no code with the product."""

from dataclasses import dataclass, field

GROWS_BY_DEBIT = {"funds", "custody", "fees", "guarantee", "bonus_issued", "uses_issued"}
LIMITED = {"principal", "bonus", "uses", "refunds", "custody", "guarantee"}
Move = tuple[int, int, int]


@dataclass
class Naive:
    """`purses`: account id → what it holds."""

    purses: dict[int, str]
    closed: set[int] = field(default_factory=set)
    moves: list[Move] = field(default_factory=list)
    holds: dict[int, tuple[list[Move], float]] = field(default_factory=dict)
    answers: dict[str, tuple[object, int]] = field(default_factory=dict)
    posted: dict[int, list[Move]] = field(default_factory=dict)
    reversed: set[int] = field(default_factory=set)
    length: int = 0

    def balance(self, account: int) -> int:
        debits = sum(amount for debit, _credit, amount in self.moves if debit == account)
        credits_ = sum(amount for _debit, credit, amount in self.moves if credit == account)
        return debits - credits_ if self.purses[account] in GROWS_BY_DEBIT else credits_ - debits

    def held(self, account: int) -> int:
        """What pending operations take out of it."""
        side = 1 if self.purses[account] in GROWS_BY_DEBIT else 0
        return sum(move[2] for moves, _until in self.holds.values() for move in moves if move[side] == account)

    def fits(self, moves: list[Move], *, pending: bool) -> bool:
        """Whether the moves can be made one after another with nothing limited going below zero."""
        if any(each in self.closed for debit, credit, _amount in moves for each in (debit, credit)):
            return False
        trial = Naive(self.purses, moves=list(self.moves), holds=dict(self.holds))
        for number, move in enumerate(moves):
            if pending:
                trial.holds[-1 - number] = ([move], 0)
            else:
                trial.moves.append(move)
            for account in move[:2]:
                if trial.purses[account] in LIMITED and trial.balance(account) < trial.held(account):
                    return False
        return True

    def number(self, moves: list[Move]) -> int:
        operation = self.length + 1
        self.length += len(moves)
        return operation
