"""What a change of a rule would alter (影响预览). Domains register estimators in `ready()`; each is cheap: a count or two.

An effect may say that it re-opens deadlines which are over: such a change is refused unless the person confirms it knowingly.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.foundation.rules.registry import Rule
from xiezhi.foundation.rules.values import DayOfYear


@dataclass(frozen=True)
class Change:
    """A rule about to get another value: `before` (None when nothing is in force on that day) and `after`, from `effective_from` on."""

    rule: Rule[Any]
    before: Any
    after: Any
    effective_from: date
    at: datetime


@dataclass(frozen=True)
class Effect:
    """One line of the preview. `reopens`: names of the deadlines that are over now and would not be over any more."""

    text: str
    tone: str = "neutral"
    url: str = ""
    reopens: tuple[str, ...] = ()


Estimator = Callable[[Change], Iterable[Effect]]
_estimators: dict[str, list[Estimator]] = {}


def register(rules: Iterable[Rule[Any]], estimator: Estimator) -> None:
    """Let `estimator` say what a change of any of these rules would alter."""
    for rule in rules:
        known = _estimators.setdefault(rule.key, [])
        if estimator not in known:
            known.append(estimator)


def effects_of(change: Change) -> list[Effect]:
    """Every estimator's lines; none when the value stays what it is (a confirmation alters nothing)."""
    if change.before == change.after:
        return []
    return [*_yearly(change), *(effect for each in _estimators.get(change.rule.key, ()) for effect in each(change))]


def reopened(effects: Iterable[Effect]) -> list[str]:
    """The names of everything that these effects would open again."""
    return [name for effect in effects for name in effect.reopens]


def _yearly(change: Change) -> Iterable[Effect]:
    """A day of the year that is past and moves to one still to come gives this year's deadline a second life."""
    if not isinstance(change.before, DayOfYear) or not isinstance(change.after, DayOfYear):
        return
    today = timezone.localdate(change.at)
    was, will_be = change.before.in_year(today.year), change.after.in_year(today.year)
    if was < today <= will_be and change.effective_from <= will_be:
        name = _("%(rule)s（%(day)s）") % {"rule": change.rule.title, "day": was.isoformat()}
        yield Effect(
            _("今年的期限 %(was)s 已过，改后变为 %(will_be)s，等于重新打开。")
            % {"was": was.isoformat(), "will_be": will_be.isoformat()},
            "urgent",
            reopens=(name,),
        )
