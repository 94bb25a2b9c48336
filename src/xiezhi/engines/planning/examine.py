"""The verifier's compiled half: each subject's checks, visits and pairs held against the rules, and its least cost.

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
def _opens(columns: Columns, c: int, s: int, row: NDArray[np.uint8]) -> int:
    """Mark in `row` each date open to check c: window, pool, weekday, urgent cut. Returns how many."""
    closed, pool_of, earliest, latest = columns.closed, columns.pool, columns.earliest, columns.latest
    urgent, dates, capacity, params = columns.urgent, columns.dates, columns.capacity, columns.params
    count = 0
    for d in range(len(dates)):
        row[d] = 0
        if pool_of[c] < 0 or dates[d] < earliest[c] or dates[d] > latest[c]:
            continue
        weekday = (dates[d] + 3) % 7
        if capacity[pool_of[c], d] > 0 and not (closed[s] >> weekday) & 1:
            if urgent[c] and count >= params[3]:
                break
            row[d] = 1
            count += 1
    for e in range(d + 1 if len(dates) else 0, len(dates)):
        row[e] = 0
    return count


@compiled
def _enemies(columns: Columns, a: int, b: int) -> bool:
    """Whether the two checks' items are incompatible."""
    item, begin, other = columns.item, columns.enemy_first, columns.enemy
    found = False
    for k in range(begin[item[a]], begin[item[a] + 1]):
        found = found or other[k] == item[b]
    return found


@compiled
def _allowed(columns: Columns, members: Longs, limit: int) -> int:
    """0 if the checks may be one visit under rules 2-4, else the rule broken."""
    department, minutes, params = columns.department, columns.minutes, columns.params
    kinds = 0
    for i in range(len(members)):
        total, again = 0, False
        for j in range(len(members)):
            if department[members[j]] == department[members[i]]:
                total += minutes[members[j]]
                again = again or j < i
            if j < i and _enemies(columns, members[i], members[j]):
                return INCOMPATIBLE
        if not again:
            kinds += 1
        if total > params[1] and len(members) > 1:
            return TIME
    return DEPARTMENTS if kinds > limit else 0


@compiled
def examine(columns: Columns, begin: int, end: int, load: Longs, trips: Bools) -> tuple[Longs, Longs]:
    """Check the subjects begin..end-1; fills the load and trips of their visits."""
    first, opt_out, params, dates = columns.first, columns.opt_out, columns.params, columns.dates
    check_visit, visit_date, safety, earliest = columns.visit, columns.visit_date, columns.safety, columns.earliest
    reason, price = columns.reason, columns.price
    found = np.empty((LISTED, 2), np.int64)
    count = 0
    sums = np.zeros(5, np.int64)
    pair = np.empty(2, np.int64)
    most = 0
    for s in range(begin, end):
        most = max(most, first[s + 1] - first[s])
    rows = np.zeros((most, max(1, len(dates))), np.uint8)
    for s in range(begin, end):
        lo, n = first[s], first[s + 1] - first[s]
        limit = 1 if opt_out[s] else params[0]
        for i in range(n):
            c = lo + i
            opened = _opens(columns, c, s, rows[i])
            code = _check_faults(columns, c, s, rows[i], opened)
            if code >= 0 and count < LISTED:
                found[count, 0], found[count, 1] = code, c
                count += 1
            if check_visit[c] >= 0 and safety[c]:
                sums[0] += visit_date[check_visit[c]] - earliest[c]
            if check_visit[c] < 0:
                sums[4] += safety[c]
                if reason[c] != (1 if opened == 0 else 2) and count < LISTED:
                    found[count, 0], found[count, 1] = REASON, c
                    count += 1
            if check_visit[c] >= 0 and columns.order[columns.start[check_visit[c]]] == c:
                for code, index in _visit_faults(columns, check_visit[c], c, s, limit, load, trips):
                    if count < LISTED:
                        found[count, 0], found[count, 1] = code, index
                        count += 1
            for j in range(i):
                pair[0], pair[1] = lo + j, c
                code = _pair_fault(columns, pair, rows[j], rows[i], limit)
                if code:
                    sums[1] += 1
                if code == 2 and count < LISTED:
                    found[count, 0], found[count, 1] = APART, c
                    count += 1
        if n == 1 and columns.pin[lo] < 0:  # most subjects; the general way would say the same
            if check_visit[lo] >= 0:
                pair[0] = lo
                sums[3] += 1
                sums[2] += MILLION + _cheapest_date(columns, pair[:1], lo, rows, price, True)
            continue
        sums[3] += _each_alone(columns, s, rows, price)
        sums[2] += _cheapest_plan(columns, s, rows, price, limit)
    if begin == 0:
        for v in range(len(visit_date)):
            if columns.start[v] == columns.start[v + 1] and count < LISTED:
                found[count, 0], found[count, 1] = EMPTY, v
                count += 1
    return found[:count], sums


@compiled
def _check_faults(columns: Columns, c: int, s: int, row: NDArray[np.uint8], opened: int) -> int:
    """The first of rules 1, 7 and 8 that the check's own date breaks, or -1."""
    visit, date, dates, urgent = columns.visit[c], columns.visit_date, columns.dates, columns.urgent
    pin, capacity = columns.pin[c], columns.capacity
    if visit < 0:
        return PIN_LEFT if pin >= 0 else -1
    day = date[visit]
    if pin >= 0 and day != columns.pin_on[pin]:
        return PIN_DATE
    if day < columns.earliest[c] or day > columns.latest[c]:
        return WINDOW
    d = np.searchsorted(dates, day)
    if d == len(dates) or dates[d] != day or columns.pool[c] < 0 or capacity[columns.pool[c], d] <= 0:
        return SHUT
    if (columns.closed[s] >> ((day + 3) % 7)) & 1:
        return CLOSED
    if not row[d]:
        return URGENT if urgent[c] else WINDOW
    return -1


@compiled
def _visit_faults(
    columns: Columns, v: int, c: int, s: int, limit: int, load: Longs, trips: Bools
) -> list[tuple[int, int]]:
    """Faults of visit v, looked at once: at its first check. Adds its use to the load."""
    out = [(0, 0)]
    out.clear()
    order, start = columns.order, columns.start
    department, minutes, safety, pin = columns.department, columns.minutes, columns.safety, columns.pin
    members = order[start[v] : start[v + 1]]
    d = np.searchsorted(columns.dates, columns.visit_date[v])
    for m in members:
        if m < columns.first[s] or m >= columns.first[s + 1] or columns.visit_subject[v] != s:
            out.append((SUBJECT, v))
            return out
    code = _allowed(columns, members, limit)
    if code:
        out.append((code, c))
    pinned = -1
    for m in members:
        if pin[m] >= 0:
            if pinned >= 0 and pin[m] != pinned:
                out.append((PIN_MERGED, m))
            pinned = pin[m]
    if pinned >= 0:
        held = 0
        for m in members:
            held += pin[m] == pinned
        if held != columns.pin_size[pinned]:
            out.append((PIN_LEFT, c))
    longest, lead, lead_safe, lead_minutes = 0, -1, 0, 0
    for m in members:
        total, safe, known, confirmed = 0, 0, False, False
        for e in members:
            if department[e] == department[m]:
                total += minutes[e]
                safe += minutes[e] if safety[e] else 0
                known = known or e < m
                confirmed = confirmed or pin[e] >= 0
        if pinned >= 0 and not confirmed:
            out.append((PIN_DEPARTMENT, m))
        if known:
            continue
        longest = max(longest, total)
        if d < len(columns.dates) and columns.pool[m] >= 0:
            load[columns.pool[m], d] += total + columns.params[2]
            trips[columns.street[s], department[m], d] = True
        better = lead < 0 or safe > lead_safe
        if not better and safe == lead_safe:
            if safe > 0:
                better = department[m] < lead
            else:
                better = total > lead_minutes or (total == lead_minutes and department[m] < lead)
        if better:
            lead, lead_safe, lead_minutes = department[m], safe, total
    if lead != columns.visit_lead[v]:
        out.append((LEAD, v))
    if longest != columns.visit_minutes[v]:
        out.append((MINUTES, v))
    return out


@compiled
def _pair_fault(columns: Columns, pair: Longs, row_a: NDArray[np.uint8], row_b: NDArray[np.uint8], limit: int) -> int:
    """0: not a pair to list; 1: listed as it must be; 2: should be listed and is not."""
    a, b = pair[0], pair[1]
    visit, pairs = columns.visit, columns.pairs
    if visit[a] >= 0 and visit[a] == visit[b]:
        return 0
    if _allowed(columns, pair, limit):
        return 0
    for d in range(len(columns.dates)):
        if row_a[d] and row_b[d]:
            key = a * len(columns.department) + b
            at = np.searchsorted(pairs, key)
            return 1 if at < len(pairs) and pairs[at] == key else 2
    return 0


@compiled
def _each_alone(columns: Columns, s: int, rows: NDArray[np.uint8], price: Longs) -> int:
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
def _cheapest_plan(columns: Columns, s: int, rows: NDArray[np.uint8], price: Longs, limit: int) -> int:
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
            if _allowed(columns, members[:size], limit):
                continue
            least = _cheapest_date(columns, members[:size], lo, rows, price, priced)
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
def _cheapest_date(
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
    return _allowed(columns, members[:size], limit) == 0
