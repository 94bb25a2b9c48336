"""The compiled heart: the sets of one subject's checks that may be a visit, their prices, their cheapest partition.

A subject's checks are the bits of a set. Every set that may be one visit is priced on every date it could have;
the cheapest way to cut all checks into such sets is a dynamic program over subsets. All costs are integers in
micro-visits, so nothing depends on rounding, order of threads or machine.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning.caching import compiled

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Bools = NDArray[np.bool_]

VISIT = 1_000_000
UNPLACED = 1_000_000_000_000
UNPLACED_SAFETY = 1_000_000_000_000_000
INF = 4_000_000_000_000_000_000
MOST_AT_ONCE = 10  # checks chosen together in a sweep; larger subjects are chosen in parts
LEVELS = 256

POOL, DEP, MINUTES, TRIP, EARLIEST, SAFETY, ITEM, PIN = range(8)


class Static(NamedTuple):
    """What never changes during a run. `check` rows hold the columns named above; `mask` the dates open to each."""

    check: NDArray[np.int32]
    mask: NDArray[np.uint64]
    first: NDArray[np.int64]
    most_departments: NDArray[np.int32]
    conflict_first: NDArray[np.int32]
    conflict: NDArray[np.int32]
    pin_first: NDArray[np.int32]
    pin_check: NDArray[np.int32]
    pin_day: NDArray[np.int32]
    dates: NDArray[np.int32]
    capacity: NDArray[np.int32]
    travel: int
    most_minutes: int


class State(NamedTuple):
    """What the sweeps change. `rep[c]` is the first check of c's visit, -1 where c has none; `day[c]` its date.

    `room` is capacity left; `price` is `base` plus what the load adds; `trips` counts visits by street and department.
    """

    room: NDArray[np.int32]
    price: NDArray[np.int64]
    base: NDArray[np.int64]
    trips: NDArray[np.int32]
    day: NDArray[np.int32]
    rep: NDArray[np.int32]


class Weights(NamedTuple):
    """What a sweep minds, in micro-visits. `steep[k]` is the price of a pool-day with k/256 of its capacity left.

    `shortage`: price of lacking room, 0 = never allowed. `place_all`: no check may be left out.
    """

    steep: NDArray[np.int64]
    visit: int
    wait: int
    trip: int
    shortage: int
    place_all: bool
    ignore_room: bool


class Scratch(NamedTuple):
    """Working memory for one thread and subjects of up to n checks."""

    sets: NDArray[np.int64]
    parent: NDArray[np.int64]
    shared: NDArray[np.int64]
    minutes: NDArray[np.int64]
    high: NDArray[np.int64]
    best: NDArray[np.int64]
    day: NDArray[np.int64]
    cost: NDArray[np.int64]
    where: NDArray[np.int64]
    total: NDArray[np.int64]
    choice: NDArray[np.int64]
    start: NDArray[np.int64]
    atoms: NDArray[np.int64]
    left: NDArray[np.int64]
    weight: NDArray[np.int64]
    share: NDArray[np.int64]
    space: NDArray[np.int64]
    hosted: NDArray[np.int64]


@compiled
def scratch(n: int) -> Scratch:
    """Working memory for subjects of up to `n` checks."""
    size = 1 << n
    a = np.empty((11, size), np.int64)
    b = np.empty((7, n + 2), np.int64)
    return Scratch(
        a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], b[0], b[1], b[2], b[3], b[4], b[5], b[6]
    )


@compiled
def open_masks(
    check: Ints,
    mask: NDArray[np.uint64],
    first: Longs,
    closed: NDArray[np.uint8],
    latest: Ints,
    urgent: Bools,
    capacity: Ints,
    dates: Ints,
    urgent_open_days: int,
) -> None:
    """Fill `mask` with the dates open to each check: in its window, pool open, subject open, urgent cut (rules 1, 7)."""
    for s in range(len(first) - 1):
        shut = closed[s]
        for c in range(first[s], first[s + 1]):
            pool = check[c, POOL]
            if pool < 0:
                continue
            seen = 0
            for d in range(np.searchsorted(dates, check[c, EARLIEST]), len(dates)):
                if dates[d] > latest[c]:
                    break
                if capacity[pool, d] <= 0 or (shut >> ((dates[d] + 3) % 7)) & 1:
                    continue
                mask[c, d >> 6] |= np.uint64(1) << np.uint64(d & 63)
                seen += 1
                if urgent[c] and seen >= urgent_open_days:
                    break


@compiled
def incompatible(static: Static, a: int, b: int) -> bool:
    """Whether two checks' items may never meet in one visit."""
    item, other = static.check[a, ITEM], static.check[b, ITEM]
    found = False
    for k in range(static.conflict_first[item], static.conflict_first[item + 1]):
        found = found or static.conflict[k] == other
    return found


@compiled
def visit_sets(static: Static, most_departments: int, n: int, z: Scratch) -> int:
    """List the sets of `z.atoms[:n]` that rules 2-4 allow as one visit, smaller before larger; returns how many."""
    check = static.check
    count = 0
    z.where[0] = -1
    for i in range(n):
        c = z.atoms[i]
        z.start[i] = count
        clash, same = 0, 0
        for j in range(i):
            e = z.atoms[j]
            long = check[c, MINUTES] > static.most_minutes or check[e, MINUTES] > static.most_minutes
            if long or incompatible(static, c, e):
                clash |= 1 << j
            if check[e, DEP] == check[c, DEP]:
                same |= 1 << j
        for rest in range(1 << i):
            subset = rest | (1 << i)
            z.where[subset] = -1
            if rest & clash:
                continue
            minutes, departments, parent = check[c, MINUTES], 1, -1
            if rest:
                parent = z.where[rest]
                if parent < 0:
                    continue
                departments += z.high[parent]
                together = rest & same
                if together:
                    departments -= 1
                    for j in range(i):
                        if (together >> j) & 1:
                            minutes += check[z.atoms[j], MINUTES]
                    if minutes > static.most_minutes:
                        continue
                if departments > most_departments:
                    continue
            z.where[subset] = count
            z.sets[count] = subset
            z.parent[count] = parent
            z.high[count] = departments
            z.shared[count] = rest & same
            z.minutes[count] = minutes
            count += 1
    z.start[n] = count
    return count


@compiled
def price_sets(
    static: Static, room: Ints, price: Longs, trips: Ints, weights: Weights, n: int, count: int, z: Scratch
) -> None:
    """Find each listed set's cheapest date: `z.best`, `z.day` (INF and -1 where no date will do)."""
    check, mask = static.check, static.mask
    for k in range(count):
        z.best[k] = INF
        z.day[k] = -1
    for d in range(len(static.dates)):
        word, bit = d >> 6, np.uint64(d & 63)
        available = 0
        for i in range(n):
            c = z.atoms[i]
            if not (mask[c, word] >> bit) & np.uint64(1):
                continue
            pool, minutes = check[c, POOL], check[c, MINUTES]
            use = minutes + static.travel
            share = price[pool, d] * static.travel
            cost = price[pool, d] * use
            if weights.trip and trips[check[c, TRIP], d] == 0:
                cost += weights.trip
                share += weights.trip
            if check[c, SAFETY]:
                cost += weights.wait * (static.dates[d] - check[c, EARLIEST])
            if not weights.ignore_room and room[pool, d] < use:
                if not weights.shortage or static.capacity[pool, d] < use:
                    continue
                cost += weights.shortage
            available |= 1 << i
            z.weight[i] = cost
            z.share[i] = share
            z.space[i] = static.capacity[pool, d] if weights.shortage else room[pool, d]
        if not available:
            continue
        for i in range(n):
            if not (available >> i) & 1:
                for k in range(z.start[i], z.start[i + 1]):
                    z.cost[k] = INF
                continue
            weight = z.weight[i]
            for k in range(z.start[i], z.start[i + 1]):
                cost = weight
                parent = z.parent[k]
                if parent >= 0:
                    if z.cost[parent] >= INF:
                        z.cost[k] = INF
                        continue
                    cost += z.cost[parent]
                    if z.shared[k]:
                        if not weights.ignore_room and z.minutes[k] + static.travel > z.space[i]:
                            z.cost[k] = INF
                            continue
                        cost -= z.share[i]
                z.cost[k] = cost
                if cost < z.best[k]:
                    z.best[k] = cost
                    z.day[k] = d


@compiled
def partition(static: Static, weights: Weights, n: int, z: Scratch) -> None:
    """Cheapest way to cut every subset of the atoms into visits: `z.total` and the last visit taken, `z.choice`."""
    z.total[0] = 0
    for i in range(n):
        skip = UNPLACED_SAFETY if static.check[z.atoms[i], SAFETY] else UNPLACED
        for rest in range(1 << i):
            subset = rest | (1 << i)
            best, choice = INF, -1
            if not weights.place_all:
                best = skip + z.total[rest]
            for k in range(z.start[i], z.start[i + 1]):
                one = z.sets[k]
                if one & ~subset or z.best[k] >= INF:
                    continue
                rest_cost = z.total[subset & ~one]
                if rest_cost >= INF:
                    continue
                cost = z.best[k] + weights.visit + rest_cost
                if cost < best:
                    best, choice = cost, k
            z.total[subset] = best
            z.choice[subset] = choice


@compiled
def own_pins(static: Static, s: int) -> Longs:
    """The confirmed visits of a subject."""
    found = np.empty(static.first[s + 1] - static.first[s], np.int64)
    count = 0
    for c in range(static.first[s], static.first[s + 1]):
        pin = static.check[c, PIN]
        if pin >= 0 and static.pin_check[static.pin_first[pin]] == c:
            found[count] = pin
            count += 1
    return found[:count]
