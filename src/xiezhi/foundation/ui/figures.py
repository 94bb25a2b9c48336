"""Figures on dashboards: a number with its definition, its trend and a way into its list."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise

from xiezhi.foundation.access.actors import Actor

MOST_FIGURES = 7


@dataclass(frozen=True)
class Figure:
    """`value` is shown as it is (None: unknown, drawn as —). `formula`, `numerator`, `denominator` say how it was made.

    `trend` is a sentence (比上月少 12 次); `tone` colours it. `reading` adds a 依据 link when the figure hangs on a rule.
    """

    label: str | Promise
    value: str | int | None
    unit: str | Promise = ""
    definition: str | Promise = ""
    numerator: str = ""
    denominator: str = ""
    trend: str = ""
    tone: str = "neutral"
    url: str = ""
    reading: object | None = None
    order: int = 100


Provider = Callable[[Actor, datetime], Iterable[Figure]]
_providers: dict[str, Provider] = {}


def register(key: str, provider: Provider) -> None:
    """Let `provider(actor, at)` put figures on the desk's start page."""
    _providers[key] = provider


def figures_for(actor: Actor, at: datetime) -> list[Figure]:
    """At most seven figures, lowest order first."""
    figures = [figure for provider in _providers.values() for figure in provider(actor, at)]
    return sorted(figures, key=lambda figure: figure.order)[:MOST_FIGURES]
