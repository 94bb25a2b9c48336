"""The transition table: data and pure guards. Nothing here touches the database."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.functional import Promise

from xiezhi.foundation.access.actors import Actor

Guard = Callable[[Any, Actor], str | None]
"""Why this object cannot make this move now, for the person; None when it can. Pure: looks at loaded fields only."""


@dataclass(frozen=True)
class Transition:
    """One move. `permission` None: only the system makes it. `owner`: whose object it must be; others see no button."""

    name: str
    label: str | Promise
    sources: frozenset[str]
    target: str
    permission: str | None = None
    by_system: bool = False
    owner: Callable[[Any, Actor], bool] | None = None
    guard: Guard | None = None
    stamp: str | None = None
    needs_reason: bool = False
    style: str = "secondary"
    """primary, secondary, caution or danger."""


@dataclass(frozen=True)
class Workflow:
    """All states and moves of one column. `states` is the model's TextChoices."""

    key: str
    title: str | Promise
    states: type[models.TextChoices]
    initial: str
    transitions: tuple[Transition, ...]
    field: str = "status"

    def __post_init__(self) -> None:
        known = set(self.states.values)
        for transition in self.transitions:
            strange = (transition.sources | {transition.target}) - known
            if strange:
                raise ValueError(f"{self.key}.{transition.name}: unknown states {sorted(strange)}")
            if transition.permission is None and not transition.by_system:
                raise ValueError(f"{self.key}.{transition.name}: nobody may make this move")
        names = [transition.name for transition in self.transitions]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.key}: two transitions share a name")

    def __getitem__(self, name: str) -> Transition:
        """The transition called `name`; KeyError when there is none."""
        for each in self.transitions:
            if each.name == name:
                return each
        raise KeyError(f"{self.key} has no transition {name}")


def transition(name: str, label: str | Promise, sources: Iterable[str], target: str, **rest: Any) -> Transition:
    """A line of a table, with `sources` as any iterable."""
    return Transition(name, label, frozenset(sources), target, **rest)


def mermaid(workflow: Workflow) -> str:
    """The table as a Mermaid state diagram, labels in the interface's language."""
    lines = ["stateDiagram-v2", f"    [*] --> {workflow.initial}"]
    lines += [f"    {value} : {label}" for value, label in workflow.states.choices]
    left = {source for each in workflow.transitions for source in each.sources}
    for each in workflow.transitions:
        order = [value for value in workflow.states.values if value in each.sources]
        lines += [f"    {source} --> {each.target} : {each.label}" for source in order]
    lines += [f"    {value} --> [*]" for value in workflow.states.values if value not in left]
    return "\n".join(lines)
