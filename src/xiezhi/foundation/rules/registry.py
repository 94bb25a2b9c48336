"""The catalogue of rules: what domains declare in code. Values in force come from the database, see `queries`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Generic, TypeVar

from django.apps import apps
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.rules.values import ValueType

T = TypeVar("T")


class Confidence(models.TextChoices):
    """How sure we are. A working default is a value that no text read in full prescribes; it is never presented as law."""

    CONFIRMED = "confirmed", _("已核实")
    WORKING_DEFAULT = "working_default", _("工作默认值（待核实）")


@dataclass(frozen=True)
class Source:
    """Where a value comes from. `instrument`: title and number of the text; `article`: 条款; `body`: who issued it.

    Empty fields mean that no source gives it. Never an address of a web mirror.
    """

    instrument: str = ""
    article: str = ""
    body: str = ""
    jurisdiction: str = ""


@dataclass(frozen=True)
class Version(Generic[T]):
    """A value for a period. In force from `effective_from` until the next version starts, or to `effective_to` (inclusive)."""

    value: T
    effective_from: date
    source: Source
    confidence: Confidence
    note: str = ""
    effective_to: date | None = None


@dataclass(frozen=True)
class Rule(Generic[T]):
    """One rule of a domain. `key` is ``app_label.name``; `code` is the name people use (R04).

    Raises ValueError for versions that overlap, are out of order or hold a value of the wrong kind.
    """

    key: str
    title: str | Promise
    kind: ValueType[T]
    versions: tuple[Version[T], ...]
    unit: str | Promise = ""
    code: str = ""
    explanation: str | Promise = ""

    def __post_init__(self) -> None:
        if not self.versions:
            raise ValueError(f"{self.key}: a rule needs a first version")
        for version in self.versions:
            self.kind.check(version.value)
        for earlier, later in zip(self.versions, self.versions[1:], strict=False):
            if later.effective_from <= (earlier.effective_to or earlier.effective_from):
                raise ValueError(f"{self.key}: the version of {later.effective_from} overlaps the one before it")

    @property
    def app_label(self) -> str:
        """The app that declared the rule."""
        return self.key.partition(".")[0]

    @property
    def app_name(self) -> str | Promise:
        """That app as people call it."""
        return apps.get_app_config(self.app_label).verbose_name

    def last_day(self, position: int) -> date | None:
        """The last day of the version at `position`: its own, or the day before the next one starts; None when open."""
        if position + 1 < len(self.versions):
            before_next = self.versions[position + 1].effective_from - timedelta(days=1)
            return min(self.versions[position].effective_to or before_next, before_next)
        return self.versions[position].effective_to

    def display(self, value: T) -> str:
        """The value with its unit."""
        text = self.kind.display(value)
        return f"{text} {self.unit}" if self.unit else text


_rules: dict[str, Rule[Any]] = {}


def register(rules: Iterable[Rule[Any]]) -> None:
    """Add a domain's rules to the catalogue, from its AppConfig.ready(). Raises ValueError when a key is taken by another rule."""
    for rule in rules:
        if _rules.setdefault(rule.key, rule) is not rule:
            raise ValueError(f"two rules are called {rule.key}")


def all_rules() -> list[Rule[Any]]:
    """Every rule, by app and then in the order in which the app declared them."""
    order = {label: position for position, label in enumerate(apps.app_configs)}
    return sorted(_rules.values(), key=lambda rule: order.get(rule.app_label, len(order)))


def get_rule(key: str) -> Rule[Any]:
    """The rule called `key`; KeyError when there is none."""
    return _rules[key]
