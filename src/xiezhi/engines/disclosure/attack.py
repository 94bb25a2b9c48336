"""What a reader who knows every published number and every rule can work out of a hidden one."""

from collections import defaultdict, deque
from dataclasses import dataclass

from xiezhi.engines.disclosure.tables import Arc, Cell, Protected, Table

Residual = dict[Arc, dict[Arc, int]]


@dataclass(frozen=True)
class Bounds:
    """The smallest and largest value that fits everything published; `high` is None beyond `enough` above the truth: no bound that matters."""

    low: int
    high: int | None


def bounds(table: Table, protected: Protected, cell: Cell, *, enough: int) -> Bounds:
    """The exact bounds of one hidden cell, whole numbers, by two maximal flows. `enough`: how far up is looked at all."""
    hidden = protected.hidden
    tail, head = table.ends(cell)
    others = [each for each in hidden if each != cell]
    up = _largest(_residual(table, others, enough), head, tail, enough)
    down = _largest(_residual(table, others, enough), tail, head, table.value(cell) - 1)
    return Bounds(table.value(cell) - down, None if up >= enough else table.value(cell) + up)


def verify(table: Table, protected: Protected) -> list[str]:
    """What is wrong with a protected table; empty when it may be published."""
    k, faults = protected.k, []
    for cell in table.cells():
        value, shown = table.value(cell), protected.shown[cell[0]][cell[1]]
        if shown is not None:
            if shown != value:
                faults.append(f"{cell}: shown {shown} instead of {value}")
            elif 0 < value < k:
                faults.append(f"{cell}: a small number is shown")
            continue
        if not value:
            faults.append(f"{cell}: a zero is hidden")
            continue
        found = bounds(table, protected, cell, enough=k)
        least = table.floor(cell)
        wide = found.high is None or found.high - found.low >= k - 1
        if not wide or (value < k and (found.low > least or (found.high is not None and found.high < least + k - 1))):
            faults.append(f"{cell}: known to lie between {found.low} and {found.high}")
    return faults


def _residual(table: Table, hidden: list[Cell], enough: int) -> Residual:
    """How far each hidden cell can go up (without end, so `enough`) and down (to 1), between its nodes."""
    room: Residual = defaultdict(lambda: defaultdict(int))
    for cell in hidden:
        tail, head = table.ends(cell)
        room[tail][head] += enough + table.value(cell)
        room[head][tail] += table.value(cell) - 1
    return room


def _largest(room: Residual, source: Arc, sink: Arc, enough: int) -> int:
    """The maximal flow, up to `enough`: shortest augmenting paths."""
    total = 0
    while total < enough:
        came: dict[Arc, Arc] = {source: source}
        queue = deque([source])
        while queue and sink not in came:
            here = queue.popleft()
            for there, capacity in room[here].items():
                if capacity > 0 and there not in came:
                    came[there] = here
                    queue.append(there)
        if sink not in came:
            break
        path, node = [], sink
        while node != source:
            path.append((came[node], node))
            node = came[node]
        amount = min(enough - total, *(room[a][b] for a, b in path))
        for a, b in path:
            room[a][b] -= amount
            room[b][a] += amount
        total += amount
    return total
