"""What the verifier's compiled half looks at: problem and plan as flat columns, and the rules for sets of checks.

Written from the contract alone; nothing here is called by the solver or calls it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning.caching import compiled

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Bools = NDArray[np.bool_]

LISTED = 1000
MILLION = 1_000_000
HUGE = 1 << 61
EXACT_UP_TO = 20

BROKEN = (
    "a visit holds checks of another subject",
    "outside earliest..latest",
    "the pool is shut on that date",
    "the subject is closed on that weekday",
    "an urgent check is later than its first open dates",
    "more departments in one visit than allowed",
    "more minutes on site than allowed",
    "incompatible items in one visit",
    "a confirmed check is not in its visit",
    "a confirmed visit is on another date",
    "a confirmed visit has a further department",
    "two confirmed visits are one",
    "the lead department is wrong",
    "the minutes on site are wrong",
    "a visit without checks",
    "the reason for not placing it is wrong",
    "a pair left apart is missing from the list or listed wrongly",
)
(
    SUBJECT,
    WINDOW,
    SHUT,
    CLOSED,
    URGENT,
    DEPARTMENTS,
    TIME,
    INCOMPATIBLE,
    PIN_LEFT,
    PIN_DATE,
    PIN_DEPARTMENT,
    PIN_MERGED,
    LEAD,
    MINUTES,
    EMPTY,
    REASON,
    APART,
) = range(len(BROKEN))


class Columns(NamedTuple):
    """The problem and the plan, flat. `order` lists checks by visit, those of v at `start[v]:start[v + 1]`."""

    first: Longs
    opt_out: Bools
    closed: NDArray[np.uint8]
    street: Ints
    department: Ints
    item: Ints
    pool: Ints
    earliest: Ints
    latest: Ints
    minutes: Ints
    safety: Bools
    urgent: Bools
    pin: Ints
    pin_on: Ints
    pin_size: Longs
    dates: Ints
    capacity: Ints
    enemy_first: Longs
    enemy: Ints
    params: Longs
    visit: Ints
    order: Longs
    start: Longs
    visit_subject: Ints
    visit_date: Ints
    visit_lead: Ints
    visit_minutes: Ints
    reason: NDArray[np.uint8]
    pairs: Longs
    price: Longs


@compiled
def enemies(columns: Columns, a: int, b: int) -> bool:
    """Whether the two checks' items are incompatible."""
    item, begin, other = columns.item, columns.enemy_first, columns.enemy
    found = False
    for k in range(begin[item[a]], begin[item[a] + 1]):
        found = found or other[k] == item[b]
    return found


@compiled
def allowed(columns: Columns, members: Longs, limit: int) -> int:
    """0 if the checks may be one visit under rules 2-4, else the rule broken."""
    department, minutes, params = columns.department, columns.minutes, columns.params
    kinds = 0
    for i in range(len(members)):
        total, again = 0, False
        for j in range(len(members)):
            if department[members[j]] == department[members[i]]:
                total += minutes[members[j]]
                again = again or j < i
            if j < i and enemies(columns, members[i], members[j]):
                return INCOMPATIBLE
        if not again:
            kinds += 1
        if total > params[1] and len(members) > 1:
            return TIME
    return DEPARTMENTS if kinds > limit else 0
