"""导出为 12345、12315 的列: what goes back to the register that a case came from. Who is behind it goes along only for a purpose, with a trace."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Case, ComplaintParty, ExternalNumber
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services.filed import respondent_told
from xiezhi.domains.complaints.services.people import may_see_person, open_parties
from xiezhi.domains.complaints.texts import mask_personal
from xiezhi.domains.complaints.words import Kind, Register
from xiezhi.domains.complaints.workflow import own_unit
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.files.sheets.cells import LONGEST_TEXT
from xiezhi.foundation.ui.exports import MOST_ROWS
from xiezhi.foundation.workflow.errors import Refused

CHUNK = 1_000
OTHER = {Register.HOTLINE.value: Register.PLATFORM.value, Register.PLATFORM.value: Register.HOTLINE.value}
CUT = "…（全文较长，请在诉求页查看）"
FURTHER = ("本系统编号", "办理状态", "承办单位", "办理结果", "答复内容", "答复时间")
"""Columns behind those of the work-order file: what became of the case. A later import leaves them alone."""


def exportable(cases: QuerySet[Case], register: str) -> QuerySet[Case]:
    """Those of `cases` that `register` knows: without its number a row would say nothing there."""
    return cases.filter(Exists(ExternalNumber.objects.filter(case=OuterRef("pk"), register=register)))


@transaction.atomic
def start_export(
    *, cases: QuerySet[Case], register: str, persons: bool, purpose: str, actor: Actor, at: datetime
) -> int:
    """Write down that these cases leave the system and, with `persons`, whose data goes along and what for; returns how many cases.

    Raises Refused for too many at once or without a purpose, PermissionRefused for posts that may not see persons.
    """
    actor.require(May.SEE_PERSON if persons else May.VIEW)
    count = cases.count()
    if count > MOST_ROWS:
        raise Refused(
            _("一次最多导出 %(most)s 件，现在有 %(count)s 件。请先筛选，再分次导出。")
            % {"most": f"{MOST_ROWS:,}", "count": f"{count:,}"}
        )
    if persons:
        for piece in _pieces(cases.select_related(None)):
            parties = ComplaintParty.objects.filter(case__in=piece).select_related("case").order_by("pk")
            seen = [party for party in parties if may_see_person(party.case, actor)]
            if seen:
                open_parties(parties=seen, purpose=purpose, actor=actor, at=at)
            elif not purpose.strip():
                raise Refused(_("请写明用途，例如：回填 12345 系统。"))
    first = cases.order_by("pk").first()
    if first is not None:  # an entry is about a row; how many and which register are in it
        record("complaints.case.exported", first, actor=actor, at=at, cases=count, register=register, persons=persons)
    return count


def _pieces(cases: QuerySet[Case]) -> Iterator[list[Case]]:
    last = 0
    while piece := list(cases.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        last = piece[-1].pk
        yield piece


def export_rows(
    cases: QuerySet[Case], register: str, keys: Sequence[str], *, persons: bool, actor: Actor
) -> Iterator[list[Any]]:
    """One row a case, the newest last: the work-order columns `keys`, then `FURTHER`. Read piece by piece."""
    rows = cases.select_related("category", "subject", "street", "premises", "unit")
    rows = rows.prefetch_related("numbers", "parties", "replies")
    for piece in _pieces(rows):
        for case in piece:
            told = _told(case, register, persons and may_see_person(case, actor))
            yield [told.get(key, "") for key in keys] + _became(case, persons or own_unit(case, actor))


def _told(case: Case, register: str, seen: bool) -> dict[str, Any]:
    numbers = {each.register: each.number for each in case.numbers.all()}
    party = next(iter(sorted(case.parties.all(), key=lambda each: each.pk)), None)
    name, address = respondent_told(case)
    told = {
        "number": numbers.get(register, ""), "other_number": numbers.get(OTHER[register], ""), "received_at": case.received_at,
        "kind": str(Kind(case.kind).label), "title": case.title, "description": _long(case.description if seen else mask_personal(case.description)),
        "respondent_name": name, "respondent_address": address, "subject_code": case.subject.code if case.subject else "",
        "place": case.place, "street": case.street.short_name if case.street else "", "category": case.category.name if case.category else "",
        "demand_text": case.demand_text, "urgency": str(case.get_urgency_display()), "tier": str(case.get_tier_display()),
        "happened_on": case.happened_on or "",
    }  # fmt: skip
    if party and seen:
        told |= {
            "name": party.name, "phone": party.phone, "person_address": party.address,
            "anonymous": party.anonymous, "may_call_back": party.may_call_back,
        }  # fmt: skip
    return told


def _became(case: Case, full: bool) -> list[Any]:
    reply = max(case.replies.all(), key=lambda each: each.pk, default=None)
    said = (reply.text if full else mask_personal(reply.text)) if reply else ""
    return [
        case.number, str(case.get_status_display()), str(case.unit or ""), str(case.get_outcome_display()), _long(said),
        reply.at if reply else "",
    ]  # fmt: skip


def _long(text: str) -> str:
    """At most what a cell holds, and it says where it was cut."""
    return text if len(text) < LONGEST_TEXT - 1 else text[: LONGEST_TEXT - len(CUT) - 1] + CUT
