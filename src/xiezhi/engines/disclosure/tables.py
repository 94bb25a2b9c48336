"""Tables and their cells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

Cell = tuple[int, int]
"""Row and column; the last row and the last column are the totals."""
Arc = tuple[str, int]
"""A node of the network: ("row", 3) or ("column", 0)."""


@dataclass(frozen=True)
class Table:
    """Counts by row and column; totals are worked out. Raises ValueError for negative counts or rows of unequal length."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if len(self.counts) != len(self.rows) or any(len(row) != len(self.columns) for row in self.counts):
            raise ValueError("counts do not fit the rows and columns")
        if any(n < 0 for row in self.counts for n in row):
            raise ValueError("counts cannot be negative")

    @cached_property
    def grid(self) -> tuple[tuple[int, ...], ...]:
        """The counts with a last column and a last row of totals."""
        lines = [(*row, sum(row)) for row in self.counts]
        totals = [sum(line[place] for line in lines) for place in range(len(self.columns) + 1)]
        return (*lines, tuple(totals))

    def cells(self) -> Iterator[Cell]:
        """Every cell, totals included."""
        return ((row, column) for row in range(len(self.rows) + 1) for column in range(len(self.columns) + 1))

    def value(self, cell: Cell) -> int:
        """What stands in a cell."""
        return self.grid[cell[0]][cell[1]]

    def floor(self, cell: Cell) -> int:
        """What a cell is at least, as the shown zeros alone tell: the number of cells that it sums and that are not 0."""
        rows = range(len(self.rows)) if cell[0] == len(self.rows) else [cell[0]]
        columns = range(len(self.columns)) if cell[1] == len(self.columns) else [cell[1]]
        return sum(self.counts[row][column] > 0 for row in rows for column in columns)

    def ends(self, cell: Cell) -> tuple[Arc, Arc]:
        """The nodes between which a cell is an arc, so that at every node what comes in goes out."""
        row, column = ("row", cell[0]), ("column", cell[1])
        is_total = (cell[0] == len(self.rows), cell[1] == len(self.columns))
        return (row, column) if is_total in ((False, False), (True, True)) else (column, row)


@dataclass(frozen=True)
class Protected:
    """A table as it is published: `shown` as `Table.grid`, None where hidden; `k` as it was protected with."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    shown: tuple[tuple[int | None, ...], ...]
    k: int

    @classmethod
    def of(cls, table: Table, hidden: Sequence[Cell] | set[Cell], k: int) -> "Protected":
        """`table` with some cells hidden."""
        out = set(hidden)
        width = len(table.columns) + 1
        shown = tuple(
            tuple(None if (row, column) in out else table.grid[row][column] for column in range(width))
            for row in range(len(table.rows) + 1)
        )
        return cls(table.rows, table.columns, shown, k)

    @property
    def hidden(self) -> list[Cell]:
        """The cells that are not shown."""
        return [(row, column) for row, line in enumerate(self.shown) for column, n in enumerate(line) if n is None]
