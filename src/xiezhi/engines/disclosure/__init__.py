"""Small-number protection (小数保护) of a two-way table of counts with its totals: what to hide, and what a reader can still work out.

Owns: primary suppression (cells of 1 to k − 1), complementary suppression (further cells, so that no subtraction brings them back), and the
attack that proves it. Words: a *cell* is any number of the table, row, column and grand totals included.
Invariants: integers only; zeros are always shown, and readers are taken to know that a hidden number is at least 1 (a total: at least as many as it sums of cells that are not 0); of every hidden small number readers can rule out
nothing between that least and k − 1 more, and no hidden number is known more closely than a span of k numbers; `verify` shares
nothing with `protect` but the definition of the table, and runs before anything is published.

A table with totals is a network: each cell an arc, each row and column a node at which what comes in goes out. What readers can deduce of a
hidden cell are its smallest and largest flow, exactly, in whole numbers (the constraint matrix is totally unimodular).
"""

from xiezhi.engines.disclosure.attack import Bounds, bounds, verify
from xiezhi.engines.disclosure.protection import protect
from xiezhi.engines.disclosure.tables import Cell, Protected, Table

__all__ = ["Bounds", "Cell", "Protected", "Table", "bounds", "protect", "verify"]
