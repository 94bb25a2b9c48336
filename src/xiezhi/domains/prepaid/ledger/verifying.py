"""What a verification of the books can find."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """Something in a book that does not agree. `sequence`: the first entry at fault; None when the fault is in a total."""

    book_id: int
    sequence: int | None
    what: str

    def __str__(self) -> str:
        place = f"book {self.book_id}" + (f", entry {self.sequence}" if self.sequence is not None else "")
        return f"{place}: {self.what}"


@dataclass(frozen=True)
class Report:
    """How much was looked at, and what was found."""

    books: int
    entries: int
    faults: tuple[Fault, ...]
