"""Confirmed visits as hosts: which further checks of their own departments may join them, and at what cost (rule 8)."""

from __future__ import annotations

import numpy as np

from xiezhi.engines.planning.caching import compiled
from xiezhi.engines.planning.kernels import (
    DEP,
    EARLIEST,
    INF,
    MINUTES,
    POOL,
    SAFETY,
    Ints,
    Longs,
    Scratch,
    Static,
    Weights,
    incompatible,
)


@compiled
def host_cost(
    static: Static, room: Ints, price: Longs, weights: Weights, pin: int, subset: int, n: int, z: Scratch
) -> int:
    """Cost of adding the set to a confirmed visit, INF where rules or room forbid it (rule 8)."""
    check = static.check
    d = static.pin_day[pin]
    lo, hi = static.pin_first[pin], static.pin_first[pin + 1]
    total = 0
    for i in range(n):
        if not (subset >> i) & 1:
            continue
        c = z.atoms[i]
        if not (static.mask[c, d >> 6] >> np.uint64(d & 63)) & np.uint64(1):
            return INF
        if check[c, MINUTES] > static.most_minutes:
            return INF
        minutes, present, earlier = 0, False, False
        for k in range(lo, hi):
            e = static.pin_check[k]
            if check[e, MINUTES] > static.most_minutes or incompatible(static, c, e):
                return INF
            if check[e, DEP] == check[c, DEP]:
                present = True
                minutes += check[e, MINUTES]
        if not present:
            return INF
        added = 0
        for j in range(n):
            if (subset >> j) & 1:
                e = z.atoms[j]
                if incompatible(static, c, e):
                    return INF
                if check[e, DEP] == check[c, DEP]:
                    added += check[e, MINUTES]
                    earlier = earlier or j < i
        if minutes + added > static.most_minutes:
            return INF
        if not weights.ignore_room and not earlier and room[check[c, POOL], d] < added:
            return INF
        total += price[check[c, POOL], d] * check[c, MINUTES]
        if check[c, SAFETY]:
            total += weights.wait * (static.dates[d] - check[c, EARLIEST])
    return total


@compiled
def host_sets(static: Static, room: Ints, price: Longs, weights: Weights, pins: Longs, n: int, z: Scratch) -> int:
    """Let sets of atoms join confirmed visits. Returns the cheapest total; `z.hosted[h]` is what pin h takes.

    `z.left[0]` is the set left for visits of its own, already priced by `partition`.
    """
    full = (1 << n) - 1
    hosts = len(pins)
    reach = np.full((hosts + 1, full + 1), INF, np.int64)
    took = np.zeros((hosts + 1, full + 1), np.int64)
    reach[0, 0] = 0
    for h in range(hosts):
        cost = np.full(full + 1, INF, np.int64)
        cost[0] = 0
        for subset in range(1, full + 1):
            cost[subset] = host_cost(static, room, price, weights, pins[h], subset, n, z)
        for subset in range(full + 1):
            part = subset
            while True:
                if cost[part] < INF and reach[h, subset & ~part] < INF:
                    total = cost[part] + reach[h, subset & ~part]
                    if total < reach[h + 1, subset]:
                        reach[h + 1, subset] = total
                        took[h + 1, subset] = part
                if part == 0:
                    break
                part = (part - 1) & subset
    best, taken = INF, 0
    for subset in range(full + 1):
        if reach[hosts, subset] < INF and z.total[full & ~subset] < INF:
            total = reach[hosts, subset] + z.total[full & ~subset]
            if total < best:
                best, taken = total, subset
    z.left[0] = full & ~taken
    rest = taken
    for h in range(hosts, 0, -1):
        z.hosted[h - 1] = took[h, rest]
        rest &= ~took[h, rest]
    return best
