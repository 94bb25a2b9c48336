"""How one redemption is shared between the purses of a card. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """What a redemption takes from each purse of a card."""

    principal: int
    bonus: int = 0
    uses: int = 0


def share_amount(amount: int, *, principal: int, bonus: int, policy: str) -> Share:
    """Share `amount` fen of a stored value card. `policy`: proportional (to what is left, the odd fen from the bonus), principal_first,
    bonus_first. More than there is comes out as too much principal, which the ledger refuses."""
    if amount >= principal + bonus:
        return Share(amount - bonus, bonus)
    if policy == "principal_first":
        taken = min(amount, principal)
    elif policy == "bonus_first":
        taken = amount - min(amount, bonus)
    else:
        taken = amount * principal // (principal + bonus)
    return Share(taken, amount - taken)


def share_uses(count: int, *, principal: int, uses: int) -> Share:
    """What `count` of `uses` remaining uses are worth: their part of the principal, the last use taking what is left."""
    if count >= uses:
        return Share(principal, 0, count)
    return Share(principal * count // uses, 0, count)
