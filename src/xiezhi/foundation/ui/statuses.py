"""How a status looks: the word comes from the model's TextChoices, icon and tone from here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from xiezhi.foundation.workflow.tables import Workflow

TONES = frozenset({"neutral", "active", "good", "caution", "warning", "urgent"})


@dataclass(frozen=True)
class Look:
    """Word, icon and tone of one status."""

    word: str
    icon: str = "circle-dashed"
    tone: str = "neutral"


_looks: dict[type[models.Choices], dict[str, tuple[str, str]]] = {}


def dress(choices: type[models.Choices], looks: Mapping[Any, tuple[str, str]]) -> None:
    """Say icon and tone for values of `choices`: `dress(Plan.Status, {Plan.Status.DRAFT: ("pencil", "neutral")})`.

    Tones: neutral, active, good, caution, warning, urgent. Raises ValueError for an unknown value or tone.
    """
    for value, (_icon, tone) in looks.items():
        if value not in choices.values or tone not in TONES:
            raise ValueError(f"{choices.__qualname__}: cannot dress {value!r} in {tone!r}")
    _looks[choices] = {str(getattr(value, "value", value)): look for value, look in looks.items()}


def look(value: Any, choices: type[models.Choices] | Workflow) -> Look:
    """The look of `value`; a value that is not among the choices keeps its own word."""
    states = choices.states if isinstance(choices, Workflow) else choices
    if value not in states.values:
        return Look(str(value))
    word = str(states(value).label)
    icon, tone = _looks.get(states, {}).get(str(value), ("circle-dashed", "neutral"))
    return Look(word, icon, tone)


def look_of(row: models.Model, field: str = "status") -> Look:
    """The look of `row.status`, whose choices are the nested class `Status` (of `row.level`: `Level`)."""
    name = "".join(part.capitalize() for part in field.split("_"))
    return look(getattr(row, field), getattr(type(row), name))
