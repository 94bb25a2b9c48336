"""Ejection chains: a subject takes what it needs from a full pool-day, and others there choose again, in turn.

A chain is kept only if it ends with no pool-day over its capacity and fewer unplaced safety checks, then fewer
unplaced checks, then fewer visits than before; otherwise everything is put back.
"""

from __future__ import annotations

import numpy as np

from xiezhi.engines.planning.bounds import fewest
from xiezhi.engines.planning.caching import compiled, inlined, merged
from xiezhi.engines.planning.choosing import charge, choose, free_atoms, lift, settle
from xiezhi.engines.planning.hosts import host_cost
from xiezhi.engines.planning.kernels import (
    DEP,
    INF,
    MINUTES,
    MOST_AT_ONCE,
    PIN,
    POOL,
    SAFETY,
    TRIP,
    UNPLACED,
    UNPLACED_SAFETY,
    VISIT,
    Bools,
    Ints,
    Longs,
    Scratch,
    State,
    Static,
    Weights,
    own_pins,
    partition,
    price_sets,
    scratch,
    visit_sets,
)


@compiled
def worth(static: Static, state: State, s: int) -> int:
    """What a subject's plan costs by the first three levels of the objective: unplaced safety, unplaced, visits."""
    total = 0
    for c in range(static.first[s], static.first[s + 1]):
        if state.rep[c] < 0:
            total += UNPLACED_SAFETY if static.check[c, SAFETY] else UNPLACED
        elif state.rep[c] == c:
            total += VISIT
    return total


@inlined
def worth_units(static: Static, c: int) -> int:
    """What a check without a date counts in units of a visit: 1,000, a safety check 1,000,000."""
    return 1_000_000 if static.check[c, SAFETY] else 1_000


@compiled
def users_of(static: Static, state: State, subjects: Longs, first: Longs) -> Ints:
    """The subjects using each pool-day, as lists one after another; `first` is filled with where each begins."""
    days = len(static.dates)
    first[:] = 0
    for s in subjects:
        for c in range(static.first[s], static.first[s + 1]):
            if state.day[c] >= 0:
                first[static.check[c, POOL] * days + state.day[c] + 1] += 1
    for k in range(1, len(first)):
        first[k] += first[k - 1]
    at = first[:-1].copy()
    users = np.empty(first[-1], np.int32)
    for s in subjects:
        for c in range(static.first[s], static.first[s + 1]):
            if state.day[c] >= 0:
                key = static.check[c, POOL] * days + state.day[c]
                users[at[key]] = s
                at[key] += 1
    return users


@merged
def put_back(static: Static, state: State, weights: Weights, lo: int, hi: int, reps: Ints, days: Ints) -> None:
    """Put saved visits back where they were (confirmed checks never left)."""
    check = static.check
    for i in range(hi - lo):
        c, rep = lo + i, reps[i]
        if rep < 0 or check[c, PIN] >= 0:
            continue
        own = check[rep, PIN] < 0
        for j in range(i):
            if reps[j] == rep and check[lo + j, DEP] == check[c, DEP]:
                own = False
        charge(static, state, weights, check[c, POOL], days[i], check[c, MINUTES] + (static.travel if own else 0))
        if own:
            state.trips[check[c, TRIP], days[i]] += 1
        state.rep[c] = rep
        state.day[c] = days[i]


@compiled
def _lift_free(static: Static, state: State, weights: Weights, s: int, z: Scratch) -> int:
    """Take a subject's free checks out; returns their number, loaded in `z.atoms`."""
    n = free_atoms(static, s, z)
    lift(static, state, weights, z.atoms, n)
    return n


@compiled
def _uses(static: Static, state: State, s: int, key: int) -> int:
    """Minutes a subject has on a pool-day."""
    days = len(static.dates)
    total = 0
    for c in range(static.first[s], static.first[s + 1]):
        if state.day[c] >= 0 and static.check[c, POOL] * days + state.day[c] == key:
            total += static.check[c, MINUTES]
    return total


@compiled
def _best_leaver(
    static: Static,
    state: State,
    weights: Weights,
    key: int,
    s: int,
    users: Ints,
    begin: int,
    end: int,
    tries: int,
    turn: int,
    touched: Ints,
    z: Scratch,
    reps: Ints,
    days: Ints,
) -> int:
    """The user of a full pool-day that can choose again at least cost, -1 if none can leave it."""
    best, leaver = INF, -1
    size = end - begin
    for step in range(min(tries, size)):
        v = users[begin + (turn + step) % size]
        lo, hi = static.first[v], static.first[v + 1]
        if v == s or touched[v] >= 2 or hi - lo > MOST_AT_ONCE or len(own_pins(static, v)):
            continue
        if not _uses(static, state, v, key):
            continue
        before = worth(static, state, v)
        reps[: hi - lo] = state.rep[lo:hi]
        days[: hi - lo] = state.day[lo:hi]
        n = _lift_free(static, state, weights, v, z)
        count = visit_sets(static, static.most_departments[v], n, z)
        price_sets(static, state.room, state.price, state.trips, weights, n, count, z)
        partition(static, weights, n, z)
        cost = z.total[(1 << n) - 1] - before
        put_back(static, state, weights, lo, hi, reps, days)
        if cost < best:
            best, leaver = cost, v
            if cost < min(weights.shortage, VISIT):
                break
    return leaver


@compiled
def _push_full(static: Static, state: State, s: int, stack: Longs, size: int) -> int:
    """Note the pool-days the subject overfills."""
    days = len(static.dates)
    for c in range(static.first[s], static.first[s + 1]):
        if state.day[c] >= 0 and state.room[static.check[c, POOL], state.day[c]] < 0 and size < len(stack):
            stack[size] = static.check[c, POOL] * days + state.day[c]
            size += 1
    return size


@compiled
def chain(
    static: Static,
    state: State,
    weights: Weights,
    s: int,
    users: Ints,
    first: Longs,
    steps: int,
    tries: int,
    turn: int,
    touched: Ints,
    z: Scratch,
    saved: tuple[Longs, Ints, Ints, Longs],
) -> int:
    """Try one chain from subject s; returns the change of `worth` over all, 0 if it was undone."""
    log, log_rep, log_day, stack = saved
    logged, used, size = 0, 0, 0
    lo, hi = static.first[s], static.first[s + 1]
    reps, days = np.empty(MOST_AT_ONCE, np.int32), np.empty(MOST_AT_ONCE, np.int32)
    change = 0
    mover = s
    step = 0
    good = True
    while True:
        lo, hi = static.first[mover], static.first[mover + 1]
        if logged == len(log) or used + hi - lo > len(log_rep):
            good = False
            break
        log[logged] = mover
        log_rep[used : used + hi - lo] = state.rep[lo:hi]
        log_day[used : used + hi - lo] = state.day[lo:hi]
        logged += 1
        used += hi - lo
        touched[mover] += 1
        before = worth(static, state, mover)
        pins = own_pins(static, mover)
        n = _lift_free(static, state, weights, mover, z)
        choose(static, state, weights, pins, static.most_departments[mover], n, z)
        change += worth(static, state, mover) - before
        if change >= 0:
            good = False
            break
        size = _push_full(static, state, mover, stack, size)
        while size and state.room[stack[size - 1] // len(static.dates), stack[size - 1] % len(static.dates)] >= 0:
            size -= 1
        if size == 0:
            break
        step += 1
        if step > steps:
            good = False
            break
        key = stack[size - 1]
        mover = _best_leaver(
            static,
            state,
            weights,
            key,
            s,
            users,
            first[key],
            first[key + 1],
            tries,
            turn + step,
            touched,
            z,
            reps,
            days,
        )
        if mover < 0:
            good = False
            break
    for k in range(logged):
        touched[log[k]] = 0
    if good:
        return change
    while logged:
        logged -= 1
        v = log[logged]
        lo, hi = static.first[v], static.first[v + 1]
        used -= hi - lo
        _lift_free(static, state, weights, v, z)
        put_back(static, state, weights, lo, hi, log_rep[used : used + hi - lo], log_day[used : used + hi - lo])
    return 0


@compiled
def relieve(
    static: Static,
    state: State,
    weights: Weights,
    wanting: Longs,
    subjects: Longs,
    steps: int,
    tries: int,
    turn: int,
    touched: Ints,
    first: Longs,
) -> int:
    """Start a chain from each subject in `wanting`; returns how many helped."""
    z = scratch(MOST_AT_ONCE, len(static.dates))
    users = users_of(static, state, subjects, first)
    saved = (
        np.empty(steps + 2, np.int64),
        np.empty((steps + 2) * 4 * MOST_AT_ONCE, np.int32),
        np.empty((steps + 2) * 4 * MOST_AT_ONCE, np.int32),
        np.empty(256, np.int64),
    )
    helped = 0
    for s in wanting:
        if static.first[s + 1] - static.first[s] > MOST_AT_ONCE:
            continue
        if chain(static, state, weights, s, users, first, steps, tries, turn, touched, z, saved) < 0:
            helped += 1
    return helped


@compiled
def restore(static: Static, state: State, weights: Weights, former: Longs, day: Longs, lost: Bools) -> None:
    """Enter former visits (`former[c]` numbers them, -1 none) on `day` where rules and room still allow them.

    `lost[s]` is set for each subject with a visit that can't stand. Checks of a confirmed visit are in already;
    what shared their visit joins them again if it may.
    """
    z = scratch(MOST_AT_ONCE, len(static.dates))
    for s in range(len(static.first) - 1):
        lo, hi = static.first[s], static.first[s + 1]
        for c in range(lo, hi):
            if former[c] < 0 or state.rep[c] >= 0:
                continue
            n, fits, seen, pin = 0, True, False, -1
            for e in range(lo, hi):
                if former[e] != former[c]:
                    continue
                if static.check[e, PIN] >= 0:
                    pin = static.check[e, PIN]
                    continue
                seen = seen or e < c
                d = day[e]
                if d < 0 or not (static.mask[e, d >> 6] >> np.uint64(d & 63)) & np.uint64(1) or n == MOST_AT_ONCE:
                    fits = False
                else:
                    z.atoms[n] = e
                    n += 1
            if seen:  # refused at an earlier check of the same visit
                continue
            if fits and pin >= 0 and static.pin_day[pin] == day[c]:
                full = (1 << n) - 1
                fits = host_cost(static, state.room, state.price, weights, pin, full, n, z) < INF
                host = static.pin_check[static.pin_first[pin]]
                fits = fits and settle(static, state, weights, full, day[c], host, n, z)
            elif fits:
                visit_sets(static, static.most_departments[s], n, z)
                fits = z.where[(1 << n) - 1] >= 0
                fits = fits and settle(static, state, weights, (1 << n) - 1, day[c], -1, n, z)
            if not fits:
                lost[s] = True


@compiled
def wanting_room(static: Static, state: State, subjects: Longs, safety_only: bool) -> Longs:
    """The subjects with an unplaced check that has an open date."""
    found = np.empty(len(subjects), np.int64)
    count = 0
    for s in subjects:
        for c in range(static.first[s], static.first[s + 1]):
            if state.rep[c] >= 0 or (safety_only and not static.check[c, SAFETY]):
                continue
            opened = False
            for w in range(static.mask.shape[1]):
                opened = opened or static.mask[c, w] != 0
            if opened:
                found[count] = s
                count += 1
                break
    return found[:count]


@compiled
def wanting_fewer(static: Static, state: State, subjects: Longs) -> Longs:
    """The subjects with more visits than rules and dates alone would need."""
    z = scratch(MOST_AT_ONCE, len(static.dates))
    found = np.empty(len(subjects), np.int64)
    count = 0
    for s in subjects:
        visits = 0
        for c in range(static.first[s], static.first[s + 1]):
            if state.rep[c] == c and static.check[c, PIN] < 0:
                visits += 1
        if visits < 2 or static.first[s + 1] - static.first[s] > MOST_AT_ONCE:
            continue
        n = 0
        for c in range(static.first[s], static.first[s + 1]):
            rep = state.rep[c]
            if rep >= 0 and static.check[rep, PIN] < 0:
                z.atoms[n] = c
                n += 1
        if fewest(static, static.most_departments[s], n, z) < visits:
            found[count] = s
            count += 1
    return found[:count]


@compiled
def worth_all(static: Static, state: State) -> int:
    """The first three levels of the objective over all subjects, in units of a visit (`worth_units`)."""
    total = 0
    for c in range(len(state.rep)):
        if state.rep[c] < 0:
            total += worth_units(static, c)
        elif state.rep[c] == c:
            total += 1
    return total
