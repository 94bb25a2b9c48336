"""What kinds of value a rule can have: how each is checked, stored as JSON and shown. Stored decimals are strings."""

import calendar
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, NamedTuple, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

T = TypeVar("T")
Label = str | Promise


class ValueProblem(ValueError):
    """A value that this rule cannot have. The message is for the person who typed it."""


class ValueType(Generic[T]):
    """How one kind of value is checked, stored and shown."""

    def check(self, value: Any) -> T:
        """`value` in its proper type. Raises ValueProblem saying what is wrong and what would be right."""
        raise NotImplementedError

    def to_json(self, value: T) -> Any:
        """The stored form of a checked value."""
        return value

    def from_json(self, stored: Any) -> T:
        """The checked value of a stored form. Raises ValueProblem."""
        return self.check(stored)

    def display(self, value: T) -> str:
        """The value as people read it, without unit."""
        return str(value)


@dataclass(frozen=True)
class Whole(ValueType[int]):
    """A whole number (minutes, days, departments, fen) between two bounds, both inclusive."""

    least: int = 0
    most: int = 1_000_000

    def check(self, value: Any) -> int:
        if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueProblem(_("请填整数，例如 %(example)s。") % {"example": self.least})
        if not self.least <= value <= self.most:
            raise ValueProblem(_("请填 %(least)s 到 %(most)s 之间的整数。") % {"least": self.least, "most": self.most})
        return value


@dataclass(frozen=True)
class Number(ValueType[Decimal]):
    """An exact decimal between two bounds, both inclusive."""

    least: Decimal = Decimal(0)
    most: Decimal = Decimal(100)
    places: int = 2

    def check(self, value: Any) -> Decimal:
        if isinstance(value, (float, bool)):
            raise ValueProblem(_('小数请以文字形式给出，例如 "0.5"。'))
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            raise ValueProblem(_("请填数字，例如 %(example)s。") % {"example": self.most}) from None
        if not number.is_finite() or not self.least <= number <= self.most:
            raise ValueProblem(_("请填 %(least)s 到 %(most)s 之间的数。") % {"least": self.least, "most": self.most})
        exponent = number.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > self.places:
            raise ValueProblem(_("最多 %(places)s 位小数。") % {"places": self.places})
        return number

    def to_json(self, value: Decimal) -> str:
        return format(value, "f")

    def display(self, value: Decimal) -> str:
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True)
class Flag(ValueType[bool]):
    """Yes or no."""

    def check(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return bool(value == "true")
        raise ValueProblem(_("请选“是”或“否”。"))

    def display(self, value: bool) -> str:
        return pgettext("rule value", "是") if value else pgettext("rule value", "否")


@dataclass(frozen=True)
class Choice(ValueType[str]):
    """One of a few words. `options`: code → label."""

    options: Mapping[str, Label]

    def check(self, value: Any) -> str:
        if value not in self.options:
            raise ValueProblem(_("请从这些里选一项：%(options)s。") % {"options": _labels(self.options.values())})
        return str(value)

    def display(self, value: str) -> str:
        return str(self.options[value])


@dataclass(frozen=True)
class Several(ValueType[tuple[str, ...]]):
    """Any number of a few words, kept in the order of `options`."""

    options: Mapping[str, Label]

    def check(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple, set, frozenset)) or not set(value) <= set(self.options):
            raise ValueProblem(_("请从这些里选：%(options)s。") % {"options": _labels(self.options.values())})
        return tuple(each for each in self.options if each in value)

    def to_json(self, value: tuple[str, ...]) -> list[str]:
        return list(value)

    def display(self, value: tuple[str, ...]) -> str:
        return _labels([self.options[each] for each in value]) if value else "—"


class DayOfYear(NamedTuple):
    """A day that comes round every year."""

    month: int
    day: int

    def in_year(self, year: int) -> date:
        """The date in `year`; the month's last day where the month is shorter (29 February)."""
        return date(year, self.month, min(self.day, calendar.monthrange(year, self.month)[1]))


@dataclass(frozen=True)
class Yearly(ValueType[DayOfYear]):
    """A day of the year, stored as ``MM-DD``."""

    def check(self, value: Any) -> DayOfYear:
        try:
            month, day = value if isinstance(value, tuple) else str(value).split("-")
            date(2024, int(month), int(day))  # a leap year
        except (TypeError, ValueError):
            raise ValueProblem(_("请按“月-日”填写，例如 03-31。")) from None
        return DayOfYear(int(month), int(day))

    def to_json(self, value: DayOfYear) -> str:
        return f"{value.month:02d}-{value.day:02d}"

    def display(self, value: DayOfYear) -> str:
        return _("%(month)s 月 %(day)s 日") % {"month": value.month, "day": value.day}


@dataclass(frozen=True)
class Column:
    """One column of a table value."""

    label: Label
    kind: Whole | Number
    unit: Label = ""


Cells = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Table(ValueType[Cells]):
    """A small table with fixed rows and columns: row code → column code → cell."""

    rows: Mapping[str, Label]
    columns: Mapping[str, Column]

    def check(self, value: Any) -> Cells:
        if not isinstance(value, Mapping) or set(value) != set(self.rows):
            raise ValueProblem(_("表格应有这些行：%(rows)s。") % {"rows": _labels(self.rows.values())})
        return {row: self._check_row(row, value[row]) for row in self.rows}

    def _check_row(self, row: str, cells: Any) -> dict[str, Any]:
        if not isinstance(cells, Mapping) or set(cells) != set(self.columns):
            columns = _labels(column.label for column in self.columns.values())
            raise ValueProblem(
                _("“%(row)s”一行应有这些列：%(columns)s。") % {"row": self.rows[row], "columns": columns}
            )
        checked = {}
        for name, column in self.columns.items():
            try:
                checked[name] = column.kind.check(cells[name])
            except ValueProblem as problem:
                raise ValueProblem(f"{self.rows[row]} · {column.label}{_('：')}{problem}") from None
        return checked

    def to_json(self, value: Cells) -> Any:
        return {
            row: {name: column.kind.to_json(value[row][name]) for name, column in self.columns.items()}
            for row in self.rows
        }

    def display(self, value: Cells) -> str:
        return _("；").join(
            f"{label} "
            + _("，").join(
                f"{column.label} {self.display_cell(value, row, name)}" for name, column in self.columns.items()
            )
            for row, label in self.rows.items()
        )

    def display_cell(self, value: Cells, row: str, column: str) -> str:
        """One cell with its unit."""
        kind, unit = self.columns[column].kind, self.columns[column].unit
        cell = value[row][column]
        text = kind.display(cell)
        return f"{text} {unit}" if unit else text


def _labels(labels: Collection[Label] | Any) -> str:
    return _("、").join(str(label) for label in labels)
