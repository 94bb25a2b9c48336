"""Small-number protection against a reader who tries every table that fits what is published."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xiezhi.engines.disclosure import Protected, Table, bounds, protect, verify

SMALL = st.integers(2, 3).flatmap(
    lambda rows: st.integers(2, 3).flatmap(
        lambda columns: st.lists(
            st.lists(st.sampled_from([0, 0, 1, 1, 2, 3, 4, 6]), min_size=columns, max_size=columns),
            min_size=rows, max_size=rows,
        )
    )
)  # fmt: skip


def table(counts: list[list[int]]) -> Table:
    rows = tuple(f"r{n}" for n in range(len(counts)))
    return Table(rows, tuple(f"c{n}" for n in range(len(counts[0]))), tuple(map(tuple, counts)))


def fitting(published: Protected, most: int) -> list[list[list[int]]]:
    """Every table of whole numbers that fits what is published, by trying them all; hidden inner cells from 1 to `most`."""
    inner = [line[:-1] for line in published.shown[:-1]]
    choices = [range(1, most + 1) if n is None else [n] for line in inner for n in line]
    width, found = len(inner[0]), []
    for flat in product(*choices):
        lines = [list(flat[start : start + width]) for start in range(0, len(flat), width)]
        grid = [[*line, sum(line)] for line in lines]
        grid.append([sum(line[place] for line in grid) for place in range(width + 1)])
        agrees = (
            (told is None and tried >= 1) or told == tried
            for tried_line, told_line in zip(grid, published.shown, strict=True)
            for tried, told in zip(tried_line, told_line, strict=True)
        )
        if all(agrees):
            found.append(grid)
    return found


@settings(max_examples=60)
@given(SMALL, st.integers(2, 3))
def test_nobody_who_tries_everything_learns_a_small_number(counts: list[list[int]], k: int) -> None:
    given_table = table(counts)
    published = protect(given_table, k=k)
    assert verify(given_table, published) == []
    hidden_inside = [cell for cell in published.hidden if cell[0] < len(counts) and cell[1] < len(counts[0])]
    most = 9 if len(hidden_inside) <= 4 else 4 if len(hidden_inside) <= 6 else 0
    worlds = fitting(published, most) if most else []
    nonzero = {cell for cell in given_table.cells() if given_table.value(cell)}
    for cell in published.hidden if most == 9 else []:
        value = given_table.value(cell)
        possible = {world[cell[0]][cell[1]] for world in worlds}
        assert value in possible or value > most
        if value < k:
            least = min(each[cell[0]][cell[1]] for each in fitting(Protected.of(given_table, nonzero, k), 1))
            assert set(range(least, least + k)) <= possible, "a small number can be told from another"
        assert max(possible) - min(possible) >= k - 1


@settings(max_examples=40)
@given(SMALL, st.sets(st.integers(0, 15), max_size=5))
def test_the_attack_finds_exactly_what_trying_everything_finds(counts: list[list[int]], places: set[int]) -> None:
    given_table = table(counts)
    cells = [cell for cell in given_table.cells() if given_table.value(cell)]
    hidden = {cells[place] for place in places if place < len(cells)}
    published = Protected.of(given_table, hidden, 3)
    if sum(cell[0] < len(counts) and cell[1] < len(counts[0]) for cell in hidden) > 3:
        return
    worlds = fitting(published, 14)
    for cell in hidden:
        found = bounds(given_table, published, cell, enough=3)
        possible = {world[cell[0]][cell[1]] for world in worlds}
        assert found.low == min(possible)
        value = given_table.value(cell)
        assert (found.high == max(possible)) if found.high is not None else max(possible) >= value + 3


def test_a_small_number_takes_others_with_it() -> None:
    given_table = table([[3, 40, 50], [30, 60, 9], [70, 80, 90]])
    published = protect(given_table, k=5)
    assert (0, 0) in published.hidden and len(published.hidden) == 4, "one small number: a rectangle, no more"
    assert published.shown[3][3] == 432 and not verify(given_table, published)
    naive = Protected.of(given_table, {(0, 0)}, 5)
    assert verify(given_table, naive) == ["(0, 0): known to lie between 3 and 3"]
    narrow = Protected.of(given_table, {(0, 0), (0, 1), (1, 0), (1, 1)}, 5)
    assert verify(given_table, narrow) == []
    assert verify(given_table, Protected.of(given_table, set(), 5)) == ["(0, 0): a small number is shown"]


def test_two_small_numbers_beside_one_another_do_not_protect_one_another() -> None:
    given_table = table([[1, 2, 0], [50, 60, 70]])
    published = protect(given_table, k=5)
    assert published.shown[0][3] is None, "their sum would tell that both are small"
    assert published.shown[0][2] == 0 and verify(given_table, published) == []


def test_next_to_nothing_is_not_published() -> None:
    for counts in ([[1]], [[0, 2], [0, 0]], [[1, 1], [1, 1]]):
        published = protect(table(counts), k=5)
        assert verify(table(counts), published) == []
        assert published.shown[-1][-1] is None
    empty = protect(table([[0, 0]]), k=5)
    assert empty.hidden == [] and verify(table([[0, 0]]), empty) == []


def test_a_district_sized_table() -> None:
    counts = [
        [(7 * row * row + 3 * column * column + row * column) % 13 * (1 + row % 3) for column in range(16)]
        for row in range(14)
    ]
    published = protect(table(counts), k=5)
    assert verify(table(counts), published) == [] and published == protect(table(counts), k=5)
    totals = [line[-1] for line in published.shown]
    assert None not in totals, "totals stay where inner cells suffice"


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(ValueError, match="fit"):
        Table(("a",), ("b",), ((1, 2),))
    with pytest.raises(ValueError, match="negative"):
        Table(("a",), ("b",), ((-1,),))
    with pytest.raises(ValueError, match="at least 2"):
        protect(table([[1]]), k=1)
