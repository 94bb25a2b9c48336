"""来自文件的工单: what a row of a work-order file says, compared with what is known under its number, and saved."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Case, Category, ExternalNumber
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services.intake import (
    Intake,
    Matter,
    Numbered,
    amend_case,
    known_numbers,
    receive_cases,
    record_number,
    split_case,
)
from xiezhi.domains.complaints.services.people import Person, phone_digest
from xiezhi.domains.complaints.texts import clean, mask_personal
from xiezhi.domains.complaints.words import Kind, Urgency
from xiezhi.domains.registry.models import Subject
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation

FACTS = (
    "title", "category", "urgency", "demand_text", "respondent_name", "respondent_address", "subject", "street", "place",
    "happened_on",
)  # fmt: skip
"""What a file may complete or correct: keys of `Filed.facts`, each as text (codes for category, subject and street)."""
COLUMN_OF = {"subject": "subject_code", "received": "received_at", "text": "description", "person": "phone"}


@dataclass(frozen=True)
class Filed:
    """One row of a work-order file. `facts` holds only what the row says; `person`: see `Person`."""

    register: str
    number: str
    other_register: str
    other_number: str
    channel: str
    kind: str
    mixed: bool
    received_at: datetime
    description: str
    tier: str
    facts: Mapping[str, str]
    person: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """For a row in waiting."""
        return {**asdict(self), "received_at": self.received_at.isoformat()}

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "Filed":
        """What `as_json` gave."""
        received_at = parse_datetime(str(stored["received_at"]))
        assert received_at is not None
        return Filed(**{**stored, "received_at": received_at})

    @property
    def numbers(self) -> list[Numbered]:
        """Its number with what is told under it, and the other register's."""
        own = [Numbered(self.register, self.number, self.told())]
        return own + ([Numbered(self.other_register, self.other_number)] if self.other_number else [])

    def told(self) -> dict[str, str]:
        """What the row says, without anybody's personal data, for the next file to be compared with."""
        phone = str(self.person["phone"])
        return {
            **self.facts,
            "kind": self.kind,
            "kinds": "complaint report" if self.mixed else self.kind,
            "received": _minute(self.received_at),
            "text": _print_of(self.description),
            **({"person": phone_digest(phone)} if phone else {}),
        }


def _minute(moment: datetime) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M")


def _print_of(description: str) -> str:
    """The same for a text with its numbers hidden and its blanks changed, as sheets do."""
    plain = re.sub(r"\s+", "", mask_personal(clean(description)))
    return hashlib.sha256(plain.encode()).hexdigest()[:32]


@dataclass
class Compared:
    """A row beside the case that carries its number, if any. `changes`: {column: [here, in the file]}; `refused` says why not at all."""

    case: Case | None = None
    changes: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[tuple[str, str]] = field(default_factory=list)
    refused: str = ""
    mend: str = ""
    clash: bool = False


class Known:
    """The cases behind the numbers of some rows, read in a few queries."""

    def __init__(self, numbers: Sequence[ExternalNumber]) -> None:
        self.numbers = {(each.register, each.number): each for each in numbers}
        keys = sorted({each.case_id for each in numbers})
        self.cases: dict[int, Case] = {}
        for start in range(0, len(keys), 500):
            cases = Case.objects.filter(pk__in=keys[start : start + 500]).select_related(
                "category", "subject", "street", "premises"
            )
            self.cases |= {case.pk: case for case in cases.prefetch_related("parties")}

    def of(self, filed: Filed) -> Compared:
        """The row beside what is known: what it would change, and what differs but is kept."""
        own = self.numbers.get((filed.register, filed.number))
        other = self.numbers.get((filed.other_register, filed.other_number))
        if own and other and own.case_id != other.case_id:
            mine, theirs = self.cases[own.case_id], self.cases[other.case_id]
            said = _("两个编号分别属于诉求 %(one)s 和 %(two)s。") % {"one": mine.number, "two": theirs.number}
            return Compared(refused=said, mend=_("请核对编号；确是同一诉求的，请先在系统里并入。"), clash=True)
        number = own or other
        if number is None:
            return Compared()
        found = Compared(self.cases[number.case_id])
        self._compare(filed, number.told if own else {}, found)
        if own is None:
            found.changes["number"] = ["", filed.number]
        elif filed.other_number and other is None:
            found.changes["other_number"] = ["", filed.other_number]
        return found

    def _compare(self, filed: Filed, told: Mapping[str, str], found: Compared) -> None:
        case = found.case
        assert case is not None
        here = facts_of(case)
        for key, value in filed.facts.items():
            if value in {here[key], told.get(key)}:
                continue
            column = COLUMN_OF.get(key, key)
            if not case.is_open:
                found.warnings.append(
                    (column, _("诉求 %(number)s 已答复或者结束，没有改动。") % {"number": case.number})
                )
            elif here[key] in {"", told.get(key)} or (key == "urgency" and here[key] == Urgency.NORMAL and not told):
                found.changes[column] = [here[key], value]
            else:
                found.warnings.append((column, _("本系统登记的是“%(here)s”，没有改动。") % {"here": here[key][:60]}))
        said = filed.told()
        for key, (standing, sentence) in self._kept(case).items():
            if key in said and said[key] not in {standing, told.get(key)}:
                found.warnings.append((COLUMN_OF.get(key, key), sentence))

    @staticmethod
    def _kept(case: Case) -> dict[str, tuple[str, str]]:
        """What no file overwrites: how it stands here, and what to tell when a file says otherwise."""
        parties = sorted(case.parties.all(), key=lambda party: party.pk)
        digests = [party.phone_digest for party in parties if party.phone_digest]
        kind = case.get_kind_display()
        minute = _minute(case.received_at)
        return {
            "kind": (case.kind, _("本系统登记为%(kind)s，没有改动。") % {"kind": kind}),
            "received": (minute, _("本系统登记的收到时间是 %(at)s，没有改动。") % {"at": minute}),
            "text": (_print_of(case.description), _("内容与 %(number)s 已登记的不同，请打开核对。") % {"number": case.number}),
            "person": (digests[0] if digests else "", _("电话与 %(number)s 已登记的不同，请打开核对。") % {"number": case.number}),
        }  # fmt: skip


def what_is_known(filed: Sequence[Filed]) -> Known:
    """What is known under the numbers of these rows."""
    return Known(known_numbers([number for each in filed for number in each.numbers]))


def facts_of(case: Case) -> dict[str, str]:
    """The facts of a case as a file would say them."""
    name, address = respondent_told(case)
    return {
        **{key: getattr(case, key) for key in ("title", "urgency", "demand_text", "place")},
        "respondent_name": name,
        "respondent_address": address,
        "category": case.category.code if case.category else "",
        "subject": case.subject.code if case.subject else "",
        "street": case.street.code if case.street else "",
        "happened_on": case.happened_on.isoformat() if case.happened_on else "",
    }  # fmt: skip


def respondent_told(case: Case) -> tuple[str, str]:
    """Name and address of the respondent as given, else as the register of subjects has them."""
    name = case.respondent_name or (case.subject.name if case.subject else "")
    return name, case.respondent_address or (case.premises.address if case.premises else "")


class _Lists:
    """Categories, streets and subjects by code, as facts name them."""

    def __init__(self, filed: Sequence[Filed]) -> None:
        codes = {each.facts["subject"] for each in filed if "subject" in each.facts}
        self.found: dict[str, dict[str, Any]] = {
            "category": {each.code: each for each in Category.objects.all()},
            "street": {each.code: each for each in Organisation.objects.filter(kind=Organisation.Kind.STREET)},
            "subject": {each.code: each for each in Subject.objects.filter(code__in=codes)},
        }

    def facts(self, said: Mapping[str, str]) -> dict[str, Any]:
        """Facts as `Matter` takes them."""
        facts: dict[str, Any] = {
            key: self.found[key].get(value) if key in self.found else value for key, value in said.items()
        }
        if "happened_on" in facts:
            facts["happened_on"] = date.fromisoformat(facts["happened_on"])
        return facts


@transaction.atomic
def store_new(*, filed: Sequence[Filed], split: bool, actor: Actor, at: datetime) -> dict[str, int]:
    """Register rows whose numbers nobody has entered since; `split`: the report half of mixed ones becomes a case of its own at once.

    Returns how many were `created`, found `known` after all, `split` off, and left `mixed`.
    """
    actor.require(May.DISPATCH)
    known, lists = what_is_known(filed), _Lists(filed)
    fresh = [each for each in filed if known.of(each).case is None]
    cases = receive_cases(intakes=[_intake(each, lists) for each in fresh], actor=actor, at=at)
    mixed = [case for case, each in zip(cases, fresh, strict=True) if each.mixed and case.kind == Kind.COMPLAINT]
    for case in mixed if split else ():
        split_case(case=case, report=report_half(case, case.description), actor=actor, at=at)
    return {
        "created": len(cases),
        "known": len(filed) - len(fresh),
        "split": len(mixed) if split else 0,
        "mixed": 0 if split else len(mixed),
    }


def _intake(filed: Filed, lists: _Lists) -> Intake:
    return Intake(
        matter=Matter(kind=filed.kind, description=filed.description, tier=filed.tier, **lists.facts(filed.facts)),
        channel=filed.channel,
        received_at=filed.received_at,
        people=[Person(**filed.person)],
        numbers=filed.numbers,
    )


def report_half(case: Case, description: str) -> Matter:
    """The report of a mixed complaint, about the same respondent and place."""
    return Matter(
        kind=Kind.REPORT, description=description, category=case.category, subject=case.subject,
        premises=case.premises, respondent_name=case.respondent_name, respondent_address=case.respondent_address,
        mall=case.mall, street=case.street, place=case.place,
    )  # fmt: skip


@transaction.atomic
def store_changed(*, filed: Sequence[Filed], actor: Actor, at: datetime) -> dict[str, int]:
    """Complete and correct known cases, as far as nobody has changed the same here since. Returns how many were `amended`."""
    actor.require(May.DISPATCH)
    known, lists, amended = what_is_known(filed), _Lists(filed), 0
    for each in filed:
        found = known.of(each)
        if found.case is None or not found.changes:
            continue
        _amend(found.case, each, found.changes, lists, actor=actor, at=at)
        amended += 1
    return {"amended": amended} if filed else {}


def _amend(
    case: Case, filed: Filed, changes: Mapping[str, Sequence[str]], lists: _Lists, *, actor: Actor, at: datetime
) -> None:
    changed = {key: value for key, value in filed.facts.items() if COLUMN_OF.get(key, key) in changes}
    if changed:
        kept = {
            name: getattr(case, name)
            for name in ("demand", "safety", "hostile", "premises", "mall", "longitude", "latitude")
        }
        facts = {**_as_they_are(case), **kept, **lists.facts(changed)}
        amend_case(case=case, matter=Matter(case.kind, case.description, **facts), actor=actor, at=at)
    for column, register, number in (
        ("number", filed.register, filed.number),
        ("other_number", filed.other_register, filed.other_number),
    ):
        if column in changes:
            record_number(case=case, number=Numbered(register, number), actor=actor, at=at)
    ExternalNumber.objects.filter(register=filed.register, number=filed.number).update(told=filed.told())


def _as_they_are(case: Case) -> dict[str, Any]:
    return {key: getattr(case, key) for key in FACTS}
