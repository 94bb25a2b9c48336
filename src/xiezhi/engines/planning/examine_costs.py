"""The verifier's own least costs: a subject's cheapest visit plan at the prices, and its visits if each goes alone.

Written from the contract alone; nothing here is called by the solver or calls it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning.caching import compiled
from xiezhi.engines.planning.examine_columns import EXACT_UP_TO, HUGE, MILLION, Columns, Longs, allowed


@compiled
def each_alone(columns: Columns, s: int, rows: NDArray[np.uint8], price: Longs) -> int:
    """Least number of visits for the subject's placed checks if each department goes alone."""
    lo, hi = columns.first[s], columns.first[s + 1]
    total = 0
    own = np.empty(hi - lo, np.int64)
    for c in range(lo, hi):
        n = 0
        for e in range(lo, hi):
            if columns.visit[e] >= 0 and columns.department[e] == columns.department[c]:
                own[n] = e
                n += 1
        if columns.visit[c] >= 0 and own[0] == c:
            n = min(n, EXACT_UP_TO)
            total += 1 if n == 1 else _best_cut(columns, own[:n], lo, rows, price, 1, 1, False)[(1 << n) - 1]
    return total


@compiled
def _best_cut(
    columns: Columns, free: Longs, lo: int, rows: NDArray[np.uint8], price: Longs, limit: int, unit: int, priced: bool
) -> Longs:
    """Least cost of cutting each subset of the checks into visits."""
    n = len(free)
    sets, worth, begin = _priced_sets(columns, free, lo, rows, price, limit, unit, priced)
    best = np.empty(1 << n, np.int64)
    best[0] = 0
    for subset in range(1, 1 << n):
        low = 0
        while not (subset >> low) & 1:
            low += 1
        least = HUGE
        for k in range(begin[low], begin[low + 1]):
            if sets[k] & ~subset == 0:
                least = min(least, worth[k] + best[subset & ~sets[k]])
        best[subset] = least
    return best


@compiled
def cheapest_plan(columns: Columns, s: int, rows: NDArray[np.uint8], price: Longs, limit: int) -> int:
    """The bound's term: least 10^6 per visit plus price times use for the placed checks, pinned visits as they stand."""
    lo, hi = columns.first[s], columns.first[s + 1]
    free, hosts = np.empty(hi - lo, np.int64), np.empty(hi - lo, np.int64)
    n, pins, total = 0, 0, 0
    for c in range(lo, hi):
        pin = columns.pin[c]
        if columns.visit[c] < 0:
            continue
        if pin < 0:
            free[n] = c
            n += 1
            continue
        known = False
        for h in range(pins):
            known = known or hosts[h] == pin
        if not known:
            hosts[pins] = pin
            pins += 1
    for k in range(EXACT_UP_TO, n):
        total += _cheapest_minutes(columns, free[k], rows[free[k] - lo], price)
    n = min(n, EXACT_UP_TO)
    best = _best_cut(columns, free[:n], lo, rows, price, limit, MILLION, True)
    if pins == 0:
        return total + int(best[(1 << n) - 1])
    joined = np.full(1 << n, HUGE, np.int64)
    joined[0] = 0
    for h in range(pins):
        extra = np.empty(1 << n, np.int64)
        bare = _visit_price(columns, lo, hi, hosts[h], free, 0, price)
        total += MILLION + bare
        for subset in range(1 << n):
            extra[subset] = HUGE
            if _may_join(columns, lo, hi, hosts[h], free[:n], subset, rows, limit):
                extra[subset] = _visit_price(columns, lo, hi, hosts[h], free, subset, price) - bare
        after = np.full(1 << n, HUGE, np.int64)
        for done in range(1 << n):
            if joined[done] < HUGE:
                for more in range(1 << n):
                    if more & done == 0 and extra[more] < HUGE:
                        after[done | more] = min(after[done | more], joined[done] + extra[more])
        joined = after
    least = HUGE
    for subset in range(1 << n):
        if joined[subset] < HUGE and best[((1 << n) - 1) & ~subset] < HUGE:
            least = min(least, joined[subset] + best[((1 << n) - 1) & ~subset])
    return total + least


@compiled
def _cheapest_minutes(columns: Columns, c: int, row: NDArray[np.uint8], price: Longs) -> int:
    least = HUGE
    for d in range(len(row)):
        if row[d]:
            least = min(least, price[columns.pool[c], d] * columns.minutes[c])
    return least


@compiled
def _priced_sets(
    columns: Columns, free: Longs, lo: int, rows: NDArray[np.uint8], price: Longs, limit: int, unit: int, priced: bool
) -> tuple[Longs, Longs, Longs]:
    """All sets of the free checks that may be one visit, with what each costs at best, by lowest member."""
    n = len(free)
    capacity = 256
    sets = np.empty(capacity, np.int64)
    worth = np.empty(capacity, np.int64)
    begin = np.zeros(n + 1, np.int64)
    count = 0
    members = np.empty(n, np.int64)
    for low in range(n):
        begin[low] = count
        for rest in range(1 << (n - low - 1)):
            subset = (rest << (low + 1)) | (1 << low)
            size = 0
            for i in range(low, n):
                if (subset >> i) & 1:
                    members[size] = free[i]
                    size += 1
            if allowed(columns, members[:size], limit):
                continue
            least = cheapest_date(columns, members[:size], lo, rows, price, priced)
            if least == HUGE:
                continue
            if count == capacity:
                capacity *= 2
                more_sets, more_worth = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
                more_sets[:count], more_worth[:count] = sets[:count], worth[:count]
                sets, worth = more_sets, more_worth
            sets[count] = subset
            worth[count] = unit + least
            count += 1
    begin[n] = count
    return sets, worth, begin


@compiled
def cheapest_date(
    columns: Columns, members: Longs, lo: int, rows: NDArray[np.uint8], price: Longs, priced: bool
) -> int:
    """Least price of the visit's use over the dates open to all its checks; HUGE without such a date."""
    department, minutes, pool, travel = columns.department, columns.minutes, columns.pool, columns.params[2]
    least = HUGE
    for d in range(len(columns.dates)):
        cost = 0
        for i in range(len(members)):
            c = members[i]
            if not rows[c - lo, d]:
                cost = HUGE
                break
            if priced:
                use = minutes[c] + travel
                for j in range(i):
                    if department[members[j]] == department[c]:
                        use = minutes[c]
                cost += price[pool[c], d] * use
        if cost < least:
            least = cost
        if least == 0:  # prices are not negative (or the plan fails for it)
            return least
    return least


@compiled
def _visit_price(columns: Columns, lo: int, hi: int, pin: int, free: Longs, subset: int, price: Longs) -> int:
    """Price of the confirmed visit's use with a set of free checks in it."""
    d = np.searchsorted(columns.dates, columns.pin_on[pin])
    total = 0
    for c in range(lo, hi):
        member = columns.pin[c] == pin
        k = 0
        while (subset >> k) > 0:
            member = member or ((subset >> k) & 1 and free[k] == c)
            k += 1
        if not member:
            continue
        total += price[columns.pool[c], d] * columns.minutes[c]
    for c in range(lo, hi):
        if columns.pin[c] == pin:
            earlier = False
            for e in range(lo, c):
                earlier = earlier or (columns.pin[e] == pin and columns.department[e] == columns.department[c])
            if not earlier:
                total += price[columns.pool[c], d] * columns.params[2]
    return total


@compiled
def _may_join(
    columns: Columns, lo: int, hi: int, pin: int, free: Longs, subset: int, rows: NDArray[np.uint8], limit: int
) -> bool:
    """Whether a set of free checks may be added to a confirmed visit: rules 1-4, 7 and no further department."""
    d = np.searchsorted(columns.dates, columns.pin_on[pin])
    members = np.empty(hi - lo, np.int64)
    size = 0
    for c in range(lo, hi):
        if columns.pin[c] == pin:
            members[size] = c
            size += 1
    confirmed = size
    for i in range(len(free)):
        if not (subset >> i) & 1:
            continue
        known = False
        for j in range(confirmed):
            known = known or columns.department[members[j]] == columns.department[free[i]]
        if not known or not rows[free[i] - lo, d]:
            return False
        members[size] = free[i]
        size += 1
    return allowed(columns, members[:size], limit) == 0
