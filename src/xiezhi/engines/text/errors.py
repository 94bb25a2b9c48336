"""What is wrong with an input, in words that say where, what and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable


class InvalidInput(ValueError):
    """The input can't be used. `faults` are sentences, each with its place; nothing was done."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))
