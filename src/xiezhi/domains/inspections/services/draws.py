"""Draws for sampling rows (双随机抽取): frame, exclusions, terms and seed, kept so that anyone can draw the same again (R12).

A door is named "统一社会信用代码/场所编号". The frame is every open door that the row's scene, industry and street describe. What may not be
drawn stays in the frame and is excluded with a word: `drawn_this_year` (R05), `checked_this_year` (frequency =1), `already_planned`,
`cool_down` (R10), `undisturbed` (R11). A firm is drawn once: of its doors that remain only the one with the smallest ticket takes part,
the others are excluded as `another_door`.
"""

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.inspections import rules
from xiezhi.domains.inspections.models import Check, Draw, ItemVersion, PlanRow
from xiezhi.domains.inspections.services.eligibility import last_joint_visits, months_after
from xiezhi.domains.inspections.workflow import CheckStatus
from xiezhi.domains.registry.models import Premises, Subject
from xiezhi.engines import sampling
from xiezhi.engines.sampling.drawing import ALGORITHM
from xiezhi.foundation.rules.queries import Reading, rule_book
from xiezhi.foundation.rules.registry import Rule

UNCLASSED = ""
"""The one stratum of a draw that does not go by credit classes."""
WHY_EXCLUDED = {
    "drawn_this_year": _("本年度同一事项已抽查过（R05）"),
    "checked_this_year": _("本年度同一事项已列入检查，频次为 =1"),
    "already_planned": _("同一时段、同一事项已有任务"),
    "cool_down": _("联合检查后的静默期内（R10）"),
    "undisturbed": _("无事不扰名单内（R11）"),
    "another_door": _("同一主体只抽一处场所"),
}
RULES: tuple[Rule[Any], ...] = (
    rules.DRAWS_PER_ITEM,
    rules.COOL_DOWN_MONTHS,
    rules.COOL_DOWN_EXCEPTIONS,
    rules.DO_NOT_DISTURB_EXCEPTIONS,
    rules.SAMPLING_RATES,
    rules.UNRATED_SAMPLED_AS,
)


@dataclass(frozen=True)
class Door:
    """A premises as a draw sees it."""

    premises_id: int
    subject_id: int
    name: str
    credit_class: str

    @property
    def firm(self) -> str:
        """The firm's code."""
        return self.name.partition("/")[0]


@dataclass(frozen=True)
class Drawing:
    """A draw before it is saved: the row, its frame by name, and the unsaved record."""

    row: PlanRow
    doors: dict[str, Door]
    record: Draw

    @property
    def premises_ids(self) -> list[int]:
        """The premises that were drawn, in the order of drawing."""
        return [self.doors[name].premises_id for name in self.record.selected]


class _Taken(NamedTuple):
    subject_id: int
    source: str
    earliest: date
    latest: date


class Sampler:
    """Draws the sampling rows of one plan, one after another: what one row draws, the next does not draw again for the same item."""

    def __init__(self, *, on: date, superior_ordered: bool, seed: str | None = None) -> None:
        book = rule_book(*RULES)
        self._readings = {rule.key: book.reading(rule, on=on) for rule in RULES}
        self._superior_ordered, self._seed = superior_ordered, seed
        self._taken: dict[int, list[_Taken]] = {}

    def _reading(self, rule: Rule[Any]) -> Reading[Any]:
        return self._readings[rule.key]

    def take(self, row: PlanRow, subject_id: int) -> None:
        """Remember that `row` of the plan itself already checks this subject."""
        self._taken.setdefault(row.item_id, []).append(_Taken(subject_id, row.source, row.earliest, row.latest))

    def draw(self, row: PlanRow, version: ItemVersion, *, at: datetime, drawn_by_id: int | None) -> Drawing:
        """Draw one row. Nothing is saved."""
        doors = {door.name: door for door in frame_of(row)}
        seed = f"{self._seed}/{row.number}" if self._seed else secrets.token_hex(16)
        excluded = self.excluded(row, version, doors.values())
        terms = self._terms(row, seed)
        strata = self._strata(doors.values(), terms)
        excluded |= _other_doors(strata, terms, excluded)
        drawn = {name: _draw_stratum(strata[name], terms[name], excluded) for name in sorted(terms)}
        record = Draw(
            row=row,
            algorithm=ALGORITHM,
            seed=seed,
            frame_size=len(doors),
            frame_digest=sampling.frame_digest(doors),
            frame={name: sorted(members) for name, members in strata.items()},
            terms=terms,
            excluded=dict(sorted(excluded.items())),
            selected=[each for draw in drawn.values() for each in draw.selected],
            wanted=sum(draw.wanted for draw in drawn.values()),
            rule_version_ids=[reading.version_id for reading in self._readings.values()],
            drawn_at=at,
            drawn_by_id=drawn_by_id,
        )
        drawing = Drawing(row, doors, record)
        for name in record.selected:
            self.take(row, doors[name].subject_id)
        return drawing

    def _terms(self, row: PlanRow, seed: str) -> dict[str, dict[str, Any]]:
        if row.quantity is not None:
            return {UNCLASSED: {"seed": seed, "number": row.quantity}}
        if row.ratio_per_mille is not None:
            return {UNCLASSED: {"seed": seed, "per_mille": str(row.ratio_per_mille)}}
        rates: Mapping[str, Mapping[str, Decimal]] = self._reading(rules.SAMPLING_RATES).value
        return {
            name: {"seed": f"{seed}/{name}", "per_mille": str(cells["percent"] * 10)} for name, cells in rates.items()
        }

    def _strata(self, doors: Iterable[Door], terms: Mapping[str, Any]) -> dict[str, list[str]]:
        strata: dict[str, list[str]] = {name: [] for name in terms}
        unrated = self._reading(rules.UNRATED_SAMPLED_AS).value
        for door in doors:
            strata[UNCLASSED if UNCLASSED in terms else door.credit_class or unrated].append(door.name)
        return strata

    def excluded(self, row: PlanRow, version: ItemVersion, doors: Iterable[Door]) -> dict[str, str]:
        """Which of `doors` may not be drawn for `row`, and the word for why. A fixed number of queries."""
        members = list(doors)
        barred = self._barred_subjects(row, version, {door.subject_id for door in members})
        return {door.name: barred[door.subject_id] for door in members if door.subject_id in barred}

    def _barred_subjects(self, row: PlanRow, version: ItemVersion, subject_ids: set[int]) -> dict[int, str]:
        barred: dict[int, str] = {}
        if not self._excepted(rules.DO_NOT_DISTURB_EXCEPTIONS, row, version):
            listed = Subject.objects.filter(scenes__undisturbed=True).values_list("pk", flat=True)
            barred |= dict.fromkeys(listed, "undisturbed")
        if not self._excepted(rules.COOL_DOWN_EXCEPTIONS, row, version):
            months = self._reading(rules.COOL_DOWN_MONTHS).value
            joint = last_joint_visits(subject_ids)
            barred |= {pk: "cool_down" for pk, last in joint.items() if months_after(last, months) > row.latest}
        barred |= dict.fromkeys(self._planned_already(row), "already_planned")
        barred |= dict.fromkeys(
            self._seen_this_year(row), "checked_this_year" if row.frequency == "=1" else "drawn_this_year"
        )
        return barred

    def _excepted(self, rule: Rule[Any], row: PlanRow, version: ItemVersion) -> bool:
        words = {row.source}
        if version.safety:
            words.add("safety")
        if self._superior_ordered:
            words.add("superior_ordered")
        return bool(words.intersection(self._reading(rule).value))

    def _planned_already(self, row: PlanRow) -> set[int]:
        standing = Check.objects.open().filter(
            item_version__item_id=row.item_id, earliest__lte=row.latest, latest__gte=row.earliest
        )
        planned = set(standing.values_list("premises__subject_id", flat=True))
        taken = self._taken.get(row.item_id, [])
        return planned | {
            each.subject_id for each in taken if each.earliest <= row.latest and each.latest >= row.earliest
        }

    def _seen_this_year(self, row: PlanRow) -> set[int]:
        """Subjects that this item has had its fill of in the year: draws up to the limit (R05), any check where the row says =1."""
        year = row.earliest.year
        kept = Check.objects.exclude(status=CheckStatus.CANCELLED).filter(
            item_version__item_id=row.item_id, earliest__year=year
        )
        limit = 1
        if row.frequency != "=1":
            limit = self._reading(rules.DRAWS_PER_ITEM).value
            kept = kept.filter(source=PlanRow.Source.RANDOM)
        counted = kept.values("premises__subject_id").annotate(times=Count("pk")).filter(times__gte=limit)
        seen = set(counted.values_list("premises__subject_id", flat=True))
        now = Counter(
            each.subject_id
            for each in self._taken.get(row.item_id, [])
            if each.earliest.year == year and (row.frequency == "=1" or each.source == PlanRow.Source.RANDOM)
        )
        return seen | {subject_id for subject_id, times in now.items() if times >= limit}


def frame_of(row: PlanRow) -> list[Door]:
    """Every open door of an open subject that the row's scene, industry (by its beginning) and street describe, in order of name."""
    premises = Premises.objects.filter(
        is_open=True, subject__status__in=[Subject.Status.ACTIVE, Subject.Status.SUSPENDED]
    )
    if row.scene_id:
        premises = premises.filter(subject__scenes=row.scene_id)
    if row.industry:
        premises = premises.filter(subject__industry__startswith=row.industry)
    if row.street_id:
        premises = premises.filter(street_id=row.street_id)
    rows = premises.values_list("pk", "subject_id", "subject__code", "number", "subject__credit_class")
    doors = [Door(pk, subject_id, f"{code}/{number}", rating) for pk, subject_id, code, number, rating in rows]
    return sorted(doors, key=lambda door: door.name)


def _other_doors(
    strata: Mapping[str, list[str]], terms: Mapping[str, Any], excluded: Mapping[str, str]
) -> dict[str, str]:
    others: dict[str, str] = {}
    for name, members in strata.items():
        for firm_doors in _by_firm(each for each in members if each not in excluded).values():
            if len(firm_doors) > 1:
                first = min(firm_doors, key=lambda each: (sampling.ticket(terms[name]["seed"], each), each))
                others |= {each: "another_door" for each in firm_doors if each != first}
    return others


def _by_firm(names: Iterable[str]) -> dict[str, list[str]]:
    firms: dict[str, list[str]] = {}
    for name in names:
        firms.setdefault(name.partition("/")[0], []).append(name)
    return firms


def _draw_stratum(members: Iterable[str], terms: Mapping[str, Any], excluded: Iterable[str]) -> sampling.Draw:
    number = terms.get("number")
    ratio = Fraction(Decimal(terms["per_mille"])) / 1000 if number is None else None
    return sampling.draw(list(members), seed=terms["seed"], number=number, ratio=ratio, excluded=list(excluded))


@dataclass
class Recount:
    """What drawing again from the record gives. `faults`: sentences about what does not agree; none when the record holds."""

    selected: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the record proves itself."""
        return not self.faults


def redraw(record: Draw) -> Recount:
    """Draw again from the record alone: frame, exclusions, terms and seed, no other table."""
    found = Recount()
    everyone = [name for members in record.frame.values() for name in members]
    for name in sorted(record.terms):
        found.selected += _draw_stratum(record.frame[name], record.terms[name], record.excluded).selected
        ours = record.terms[name]["seed"]
        if ours != (f"{record.seed}/{name}" if name else record.seed):
            found.faults.append(str(_("分层种子与记录的种子不符。")))
    if sampling.frame_digest(everyone) != record.frame_digest or len(everyone) != record.frame_size:
        found.faults.append(str(_("抽查库与摘要不符。")))
    again = _other_doors(
        record.frame,
        record.terms,
        {name: why for name, why in record.excluded.items() if why != "another_door"},
    )
    if again != {name: why for name, why in record.excluded.items() if why == "another_door"}:
        found.faults.append(str(_("同一主体的多处场所没有按种子取舍。")))
    if found.selected != list(record.selected):
        found.faults.append(str(_("按记录重新抽取，结果与抽中名单不同。")))
    return found


def doors_named(names: Iterable[str]) -> dict[str, Premises]:
    """Premises by their names in a draw, with subject and street, for showing; names that no longer lead anywhere are left out."""
    wanted = list(names)
    codes = sorted({name.partition("/")[0] for name in wanted})
    found: dict[str, Premises] = {}
    for start in range(0, len(codes), 500):
        for each in Premises.objects.filter(subject__code__in=codes[start : start + 500]).select_related(
            "subject", "street"
        ):
            found[f"{each.subject.code}/{each.number}"] = each
    return {name: found[name] for name in wanted if name in found}
