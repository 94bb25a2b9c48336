import hashlib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

ALGORITHM = "sha256-ticket-1"
Ratio = Fraction | Decimal


@dataclass(frozen=True)
class Draw:
    """What was drawn and everything needed to repeat it.

    `selected` is in the order of drawing. `wanted` is how many were asked for; fewer are drawn when too few are eligible
    (`shortfall`). `excluded` are the frame's members that could not be drawn, sorted; `frame_digest` fixes the frame.
    """

    selected: tuple[str, ...]
    seed: str
    frame_digest: str
    frame_size: int
    excluded: tuple[str, ...]
    wanted: int
    algorithm: str = ALGORITHM

    @property
    def shortfall(self) -> int:
        """How many fewer were drawn than asked for."""
        return self.wanted - len(self.selected)


def ticket(seed: str, identifier: str) -> str:
    """The place of `identifier` in the draw with `seed`: SHA-256 of ``seed:identifier`` in hexadecimal."""
    return hashlib.sha256(f"{seed}:{identifier}".encode()).hexdigest()


def frame_digest(frame: Collection[str]) -> str:
    """SHA-256 over the sorted identifiers, each followed by a line feed: the frame's fingerprint, whatever its order."""
    return hashlib.sha256("".join(f"{each}\n" for each in sorted(frame)).encode()).hexdigest()


def sample_size(frame_size: int, ratio: Ratio) -> int:
    """`ratio` (0 to 1) of `frame_size`, rounded up, so at least 1 where there is anything to draw. Raises ValueError outside 0–1."""
    if not 0 <= ratio <= 1:
        raise ValueError(f"a ratio lies between 0 and 1, not {ratio}")
    return math.ceil(frame_size * Fraction(ratio))


def draw(
    frame: Collection[str],
    *,
    seed: str,
    number: int | None = None,
    ratio: Ratio | None = None,
    excluded: Collection[str] = frozenset(),
) -> Draw:
    """Draw `number` identifiers, or `ratio` of the whole frame (exclusions included), from those not excluded.

    Raises ValueError for an empty seed, an identifier that is repeated, empty or holds a line feed, and unless exactly one of
    `number` and `ratio` is given. Exclusions that are not in the frame are ignored.
    """
    if not seed:
        raise ValueError("a draw needs a seed")
    if (number is None) == (ratio is None):
        raise ValueError("give either a number or a ratio")
    members = set(frame)
    if len(members) != len(frame):
        raise ValueError("the frame names an identifier twice")
    if any(not each or "\n" in each for each in members):
        raise ValueError("identifiers may be neither empty nor hold a line feed")
    if number is not None:
        wanted = number
    else:
        assert ratio is not None
        wanted = sample_size(len(members), ratio)
    if wanted < 0:
        raise ValueError(f"cannot draw {wanted}")
    barred = members & set(excluded)
    order = sorted(members - barred, key=lambda each: (ticket(seed, each), each))
    return Draw(tuple(order[:wanted]), seed, frame_digest(members), len(members), tuple(sorted(barred)), wanted)


def draw_by_class(
    classes: Mapping[str, str],
    rates: Mapping[str, Ratio],
    *,
    seed: str,
    excluded: Collection[str] = frozenset(),
) -> dict[str, Draw]:
    """One draw per class (信用风险分类), each at its class's rate with the seed ``seed/class``; classes in sorted order.

    `classes` maps identifier → class. Raises ValueError when a class has no rate: nobody is left out in silence.
    """
    strata: dict[str, list[str]] = {}
    for identifier, name in classes.items():
        strata.setdefault(name, []).append(identifier)
    without = sorted(strata.keys() - rates.keys())
    if without:
        raise ValueError(f"no rate for {', '.join(without)}")
    barred = set(excluded)
    return {
        name: draw(strata[name], seed=f"{seed}/{name}", ratio=rates[name], excluded=barred) for name in sorted(strata)
    }
