"""How subjects choose: out of the plan, into the cheapest visits that still have room, one subject after another."""

from __future__ import annotations

from xiezhi.engines.planning.caching import compiled, inlined, merged
from xiezhi.engines.planning.hosts import host_sets
from xiezhi.engines.planning.kernels import (
    DEP,
    INF,
    LEVELS,
    MINUTES,
    MOST_AT_ONCE,
    PIN,
    POOL,
    SAFETY,
    TRIP,
    Longs,
    Scratch,
    State,
    Static,
    Weights,
    cheapest_day,
    own_pins,
    partition,
    price_sets,
    scratch,
    visit_sets,
)


@inlined
def charge(static: Static, state: State, weights: Weights, pool: int, d: int, minutes: int) -> None:
    """Take `minutes` (give back if negative) from a pool-day and price it anew."""
    room = state.room[pool, d] - minutes
    state.room[pool, d] = room
    capacity = static.capacity[pool, d]
    level = 0 if room < 0 else min(LEVELS - 1, room * LEVELS // capacity)
    state.price[pool, d] = state.base[pool, d] + weights.steep[level]


@merged
def lift(static: Static, state: State, weights: Weights, atoms: Longs, n: int) -> None:
    """Take the checks out of the plan. A visit loses its travel when its last check of a department goes."""
    check = static.check
    for i in range(n):
        c = atoms[i]
        rep = state.rep[c]
        if rep < 0:
            continue
        alone = check[rep, PIN] < 0  # a pinned visit keeps its travel: its own checks stay
        for j in range(i):
            if state.rep[atoms[j]] == rep and check[atoms[j], DEP] == check[c, DEP]:
                alone = False
        d = state.day[c]
        charge(static, state, weights, check[c, POOL], d, -(check[c, MINUTES] + (static.travel if alone else 0)))
        if alone:
            state.trips[check[c, TRIP], d] -= 1
    for i in range(n):
        state.rep[atoms[i]] = -1
        state.day[atoms[i]] = -1


@merged
def settle(static: Static, state: State, weights: Weights, subset: int, d: int, host: int, n: int, z: Scratch) -> bool:
    """Put the set on date d, as a visit of its own or (`host` >= 0) into that check's visit. False: no room after all."""
    check = static.check
    own = host < 0
    if not weights.shortage:
        for i in range(n):
            if not (subset >> i) & 1:
                continue
            c = z.atoms[i]
            use = check[c, MINUTES] + (static.travel if own else 0)
            for j in range(n):
                if j != i and (subset >> j) & 1 and check[z.atoms[j], DEP] == check[c, DEP]:
                    use += check[z.atoms[j], MINUTES]
            if state.room[check[c, POOL], d] < use:
                return False
    rep = host
    for i in range(n):
        if not (subset >> i) & 1:
            continue
        c = z.atoms[i]
        if rep < 0:
            rep = c
        first = own
        for j in range(i):
            if (subset >> j) & 1 and check[z.atoms[j], DEP] == check[c, DEP]:
                first = False
        charge(static, state, weights, check[c, POOL], d, check[c, MINUTES] + (static.travel if first else 0))
        if first:
            state.trips[check[c, TRIP], d] += 1
        state.rep[c] = rep
        state.day[c] = d
    return True


@inlined
def _choose(
    static: Static, state: State, weights: Weights, pins: Longs, most_departments: int, n: int, z: Scratch
) -> int:
    """Give the n lifted checks in `z.atoms` their cheapest visits; returns the cost before any late conflict.

    Two visits of one subject can want the same pool-day and not both fit: what does not fit chooses again.
    """
    first_cost = INF
    while n:
        count = visit_sets(static, most_departments, n, z)
        price_sets(static, state.room, state.price, state.trips, weights, n, count, z)
        partition(static, weights, n, z)
        subset = (1 << n) - 1
        cost = z.total[subset]
        failed = 0
        if len(pins):
            cost = host_sets(static, state.room, state.price, weights, pins, n, z)
            subset = z.left[0]
            for h in range(len(pins)):
                if z.hosted[h]:
                    host = static.pin_check[static.pin_first[pins[h]]]
                    if not settle(static, state, weights, z.hosted[h], static.pin_day[pins[h]], state.rep[host], n, z):
                        failed |= z.hosted[h]
        if first_cost == INF:
            first_cost = cost
        safe = 0
        for i in range(n):
            if static.check[z.atoms[i], SAFETY]:
                safe |= 1 << i
        for urgent in (True, False):  # safety first where two visits want the same room
            rest = subset
            while rest:
                top = 0
                while rest >> (top + 1):
                    top += 1
                k = z.choice[rest]
                if k < 0:
                    rest &= ~(1 << top)
                    continue
                if (z.sets[k] & safe != 0) == urgent and not settle(
                    static, state, weights, z.sets[k], cheapest_day(z, k), -1, n, z
                ):
                    failed |= z.sets[k]
                rest &= ~z.sets[k]
        kept = 0
        for i in range(n):
            if (failed >> i) & 1:
                z.atoms[kept] = z.atoms[i]
                kept += 1
        n = kept
    return first_cost


@merged
def choose(
    static: Static, state: State, weights: Weights, pins: Longs, most_departments: int, n: int, z: Scratch
) -> int:
    """`_choose`, compiled once for callers that are not in a hurry."""
    return _choose(static, state, weights, pins, most_departments, n, z)


@inlined
def free_atoms(static: Static, s: int, z: Scratch) -> int:
    """Load the subject's unpinned checks into `z.atoms` if they are few enough; returns their number."""
    n = 0
    for c in range(static.first[s], static.first[s + 1]):
        if static.check[c, PIN] < 0:
            if n < MOST_AT_ONCE:
                z.atoms[n] = c
            n += 1
    return n


@compiled
def choose_part(static: Static, state: State, weights: Weights, pins: Longs, s: int, turn: int, z: Scratch) -> int:
    """One step for a subject too large to choose at once: some of its visits, whole, choose anew together."""
    first, size = static.first[s], static.first[s + 1] - static.first[s]
    n = 0
    for k in range(size):
        c = first + (k * 7 + turn * 3) % size if size % 7 else first + (k + turn * 3) % size
        if static.check[c, PIN] >= 0 or n >= MOST_AT_ONCE:
            continue
        rep = state.rep[c]
        known = False
        for j in range(n):
            known = known or z.atoms[j] == c
        if known:
            continue
        start = n
        if rep < 0 or static.check[rep, PIN] >= 0:
            z.atoms[n] = c
            n += 1
            continue
        for e in range(first, first + size):
            if state.rep[e] == rep:
                if n == MOST_AT_ONCE:
                    n = start  # a visit is taken whole or not at all
                    break
                z.atoms[n] = e
                n += 1
    _sort(z.atoms, n)
    lift(static, state, weights, z.atoms, n)
    return choose(static, state, weights, pins, static.most_departments[s], n, z)


@compiled
def _sort(values: Longs, n: int) -> None:
    for i in range(1, n):
        value = values[i]
        j = i - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value


@inlined
def rechoose(static: Static, state: State, weights: Weights, s: int, turn: int, z: Scratch) -> int:
    """Take one subject's unpinned checks out of the plan and let it choose again."""
    pins = own_pins(static, s)
    n = free_atoms(static, s, z)
    if n <= MOST_AT_ONCE:
        lift(static, state, weights, z.atoms, n)
        return _choose(static, state, weights, pins, static.most_departments[s], n, z)
    cost = 0
    for part in range(2 * n // MOST_AT_ONCE + 1):
        cost = choose_part(static, state, weights, pins, s, turn + part, z)
    return cost


@compiled
def sweep(static: Static, state: State, weights: Weights, order: Longs, turn: int) -> None:
    """Let the subjects in `order` choose again, one after another."""
    z = scratch(MOST_AT_ONCE, len(static.dates))
    for s in order:
        rechoose(static, state, weights, s, turn, z)


@compiled
def reprice(static: Static, state: State, weights: Weights, pools: Longs) -> None:
    """Price the pools' days by their load."""
    for pool in pools:
        for d in range(len(static.dates)):
            if static.capacity[pool, d] > 0:
                charge(static, state, weights, pool, d, 0)


@compiled
def clear(static: Static, state: State, weights: Weights, subjects: Longs) -> None:
    """Take the subjects' unpinned checks out of the plan (subjects too large to choose at once stay)."""
    z = scratch(MOST_AT_ONCE, len(static.dates))
    for s in subjects:
        n = free_atoms(static, s, z)
        if n <= MOST_AT_ONCE:
            lift(static, state, weights, z.atoms, n)
