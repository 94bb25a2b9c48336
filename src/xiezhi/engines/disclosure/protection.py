"""Which numbers to hide: the small ones, then as little else as a shortest path finds, then what the attack still shows to be needed."""

import heapq

from xiezhi.engines.disclosure.attack import bounds
from xiezhi.engines.disclosure.tables import Arc, Cell, Protected, Table


def protect(table: Table, *, k: int) -> Protected:
    """`table` with every number of 1 to k − 1 hidden and as few and small others as needed that nobody can work them out.

    Each small number must be able to fall as low as the zeros allow and rise k − 1 above that by changes along closed chains of hidden cells; the cheapest chain (by the
    size of what it newly hides) is hidden with it. Where no chain exists everything but zeros is hidden. Deterministic. Raises ValueError
    for k below 2.
    """
    if k < 2:
        raise ValueError("k must be at least 2")
    everything = {cell for cell in table.cells() if table.value(cell)}
    hidden = {cell for cell in everything if table.value(cell) < k}
    for cell in sorted(hidden, key=lambda each: (table.value(each), each)):
        value, least = table.value(cell), table.floor(cell)
        up = _open(table, hidden, cell, least + k - 1 - value, up=True)
        if not (up and _open(table, hidden, cell, value - least, up=False)):
            return Protected.of(table, everything, k)
    while weak := _weak(table, hidden, k):
        before = len(hidden)
        for cell in weak:
            value, least = table.value(cell), table.floor(cell)
            if not _open(table, hidden, cell, max(k - 1, least + k - 1 - value), up=True) or (
                value < k and not _open(table, hidden, cell, value - least, up=False)
            ):
                return Protected.of(table, everything, k)
        if len(hidden) == before:  # no chain more to hide, and still too narrow together
            return Protected.of(table, everything, k)
    return Protected.of(table, hidden, k)


def _weak(table: Table, hidden: set[Cell], k: int) -> list[Cell]:
    """Hidden cells that readers know too well."""
    protected, found = Protected.of(table, hidden, k), []
    for cell in sorted(hidden):
        known = bounds(table, protected, cell, enough=k)
        narrow = known.high is not None and known.high - known.low < k - 1
        least = table.floor(cell)
        small = table.value(cell) < k and (known.low > least or (known.high is not None and known.high < least + k - 1))
        if narrow or small:
            found.append(cell)
    return found


def _open(table: Table, hidden: set[Cell], cell: Cell, amount: int, *, up: bool) -> bool:
    """Hide what lets `cell` move by `amount`; False where nothing would."""
    tail, head = table.ends(cell)
    source, sink = (head, tail) if up else (tail, head)
    moved: dict[Cell, int] = {}
    while amount > 0:
        path = _cheapest(table, hidden, cell, moved, source, sink)
        if path is None:
            return False
        room = [table.value(each) - 1 + moved.get(each, 0) for each, forward in path if not forward]
        step = min([amount, *room])
        for each, forward in path:
            moved[each] = moved.get(each, 0) + (step if forward else -step)
            hidden.add(each)
        amount -= step
    return True


def _cheapest(
    table: Table, hidden: set[Cell], cell: Cell, moved: dict[Cell, int], source: Arc, sink: Arc
) -> list[tuple[Cell, bool]] | None:
    """The chain of cells from `source` to `sink` that newly hides the least; each with whether it grows."""
    arcs: dict[Arc, list[tuple[Arc, Cell, bool, int]]] = {}
    for each in table.cells():
        value = table.value(each)
        if not value or each == cell:
            continue
        tail, head = table.ends(each)
        cost = 0 if each in hidden else value
        arcs.setdefault(tail, []).append((head, each, True, cost))
        if value - 1 + moved.get(each, 0) > 0:
            arcs.setdefault(head, []).append((tail, each, False, cost))
    best: dict[Arc, tuple[int, int]] = {source: (0, 0)}
    came: dict[Arc, tuple[Arc, Cell, bool]] = {}
    heap: list[tuple[int, int, Arc]] = [(0, 0, source)]
    while heap:
        cost, steps, here = heapq.heappop(heap)
        if here == sink:
            break
        if (cost, steps) > best[here]:
            continue
        for there, each, forward, price in arcs.get(here, ()):
            reached = (cost + price, steps + 1)
            if there not in best or reached < best[there]:
                best[there] = reached
                came[there] = (here, each, forward)
                heapq.heappush(heap, (*reached, there))
    if sink not in came:
        return None
    path, node = [], sink
    while node != source:
        node, each, forward = came[node]
        path.append((each, forward))
    return path
