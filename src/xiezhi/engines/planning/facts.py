"""Facts of a finished state, compiled: leads, minutes on site, and why two checks of a subject are apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning.caching import compiled
from xiezhi.engines.planning.kernels import DEP, MINUTES, PIN, POOL, SAFETY, Ints, Longs, State, Static, incompatible

DEPARTMENTS_LIMIT, INCOMPATIBLE_THIRD, TIME_ON_SITE, NO_COMMON_ROOM, BETTER_ELSEWHERE = range(5)


@compiled
def department_sets(department: Ints, visit: Ints, sets: NDArray[np.int64]) -> None:
    """Mark in `sets[v]` (63 departments to a word) the departments of visit v."""
    for c in range(len(visit)):
        if visit[c] >= 0:
            sets[visit[c], department[c] // 63] |= 1 << (department[c] % 63)


@compiled
def visit_facts(
    check: Ints, first: Longs, visit: Ints, begin: int, end: int, lead: Ints, longest: Ints, best: NDArray[np.int64]
) -> None:
    """Lead department and minutes on site (rules 3 and 6) of the visits to subjects begin..end-1.

    `lead` starts at -1, the others at 0; `best` keeps the lead's safety minutes and minutes.
    """
    for s in range(begin, end):
        for a in range(first[s], first[s + 1]):
            v = visit[a]
            if v < 0:
                continue
            minutes, safe, earlier = 0, 0, False
            for b in range(first[s], first[s + 1]):
                if visit[b] == v and check[b, DEP] == check[a, DEP]:
                    earlier = earlier or b < a
                    minutes += check[b, MINUTES]
                    if check[b, SAFETY]:
                        safe += check[b, MINUTES]
            if earlier:
                continue
            longest[v] = max(longest[v], minutes)
            safety_wins = safe > best[v, 0] or (safe == best[v, 0] and safe > 0 and check[a, DEP] < lead[v])
            minutes_win = minutes > best[v, 1] or (minutes == best[v, 1] and check[a, DEP] < lead[v])
            if lead[v] < 0 or safety_wins or (safe == 0 and best[v, 0] == 0 and minutes_win):
                lead[v] = check[a, DEP]
                best[v, 0] = safe
                best[v, 1] = minutes


@compiled
def apart_pairs(static: Static, state: State, begin: int, end: int) -> Ints:
    """(check, check, reason) of each pair of a subject in begin..end-1 that may share a visit by the rules and does not."""
    found = np.empty((1024, 3), np.int32)
    count = 0
    for s in range(begin, end):
        for a in range(static.first[s], static.first[s + 1]):
            for b in range(a + 1, static.first[s + 1]):
                if state.rep[a] >= 0 and state.rep[a] == state.rep[b]:
                    continue
                if not _may_pair(static, static.most_departments[s], a, b):
                    continue
                reason = max(_joining(static, state, s, a, b), _joining(static, state, s, b, a))
                if count == len(found):
                    larger = np.empty((2 * count, 3), np.int32)
                    larger[:count] = found
                    found = larger
                found[count, 0], found[count, 1], found[count, 2] = a, b, reason
                count += 1
    return found[:count]


@compiled
def _may_pair(static: Static, most_departments: int, a: int, b: int) -> bool:
    """Whether a visit of just these two satisfies rules 1-4 and 7."""
    check = static.check
    minutes_a, minutes_b = check[a, MINUTES], check[b, MINUTES]
    if check[a, DEP] == check[b, DEP]:
        if minutes_a + minutes_b > static.most_minutes:
            return False
    elif most_departments < 2 or max(minutes_a, minutes_b) > static.most_minutes:
        return False
    if incompatible(static, a, b):
        return False
    shared = False
    for w in range(static.mask.shape[1]):
        shared = shared or static.mask[a, w] & static.mask[b, w] != 0
    return shared


@compiled
def _joining(static: Static, state: State, s: int, a: int, b: int) -> int:
    """The first obstacle to check `a` joining the visit of `b` (or `b` alone), on that visit's best date."""
    check = static.check
    rep = state.rep[b]
    pinned = rep >= 0 and check[rep, PIN] >= 0
    if check[a, PIN] >= 0:  # a confirmed check stays where it is
        return DEPARTMENTS_LIMIT if not pinned else NO_COMMON_ROOM
    kinds, present, minutes, clash = 1, False, 0, False
    for e in range(static.first[s], static.first[s + 1]):
        if e != b and (rep < 0 or state.rep[e] != rep):
            continue
        if check[e, DEP] == check[a, DEP]:
            present = True
            minutes += check[e, MINUTES]
        else:
            earlier = False
            for f in range(static.first[s], e):
                if (f == b or (rep >= 0 and state.rep[f] == rep)) and check[f, DEP] == check[e, DEP]:
                    earlier = True
            if not earlier:
                kinds += 1
        clash = clash or incompatible(static, a, e)
    if kinds > static.most_departments[s] or (pinned and not present):
        return DEPARTMENTS_LIMIT
    if clash:
        return INCOMPATIBLE_THIRD
    if minutes + check[a, MINUTES] > static.most_minutes:
        return TIME_ON_SITE
    for d in range(len(static.dates)):
        if pinned and d != state.day[b]:
            continue
        if _room_together(static, state, s, a, b, d):
            return BETTER_ELSEWHERE
    return NO_COMMON_ROOM


@compiled
def _room_together(static: Static, state: State, s: int, a: int, b: int, d: int) -> bool:
    """Whether b's whole visit and `a` are open on date d and have room there once they have left where they are."""
    check = static.check
    rep = state.rep[b]
    word, bit = d >> 6, np.uint64(d & 63)
    for e in range(static.first[s], static.first[s + 1]):
        if e != a and e != b and (rep < 0 or state.rep[e] != rep):
            continue
        if not (static.mask[e, word] >> bit) & np.uint64(1):
            return False
        use, back = static.travel, 0
        for f in range(static.first[s], static.first[s + 1]):
            if check[f, DEP] != check[e, DEP]:
                continue
            member = f in (a, b) or (rep >= 0 and state.rep[f] == rep)
            if member:
                use += check[f, MINUTES]
                if state.day[f] == d:
                    back += check[f, MINUTES]
        if rep >= 0 and state.day[b] == d and _has(static, state, s, rep, check[e, DEP]):
            back += static.travel
        if state.room[check[e, POOL], d] + back < use:
            return False
    return True


@compiled
def _has(static: Static, state: State, s: int, rep: int, department: int) -> bool:
    """Whether the visit has a check of the department."""
    for f in range(static.first[s], static.first[s + 1]):
        if state.rep[f] == rep and static.check[f, DEP] == department:
            return True
    return False
