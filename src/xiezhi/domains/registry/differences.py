"""A row of a subject list against what the register holds: what it would change, or why it cannot. Looks at loaded rows only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Self

from django.db import models
from django.utils.translation import gettext as _

from xiezhi.domains.registry.matching import plain
from xiezhi.domains.registry.models import Premises, Scene, Subject, in_words
from xiezhi.domains.registry.workflow import move_between
from xiezhi.foundation.orgs.models import Organisation

CHOICES = {
    "kind": Subject.Kind,
    "credit_class": Subject.CreditClass,
    "risk_class": Subject.RiskClass,
    "status": Subject.Status,
}
DOOR_COLUMNS = {"name": "premises_name", "number": "premises_number"}
"""Fields of premises whose column in a sheet is called otherwise, because the subject has a field of that name."""


@dataclass(frozen=True)
class SubjectRow:
    """What one row tells. Only what it tells: a fact that is not there stays as it is.

    `facts`: name, kind, industry, credit_class, risk_class. `premises`: fields of Premises, with `street` as the organisation's code and
    coordinates as text. `scenes`: codes. All JSON, so that a row can wait in a staging table or a queue.
    """

    code: str
    facts: dict[str, str] = field(default_factory=dict)
    premises: dict[str, Any] = field(default_factory=dict)
    scenes: list[str] | None = None
    status: str | None = None
    joint_opt_out: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """For a staging table. Shares its parts with the row."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Back from `as_json`."""
        return cls(**stored)


def row_about(told: SubjectRow, code: str, number: str) -> SubjectRow:
    """What a row without a code tells, once a person has said who and which door was meant: all but name, address and street,
    which only said that."""
    facts = {key: value for key, value in told.facts.items() if key != "name"}
    premises = {key: value for key, value in told.premises.items() if key not in {"name", "address", "street"}}
    return replace(told, code=code, facts=facts, premises={**premises, "number": number})


@dataclass
class Difference:
    """What storing a row would do. `door`: the premises it speaks of (None: none, or a new one described by `new_door`)."""

    facts: dict[str, str] = field(default_factory=dict)
    scenes: list[str] | None = None
    move: str | None = None
    joint_opt_out: bool | None = None
    door: Premises | None = None
    door_changes: dict[str, Any] = field(default_factory=dict)
    new_door: dict[str, Any] | None = None
    told: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Column → old and new as a person reads them."""
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    """Column, reason, how to mend."""

    @property
    def nothing(self) -> bool:
        """Whether the register says all this already."""
        return not self.told and not self.problems and self.new_door is None


@dataclass(frozen=True)
class Lists:
    """The district's streets and scenes by code, loaded once."""

    streets: Mapping[str, Organisation]
    scenes: Mapping[str, Scene]

    @classmethod
    def load(cls) -> Self:
        """Two queries."""
        streets = Organisation.objects.filter(kind=Organisation.Kind.STREET)
        return cls({each.code: each for each in streets}, {each.code: each for each in Scene.objects.all()})


def compare(
    row: SubjectRow, subject: Subject | None, doors: list[Premises], carried: Iterable[str], lists: Lists
) -> Difference:
    """What `row` would change about `subject` (None: not in the register), its `doors` and the scenes `carried` (codes)."""
    found = Difference()
    if subject is None:
        found.facts = dict(row.facts)
        if not row.facts.get("name"):
            found.problems.append(("name", _("新主体要有名称。"), _("请补上名称。")))
    else:
        _compare_subject(row, subject, set(carried), lists, found)
    _compare_door(row, doors, subject is None, lists, found)
    return found


def _compare_subject(row: SubjectRow, subject: Subject, carried: set[str], lists: Lists, found: Difference) -> None:
    for key, value in row.facts.items():
        old = getattr(subject, key)
        if old != value:
            found.facts[key] = value
            found.told[key] = (word(key, old), word(key, value))
    if row.scenes is not None and set(row.scenes) != carried:
        found.scenes = row.scenes
        found.told["scenes"] = (_scene_words(sorted(carried), lists), _scene_words(row.scenes, lists))
    if row.joint_opt_out is not None and row.joint_opt_out != subject.joint_opt_out:
        found.joint_opt_out = row.joint_opt_out
        found.told["joint_opt_out"] = (yes_no(subject.joint_opt_out), yes_no(row.joint_opt_out))
    if row.status is not None and row.status != subject.status:
        found.move = move_between(subject.status, row.status)
        old, new = word("status", subject.status), word("status", row.status)
        found.told["status"] = (old, new)
        if found.move is None:
            reason = _("库里是“%(old)s”，不能直接改为“%(new)s”。") % {"old": old, "new": new}
            found.problems.append(("status", reason, _("请核对；确需更正的，先在主体页更正为存续。")))


def _compare_door(row: SubjectRow, doors: list[Premises], is_new: bool, lists: Lists, found: Difference) -> None:
    told = row.premises
    if not told and not is_new:
        return
    number = told.get("number")
    if number is not None:
        found.door = next((door for door in doors if door.number == number), None)
    elif len(doors) == 1:
        found.door = doors[0]
    elif len(doors) > 1:
        same = [door for door in doors if told.get("address") and plain(door.address) == plain(told["address"])]
        if len(same) != 1:
            numbers = _("、").join(sorted(door.number for door in doors))
            reason = _("这家主体有 %(n)s 个场所，看不出是哪一个。") % {"n": len(doors)}
            mend = _("请填写场所编号（现有：%(numbers)s）。") % {"numbers": numbers}
            found.problems.append(("premises_number", reason, mend))
            return
        found.door = same[0]
    if found.door is None:
        _new_door(told, is_new, lists, found)
        return
    for key, value in told.items():
        old = door_value(found.door, key)
        if old != value:
            found.door_changes[key] = value
            found.told[DOOR_COLUMNS.get(key, key)] = (door_word(key, old, lists), door_word(key, value, lists))


def _new_door(told: Mapping[str, Any], is_new: bool, lists: Lists, found: Difference) -> None:
    for key in ("address", "street"):
        if not told.get(key):
            words = {"what": _("新主体") if is_new else _("新场所"), "label": label(Premises, key)}
            found.problems.append((key, _("%(what)s要有%(label)s。") % words, _("请补上%(label)s。") % words))
    if (told.get("longitude") is None) != (told.get("latitude") is None):
        found.problems.append(("longitude", _("经度和纬度只填了一个。"), _("请两个都填，或都不填。")))
    found.new_door = {"number": "1", **told}
    if not is_new:
        found.told["premises_number"] = ("—", _("新增 %(number)s") % {"number": found.new_door["number"]})


def door_value(door: Premises, key: str) -> Any:
    """A field of premises as a `SubjectRow` tells it."""
    value = getattr(door, key)
    if key == "street":
        return value.code
    return f"{value:.6f}" if isinstance(value, Decimal) else value


def door_columns(told: Mapping[str, Any], lists: Lists) -> dict[str, Any]:
    """What a `SubjectRow` tells of premises, as model values."""
    values = dict(told)
    if "street" in values:
        values["street"] = lists.streets[values["street"]]
    for key in ("longitude", "latitude"):
        if values.get(key) is not None:
            values[key] = Decimal(values[key])
    return values


def word(key: str, value: str) -> str:
    """The word of a choice, or the value itself; — for nothing."""
    return str(CHOICES[key](value).label) if key in CHOICES and value else value or "—"


def label(model: type[models.Model], name: str) -> str:
    """What a field is called."""
    return str(getattr(model._meta.get_field(name), "verbose_name"))  # noqa: B009  # the stubs' union of fields has none


def yes_no(value: bool) -> str:
    """是 or 否."""
    return _("是") if value else _("否")


def _scene_words(codes: Iterable[str], lists: Lists) -> str:
    return _("、").join(lists.scenes[code].name for code in codes if code in lists.scenes) or "—"


def door_word(key: str, value: Any, lists: Lists) -> str:
    """A fact of premises as a person reads it; — for nothing."""
    if key == "street":
        return str(lists.streets.get(value, value))
    if key == "closed_weekdays":
        return in_words(value)
    if isinstance(value, bool):
        return yes_no(value)
    return str(value) if value not in (None, "") else "—"
