"""识别建议: what is suggested for a case at its receipt, and whether people took it. Suggestions set nothing; decisions are learned from."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from xiezhi.domains.complaints.models import Case, Suggestion
from xiezhi.domains.complaints.queries.reading import Reading, categories_in_use, read_case
from xiezhi.domains.complaints.services.likeness import keep_keys
from xiezhi.foundation.access.actors import Actor

KIND, OUTCOME = Suggestion.Kind, Suggestion.Outcome


def understand(cases: Sequence[Case], *, at: datetime) -> list[Suggestion]:
    """Read cases that have just come in: keep the likeliest suggestion of each kind, and the keys by which they are found again.

    In the caller's transaction; every channel's cases come through here.
    """
    keep_keys(*cases, new=True)
    categories = categories_in_use()
    return Suggestion.objects.bulk_create(
        row for case in cases for row in _suggested(case, read_case(case, categories), at)
    )


def _suggested(case: Case, reading: Reading, at: datetime) -> Iterable[Suggestion]:
    rows: dict[str, Suggestion] = {}
    for offer in reading.offers:
        stored = offer.kind in KIND.values and (bool(offer.fills) or offer.kind == KIND.UNIT)
        if stored and offer.kind not in rows:
            rows[offer.kind] = Suggestion(
                case=case, kind=offer.kind, value=offer.value, label=offer.label[:120], confidence=offer.confidence,
                sure=offer.sure, reasons=list(offer.reasons), source=offer.source, at=at,
                model_digest=reading.model_digest if offer.source == Suggestion.Source.MODEL else "",
            )  # fmt: skip
    return rows.values()


def values_of(case: Case) -> Mapping[str, str]:
    """What the case says now, as suggestions are compared with it; empty for what nobody decided."""
    return {
        KIND.CATEGORY: case.category.code if case.category else "",
        KIND.UNIT: str(case.unit_id or ""),
        KIND.URGENCY: case.tier,
        KIND.HOSTILE: "1" if case.hostile else "0",
        KIND.SUBJECT: str(case.subject_id or ""),
        KIND.MALL: str(case.mall_id or ""),
        KIND.STREET: str(case.street_id or ""),
    }


def settle(case: Case, *, actor: Actor, at: datetime) -> int:
    """Write down what people made of a case's suggestions: taken, or something else instead; returns how many changed.

    In the caller's transaction. What nobody has decided yet stays open; what was decided before counts as it stands last.
    """
    values, changed = values_of(case), []
    for row in Suggestion.objects.filter(case=case):
        value = values[row.kind]
        if value == "" or value == row.decided_value:
            continue
        row.decided_value, row.decided_at, row.decided_by_id = value[:40], at, actor.user_id
        row.outcome = OUTCOME.ACCEPTED if value == row.value else OUTCOME.CORRECTED
        changed.append(row)
    if changed:
        Suggestion.objects.bulk_update(changed, ["decided_value", "decided_at", "decided_by", "outcome"])
    return len(changed)
