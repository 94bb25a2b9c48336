"""Ruin and recreate: around a subject that could still gain, some users of a pool-day are taken out; all choose anew.

What comes out worse is put back; what comes out equal stays, so that the plan drifts to where something can be gained.
"""

from __future__ import annotations

import numpy as np

from xiezhi.engines.planning.bounds import fewest
from xiezhi.engines.planning.caching import compiled, inlined, merged
from xiezhi.engines.planning.choosing import choose, free_atoms, lift
from xiezhi.engines.planning.kernels import (
    MOST_AT_ONCE,
    PIN,
    POOL,
    Ints,
    Longs,
    Scratch,
    State,
    Static,
    Weights,
    own_pins,
    scratch,
)
from xiezhi.engines.planning.relief import put_back, worth_units

LOOK = 64  # ruins between two looks at who could still gain
GROUP = 8  # subjects taken out around one, at most
NO_GAIN = 1 << 60


@inlined
def _draw(seed: Longs, below: int) -> int:
    """A number in 0..below-1 from a small generator of whole numbers (xorshift)."""
    x = seed[0]
    x ^= (x << 13) & 0x7FFFFFFFFFFFFFFF
    x ^= x >> 7
    x ^= (x << 17) & 0x7FFFFFFFFFFFFFFF
    seed[0] = x
    return int(((x >> 20) & 0x7FFFFFFF) % below)


@inlined
def _opened(static: Static, c: int, d: int) -> bool:
    """Whether the date is open to the check."""
    return bool((static.mask[c, d >> 6] >> np.uint64(d & 63)) & np.uint64(1))


@compiled
def least_units(static: Static) -> Longs:
    """By subject, what `worth_units` can't fall below by rules and dates alone; `NO_GAIN` for very large subjects."""
    z = scratch(MOST_AT_ONCE, len(static.dates))
    least = np.empty(len(static.first) - 1, np.int64)
    for s in range(len(least)):
        lo, hi = static.first[s], static.first[s + 1]
        if hi - lo > MOST_AT_ONCE:
            least[s] = NO_GAIN
            continue
        n, pinned, units = 0, False, 0
        for c in range(lo, hi):
            opened = False
            for w in range(static.mask.shape[1]):
                opened = opened or static.mask[c, w] != 0
            pinned = pinned or static.check[c, PIN] >= 0
            if opened:
                z.atoms[n] = c
                n += 1
            else:
                units += worth_units(static, c)
        least[s] = units + (n if pinned else fewest(static, static.most_departments[s], n, z))
    return least


@inlined
def _units(static: Static, state: State, s: int) -> int:
    """What the subject's plan costs in units of a visit."""
    total = 0
    for c in range(static.first[s], static.first[s + 1]):
        if state.rep[c] < 0:
            total += worth_units(static, c)
        elif state.rep[c] == c:
            total += 1
    return total


@compiled
def _gather(
    static: Static, state: State, s: int, by_pool: tuple[Longs, Ints, Ints], seed: Longs, group: Longs, near: Ints
) -> int:
    """Fill `group` with s and users of pool-days that its checks could have on one date; returns how many."""
    first, checks, owner = by_pool
    lo, hi = static.first[s], static.first[s + 1]
    start = _draw(seed, hi - lo)
    c = lo + start
    for k in range(hi - lo):  # a check without a date comes before the others
        e = lo + (start + k) % (hi - lo)
        if state.rep[e] < 0 and static.check[e, POOL] >= 0:
            c = e
            break
    days = len(static.dates)
    start, d = _draw(seed, days), -1
    for k in range(days):
        if d < 0 and _opened(static, c, (start + k) % days):
            d = (start + k) % days
    group[0] = s
    size = 1
    if d < 0:
        return size
    for e in range(lo, hi):
        if not _opened(static, e, d):
            continue
        pool, found = static.check[e, POOL], 0
        for k in range(first[pool], first[pool + 1]):
            if state.day[checks[k]] == d:
                near[found] = owner[k]
                found += 1
        for k in range(min(found, GROUP // 2)):
            j = k + _draw(seed, found - k)
            near[k], near[j] = near[j], near[k]
            v = near[k]
            known = size > GROUP or static.first[v + 1] - static.first[v] > MOST_AT_ONCE
            for i in range(size):
                known = known or group[i] == v
            if not known:
                group[size] = v
                size += 1
    return size


@merged
def _take_out(static: Static, state: State, weights: Weights, s: int, z: Scratch) -> None:
    """Take a subject's free checks out of the plan."""
    lift(static, state, weights, z.atoms, free_atoms(static, s, z))


@compiled
def ruin(
    static: Static, state: State, weights: Weights, by_pool: tuple[Longs, Ints, Ints], turns: int, seed: Longs
) -> int:
    """Ruin and recreate `turns` times, fewer once nobody could gain; returns the visits (in units) gained.

    `by_pool`: where each pool's checks begin, the checks, their subjects. `seed[0]` above 0; it moves on.
    """
    z = scratch(MOST_AT_ONCE, len(static.dates))
    least = least_units(static)
    wanting = np.empty(len(least), np.int64)
    group = np.empty(GROUP + 1, np.int64)
    reps, days = np.empty((GROUP + 1, MOST_AT_ONCE), np.int32), np.empty((GROUP + 1, MOST_AT_ONCE), np.int32)
    place = np.empty(GROUP + 1, np.int64)
    near = np.empty(len(by_pool[1]), np.int32)
    gained, count = 0, 0
    for turn in range(turns):
        if turn % LOOK == 0:
            count = 0
            for s in range(len(least)):
                if least[s] < NO_GAIN and _units(static, state, s) > least[s]:
                    wanting[count] = s
                    count += 1
            if count == 0:
                break
        size = _gather(static, state, wanting[_draw(seed, count)], by_pool, seed, group, near)
        before, after = 0, 0
        for k in range(size):
            v = group[k]
            a, b = static.first[v], static.first[v + 1]
            before += _units(static, state, v)
            reps[k, : b - a] = state.rep[a:b]
            days[k, : b - a] = state.day[a:b]
            place[k] = k
        for k in range(size):
            _take_out(static, state, weights, group[k], z)
        for k in range(size):
            if k or _draw(seed, 4) == 0:  # mostly the wanting subject first, the others in random order
                j = k + _draw(seed, size - k)
                place[k], place[j] = place[j], place[k]
            v = group[place[k]]
            n = free_atoms(static, v, z)
            choose(static, state, weights, own_pins(static, v), static.most_departments[v], n, z)
            after += _units(static, state, v)
        if after <= before:
            gained += before - after
            continue
        for k in range(size):
            _take_out(static, state, weights, group[k], z)
        for k in range(size):
            a, b = static.first[group[k]], static.first[group[k] + 1]
            put_back(static, state, weights, a, b, reps[k, : b - a], days[k, : b - a])
    return gained
