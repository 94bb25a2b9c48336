from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar, overload

from django.utils.translation import gettext as _

from xiezhi.foundation.rules.models import RuleVersion
from xiezhi.foundation.rules.registry import Confidence, Rule, all_rules, get_rule
from xiezhi.foundation.workflow.errors import Refused

T = TypeVar("T")


class NoRuleInForce(Refused):
    """The rule has no version on that day."""


@dataclass(frozen=True)
class Reading(Generic[T]):
    """A rule as it stands on a day: the value, and everything the 依据 link shows. Store `version_id` with the decision."""

    value: T
    version_id: int
    rule: Rule[T]
    effective_from: date
    effective_to: date | None
    instrument: str
    article: str
    body: str
    jurisdiction: str
    confidence: Confidence
    note: str

    @property
    def key(self) -> str:
        """The rule's key."""
        return self.rule.key

    @property
    def title(self) -> str:
        """The rule's title."""
        return str(self.rule.title)

    @property
    def unit(self) -> str:
        """The unit of the value; may be empty."""
        return str(self.rule.unit)

    @property
    def display(self) -> str:
        """The value with its unit, for people."""
        return self.rule.display(self.value)

    @property
    def is_working_default(self) -> bool:
        """Whether the value still waits for somebody to confirm it."""
        return self.confidence == Confidence.WORKING_DEFAULT

    @property
    def source(self) -> str:
        """Issuing body, instrument and article in one line; empty when no source is known."""
        return " ".join(part for part in (self.body, self.instrument, self.article) if part)


def _reading(rule: Rule[T], version: RuleVersion) -> Reading[T]:
    return Reading(
        value=rule.kind.from_json(version.value),
        version_id=version.pk,
        rule=rule,
        effective_from=version.effective_from,
        effective_to=version.effective_to,
        instrument=version.instrument,
        article=version.article,
        body=version.body,
        jurisdiction=version.jurisdiction,
        confidence=Confidence(version.confidence),
        note=version.note,
    )


def reading_of(version: RuleVersion) -> Reading[Any]:
    """A stored version as a reading. Raises KeyError when its rule is no longer declared."""
    return _reading(get_rule(version.key), version)


def search_text(version: RuleVersion) -> str:
    """Everything that people search a rule by, in small letters. Titles are not in the database."""
    rule, found = get_rule(version.key), reading_of(version)
    return " ".join((rule.code, rule.key, found.title, found.display, found.source, found.note)).casefold()


class RuleBook:
    """All versions of some rules, loaded in one query, to read on any number of days."""

    def __init__(self, rules: Iterable[Rule[Any]]) -> None:
        self.rules = {rule.key: rule for rule in rules}
        self.versions: dict[str, list[RuleVersion]] = {key: [] for key in self.rules}
        for version in RuleVersion.objects.filter(key__in=self.rules).order_by("key", "effective_from"):
            self.versions[version.key].append(version)

    @overload
    def reading(self, rule: Rule[T], *, on: date) -> Reading[T]: ...
    @overload
    def reading(self, rule: str, *, on: date) -> Reading[Any]: ...

    def reading(self, rule: Rule[Any] | str, *, on: date) -> Reading[Any]:
        """The version in force on `on`. Raises NoRuleInForce when there is none, KeyError for a rule not in this book."""
        key = rule if isinstance(rule, str) else rule.key
        for version in reversed(self.versions[key]):
            if version.effective_from <= on:
                if version.effective_to and version.effective_to < on:
                    break
                return _reading(self.rules[key], version)
        raise NoRuleInForce(
            _("规则“%(title)s”在 %(day)s 没有生效的版本，请先在“规则依据”中补上。")
            % {"title": self.rules[key].title, "day": on.isoformat()}
        )

    def history(self, rule: Rule[T]) -> list[Reading[T]]:
        """Every version of a rule, newest first."""
        return [_reading(rule, version) for version in reversed(self.versions[rule.key])]

    def current(self, rule: Rule[Any], *, on: date) -> RuleVersion | None:
        """The version to show for `rule`: in force on `on`, else the next to come, else the last; None when it has none."""
        versions = self.versions[rule.key]
        started = [each for each in versions if each.effective_from <= on]
        in_force = [each for each in started if each.effective_to is None or each.effective_to >= on]
        to_come = [each for each in versions if each.effective_from > on]
        return next(iter(in_force + to_come + started[::-1]), None)

    def readings(self, *, on: date) -> dict[str, Reading[Any]]:
        """Every rule of the book that is in force on `on`, by key."""
        found = {}
        for key in self.rules:
            try:
                found[key] = self.reading(key, on=on)
            except NoRuleInForce:
                continue
        return found


def rule_book(*rules: Rule[Any]) -> RuleBook:
    """A book of these rules; of every rule there is when none is named. One query."""
    return RuleBook(rules or all_rules())


@overload
def reading(rule: Rule[T], *, on: date) -> Reading[T]: ...
@overload
def reading(rule: str, *, on: date) -> Reading[Any]: ...


def reading(rule: Rule[Any] | str, *, on: date) -> Reading[Any]:
    """One rule as it stands on `on`, in one query; several: `rule_book`. Raises NoRuleInForce, or KeyError for an unknown key."""
    declared = get_rule(rule) if isinstance(rule, str) else rule
    return RuleBook([declared]).reading(declared, on=on)


def readings_of(version_ids: Iterable[int]) -> dict[int, Reading[Any]]:
    """What a decision was made under: its stored version ids → readings, in one query. Rules no longer declared are left out."""
    declared = {rule.key: rule for rule in all_rules()}
    return {
        version.pk: _reading(declared[version.key], version)
        for version in RuleVersion.objects.filter(pk__in=list(version_ids))
        if version.key in declared
    }
