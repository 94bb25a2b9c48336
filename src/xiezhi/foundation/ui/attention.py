"""What waits for a person: the list on top of the desk. Domains register providers in `ready()`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from xiezhi.foundation.access.actors import Actor

TONES = ("urgent", "warning", "caution", "active", "neutral", "good")


@dataclass(frozen=True)
class Attention:
    """One line: what, how many, by when, and where to do it. `text` is a sentence for the person."""

    text: str
    url: str
    tone: str = "active"
    count: int | None = None
    unit: str = ""
    due_at: datetime | None = None
    icon: str = "alert-circle"


Provider = Callable[[Actor, datetime], Iterable[Attention]]
_providers: dict[str, Provider] = {}


def register(key: str, provider: Provider) -> None:
    """Let `provider(actor, at)` add lines; it starts from `visible_to(actor)` and returns nothing for roles it does not concern."""
    _providers[key] = provider


def attention_for(actor: Actor, at: datetime) -> list[Attention]:
    """Every provider's lines, the gravest first, then the soonest due."""
    lines = [line for provider in _providers.values() for line in provider(actor, at)]
    return sorted(lines, key=lambda line: (TONES.index(line.tone), line.due_at is None, line.due_at or at))
