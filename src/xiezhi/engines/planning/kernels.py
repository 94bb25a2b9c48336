"""The compiled heart: the sets of one subject's checks that may be a visit, their prices, their cheapest partition.

A subject's checks are the bits of a set. Every set that may be one visit is priced on every date it could have;
the cheapest way to cut all checks into such sets is a dynamic program over subsets. All costs are integers in
micro-visits, so nothing depends on rounding, order of threads or machine.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning.caching import compiled, inlined, merged

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Bools = NDArray[np.bool_]

VISIT = 1_000_000
UNPLACED = 1_000_000_000_000
UNPLACED_SAFETY = 1_000_000_000_000_000
INF = 4_000_000_000_000_000_000
NEVER = 1 << 58  # added to a date's cost where a check may not be; twenty of them still fit a 64-bit number
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
    """Working memory for one thread and subjects of up to n checks.

    By listed set: `sets` (its bits), `parent` (the set without its highest check, -1 none), `shared` (lower checks of
    the highest one's department), `minutes` (of that department), `kinds` (departments), `best` (cheapest date's cost).
    By subset: `where` (its place in the list, -1 if no visit), `total`, `choice`. By check: `atoms`, `start` (where the
    list's sets with this highest check begin). `weight[i]` and `table[k]` hold costs by date, of a check and of a set,
    from date `since[k]` to before `until[k]`, counted from the first date of the table: outside no date is open.
    """

    sets: Longs
    parent: Longs
    shared: Longs
    minutes: Longs
    kinds: Longs
    best: Longs
    since: Longs
    until: Longs
    where: Longs
    total: Longs
    choice: Longs
    start: Longs
    atoms: Longs
    left: Longs
    hosted: Longs
    weight: NDArray[np.int64]
    table: NDArray[np.int64]


@compiled
def scratch(n: int, days: int) -> Scratch:
    """Working memory for subjects of up to `n` checks. A table past 32 MB is priced some dates at a time."""
    size = 1 << n
    block = max(1, min(days, (1 << 22) // size))
    a = np.empty((11, size), np.int64)
    b = np.empty((4, n + 2), np.int64)
    weight, table = np.empty((n, block), np.int64), np.empty((size, block), np.int64)
    lists = a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10]
    return Scratch(*lists, b[0], b[1], b[2], b[3], weight, table)


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


@inlined
def incompatible(static: Static, a: int, b: int) -> bool:
    """Whether two checks' items may never meet in one visit."""
    item, other = static.check[a, ITEM], static.check[b, ITEM]
    found = False
    for k in range(static.conflict_first[item], static.conflict_first[item + 1]):
        found = found or static.conflict[k] == other
    return found


@merged
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
                departments += z.kinds[parent]
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
            z.kinds[count] = departments
            z.shared[count] = rest & same
            z.minutes[count] = minutes
            count += 1
    z.start[n] = count
    return count


@merged
def price_sets(
    static: Static, room: Ints, price: Longs, trips: Ints, weights: Weights, n: int, count: int, z: Scratch
) -> None:
    """Find what each listed set costs on its cheapest date, `z.best`: `NEVER` or more where no date will do.

    Dates are worked through side by side (the loops over them are free of branches, for vector instructions).
    """
    days, block = len(static.dates), z.table.shape[1]
    for k in range(count):
        z.best[k] = NEVER
    for begin in range(0, days, block):
        end = min(begin + block, days)
        for i in range(n):
            weight = z.weight[i]
            first, last = _reach(static, z.atoms[i], begin, end)
            _weigh(static, room, price, trips, weights, z.atoms[i], begin, first, last, weight)
            for k in range(z.start[i], z.start[i + 1]):
                best, parent = z.best[k], z.parent[k]
                lo, hi = first, last
                if parent >= 0:
                    lo, hi = max(lo, z.since[parent]), min(hi, z.until[parent])
                z.since[k], z.until[k] = lo, hi
                if lo >= hi:
                    continue
                row, added = z.table[k, lo:hi], weight[lo:hi]
                if parent < 0:
                    for d in range(hi - lo):
                        row[d] = added[d]
                        best = min(best, added[d])
                elif z.shared[k]:
                    _weigh_shared(static, room, price, trips, weights, k, z.atoms[i], begin, lo, hi, weight, z)
                    for d in range(hi - lo):
                        best = min(best, row[d])
                else:
                    under = z.table[parent, lo:hi]
                    for d in range(hi - lo):
                        cost = under[d] + added[d]
                        row[d] = cost
                        best = min(best, cost)
                z.best[k] = best


@inlined
def _reach(static: Static, c: int, begin: int, end: int) -> tuple[int, int]:
    """The dates of begin..end-1 from the first to past the last that is open to the check, counted from `begin`.

    In whole eights, so that loops over them are vector instructions; (0, 0) where none is open.
    """
    first, last = end, begin
    for word in range(begin >> 6, ((end - 1) >> 6) + 1):
        bits, d = static.mask[c, word], word << 6
        while bits:
            if bits & np.uint64(255):
                first, last = min(first, d), d + 8
            bits >>= np.uint64(8)
            d += 8
    first, last = max(first, begin), min(last, end)
    if first >= last:
        first, last = begin, begin
    return first - begin, last - begin


@merged
def _weigh(
    static: Static,
    room: Ints,
    price: Longs,
    trips: Ints,
    weights: Weights,
    c: int,
    begin: int,
    first: int,
    last: int,
    out: Longs,
) -> None:
    """Cost of check c in a visit without another of its department; `NEVER` is added where it may not be.

    By date, from the `first` to before the `last` counted from `begin`.
    """
    row = static.check[c]
    prices, rooms, tripped = price[row[POOL]], room[row[POOL]], trips[row[TRIP]]
    use = np.int64(row[MINUTES] + static.travel)
    wait = np.int64(weights.wait if row[SAFETY] else 0)
    earliest = np.int64(row[EARLIEST])
    trip = np.int64(weights.trip)
    lacking = np.int64(0 if weights.ignore_room else weights.shortage if weights.shortage else NEVER)
    impossible = np.int64(0 if weights.ignore_room else NEVER)
    capacity = static.capacity[row[POOL]]
    if first >= last:
        return
    since, until = begin + first, begin + last
    for word in range(since >> 6, ((until - 1) >> 6) + 1):
        bits = static.mask[c, word]
        lo, hi = max(since, word << 6), min(until, (word + 1) << 6)
        if bits == 0:
            for d in range(lo, hi):
                out[d - begin] = NEVER
            continue
        to, priced, left, most = out[lo - begin : hi - begin], prices[lo:hi], rooms[lo:hi], capacity[lo:hi]
        dates, taken, shift = static.dates[lo:hi], tripped[lo:hi], lo & 63
        for j in range(hi - lo):  # counted from 0: only then is it compiled to vector instructions
            cost = priced[j] * use + wait * (np.int64(dates[j]) - earliest)
            cost += trip if taken[j] == 0 else np.int64(0)
            cost += lacking if left[j] < use else np.int64(0)
            cost += impossible if most[j] < use else np.int64(0)
            opened = (bits >> np.uint64(j + shift)) & np.uint64(1)
            to[j] = cost + (np.int64(0) if opened else NEVER)


@merged
def _weigh_shared(
    static: Static,
    room: Ints,
    price: Longs,
    trips: Ints,
    weights: Weights,
    k: int,
    c: int,
    begin: int,
    first: int,
    last: int,
    weight: Longs,
    z: Scratch,
) -> None:
    """Cost by date of a set whose highest check c finds its own department there: travel and trip count once."""
    pool, use = static.check[c, POOL], np.int64(z.minutes[k] + static.travel)
    since, until = begin + first, begin + last
    row, parent, added = z.table[k, first:last], z.table[z.parent[k], first:last], weight[first:last]
    prices, taken = price[pool, since:until], trips[static.check[c, TRIP], since:until]
    space = static.capacity[pool, since:until] if weights.shortage else room[pool, since:until]
    travel, trip = np.int64(static.travel), np.int64(weights.trip)
    free = weights.ignore_room
    for d in range(last - first):
        cost = parent[d] + added[d] - prices[d] * travel
        cost -= trip if taken[d] == 0 else np.int64(0)
        row[d] = NEVER if use > space[d] and not free else cost


@merged
def cheapest_day(z: Scratch, k: int) -> int:
    """The first date on which a listed set costs least (for tables that hold all dates)."""
    row = z.table[k]
    for d in range(z.since[k], z.until[k]):
        if row[d] == z.best[k]:
            return d
    return -1


@merged
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
                if one & ~subset or z.best[k] >= NEVER:
                    continue
                rest_cost = z.total[subset & ~one]
                if rest_cost >= INF:
                    continue
                cost = z.best[k] + weights.visit + rest_cost
                if cost < best:
                    best, choice = cost, k
            z.total[subset] = best
            z.choice[subset] = choice


@inlined
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
