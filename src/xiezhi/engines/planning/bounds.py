"""What no plan can go below: least visits by rules and dates alone, and least cost at given prices."""

from __future__ import annotations

import numpy as np

from xiezhi.engines.planning.caching import compiled
from xiezhi.engines.planning.hosts import host_sets
from xiezhi.engines.planning.kernels import (
    DEP,
    INF,
    MINUTES,
    MOST_AT_ONCE,
    PIN,
    POOL,
    Bools,
    Ints,
    Longs,
    Scratch,
    Static,
    Weights,
    own_pins,
    partition,
    price_sets,
    scratch,
    visit_sets,
)


@compiled
def fewest(static: Static, most_departments: int, n: int, z: Scratch) -> int:
    """Least number of visits for the n checks in `z.atoms` by rules and dates alone (room left out)."""
    if n <= 1:
        return n
    count = visit_sets(static, most_departments, n, z)
    for k in range(count):
        z.best[k] = INF
    for word in range(static.mask.shape[1]):
        for i in range(n):
            mask = static.mask[z.atoms[i], word]
            for k in range(z.start[i], z.start[i + 1]):
                parent = z.parent[k]
                shared = mask if parent < 0 else mask & np.uint64(z.minutes[parent])
                z.minutes[k] = np.int64(shared)  # the minutes have had their use; the column now holds dates
                if shared:
                    z.best[k] = 0
    z.total[0] = 0
    for i in range(n):
        for rest in range(1 << i):
            least = n + 1
            for k in range(z.start[i], z.start[i + 1]):
                if not z.sets[k] & ~(rest | (1 << i)) and z.best[k] == 0:
                    least = min(least, 1 + z.total[rest & ~z.sets[k]])
            z.total[rest | (1 << i)] = least
    return int(z.total[(1 << n) - 1])


@compiled
def alone_visits(static: Static, placed: Bools, first: int, last: int) -> int:
    """Visits if each department goes alone to the subjects first..last-1: exact, by departments (rules 1-4 and 7).

    A department with more than 20 checks at one subject counts its first 20.
    """
    small = scratch(MOST_AT_ONCE, len(static.dates))
    total = 0
    for s in range(first, last):
        lo, hi = static.first[s], static.first[s + 1]
        for c in range(lo, hi):
            if not placed[c]:
                continue
            size, earlier = 0, False
            for e in range(lo, hi):
                if placed[e] and static.check[e, DEP] == static.check[c, DEP]:
                    size += 1
                    earlier = earlier or e < c
            if earlier:
                continue
            size = min(size, 20)
            if size == 1:
                total += 1
                continue
            z = small if size <= MOST_AT_ONCE else scratch(size, len(static.dates))
            n = 0
            for e in range(c, hi):
                if n < size and placed[e] and static.check[e, DEP] == static.check[c, DEP]:
                    z.atoms[n] = e
                    n += 1
            total += fewest(static, 1, n, z)
    return total


@compiled
def least_cost(static: Static, placed: Bools, price: Longs, trips: Ints, weights: Weights, order: Longs) -> int:
    """Sum over the subjects in `order` of the cheapest visit plan of their placed checks, room left out.

    Costs are 10^6 for each visit plus price times use; confirmed visits stand as they are (rule 8). Subjects with more
    than 20 free checks count the exact cost of their first 20 and the least price of each other check's minutes,
    which is no more than the truth.
    """
    small = scratch(MOST_AT_ONCE, len(static.dates))
    atoms = np.empty(0, np.int64)
    total = 0
    for s in order:
        lo, hi = static.first[s], static.first[s + 1]
        if hi - lo > len(atoms):
            atoms = np.empty(hi - lo, np.int64)
        n = 0
        for c in range(lo, hi):
            if placed[c] and static.check[c, PIN] < 0:
                atoms[n] = c
                n += 1
        for i in range(20, n):
            total += _least_price(static, price, atoms[i])
        n = min(n, 20)
        z = small if n <= MOST_AT_ONCE else scratch(n, len(static.dates))
        z.atoms[:n] = atoms[:n]
        count = visit_sets(static, static.most_departments[s], n, z)
        price_sets(static, static.capacity, price, trips, weights, n, count, z)
        partition(static, weights, n, z)
        cost = z.total[(1 << n) - 1]
        pins = own_pins(static, s)
        if len(pins):
            cost = host_sets(static, static.capacity, price, weights, pins, n, z)
            for pin in pins:
                cost += weights.visit + _pin_price(static, price, pin)
        total += cost
    return total


@compiled
def _least_price(static: Static, price: Longs, c: int) -> int:
    """Price of the check's minutes on its cheapest open date."""
    best = INF
    for d in range(len(static.dates)):
        if (static.mask[c, d >> 6] >> np.uint64(d & 63)) & np.uint64(1):
            best = min(best, price[static.check[c, POOL], d] * static.check[c, MINUTES])
    return best


@compiled
def _pin_price(static: Static, price: Longs, pin: int) -> int:
    """Price of a confirmed visit's use."""
    d = static.pin_day[pin]
    total = 0
    for k in range(static.pin_first[pin], static.pin_first[pin + 1]):
        c = static.pin_check[k]
        minutes = static.check[c, MINUTES] + static.travel
        for j in range(static.pin_first[pin], k):
            if static.check[static.pin_check[j], DEP] == static.check[c, DEP]:
                minutes = static.check[c, MINUTES]
        total += price[static.check[c, POOL], d] * minutes
    return total
