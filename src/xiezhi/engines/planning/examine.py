"""The verifier's compiled half: each subject's checks, visits and pairs held against the rules.

Written from the contract alone; nothing here is called by the solver or calls it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning.caching import compiled
from xiezhi.engines.planning.examine_columns import (
    APART,
    CLOSED,
    EMPTY,
    LEAD,
    LISTED,
    MILLION,
    MINUTES,
    PIN_DATE,
    PIN_DEPARTMENT,
    PIN_LEFT,
    PIN_MERGED,
    REASON,
    SHUT,
    SUBJECT,
    URGENT,
    WINDOW,
    Bools,
    Columns,
    Longs,
    allowed,
)
from xiezhi.engines.planning.examine_costs import cheapest_date, cheapest_plan, each_alone


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
                sums[2] += MILLION + cheapest_date(columns, pair[:1], lo, rows, price, True)
            continue
        sums[3] += each_alone(columns, s, rows, price)
        sums[2] += cheapest_plan(columns, s, rows, price, limit)
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
    code = allowed(columns, members, limit)
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
    if allowed(columns, pair, limit):
        return 0
    for d in range(len(columns.dates)):
        if row_a[d] and row_b[d]:
            key = a * len(columns.department) + b
            at = np.searchsorted(pairs, key)
            return 1 if at < len(pairs) and pairs[at] == key else 2
    return 0
