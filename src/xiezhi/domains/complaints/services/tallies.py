"""计数行 kept up to date: marked in the transaction that changes a case, counted anew by the ticker some at a time."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils import timezone

from xiezhi.domains.complaints import rules
from xiezhi.domains.complaints.models import (
    Application,
    Callback,
    Case,
    Clock,
    ComplaintParty,
    Kept,
    Stage,
    Tally,
    TallyMark,
)
from xiezhi.domains.complaints.queries.callbacks import effective, standing
from xiezhi.domains.complaints.words import (
    ANSWERED,
    OPEN,
    CallbackOutcome,
    CaseStatus,
    Channel,
    ClockKind,
)
from xiezhi.foundation.rules.queries import RuleBook, rule_book

PIECE = 500
A_TURN = 5_000
UNCOUNTED = frozenset({CaseStatus.LEAD, CaseStatus.DISMISSED, CaseStatus.MERGED})
CALL_RULES = (
    rules.CALL_WHEN,
    rules.CALL_SAMPLE_PERCENT,
    rules.CALL_ATTEMPTS,
    rules.CALL_AGAIN_MINUTES,
    rules.CLOSE_WITHOUT_CALL_DAYS,
)


def mark(case_ids: Iterable[int]) -> None:
    """These cases changed: count them anew soon. In the caller's transaction, so that nothing is lost and nothing is waited for."""
    TallyMark.objects.bulk_create(TallyMark(case_id=pk) for pk in case_ids)


def recount_marked(*, at: datetime, limit: int = A_TURN) -> int:
    """The ticker's: count marked cases anew; returns how many. A mark goes only with the transaction that counted what it saw, and what
    commits later leaves a mark of its own."""
    done = 0
    while done < limit:
        marks = list(TallyMark.objects.order_by("pk").values_list("pk", "case_id")[:PIECE])
        if not marks:
            break
        with transaction.atomic():
            done += recount({case for _mark, case in marks}, at=at)
            TallyMark.objects.filter(pk__in=[pk for pk, _case in marks]).delete()
    return done


def recount_all(*, at: datetime) -> int:
    """Count every case anew, piece by piece, each in its own transaction: after cases came in past the services. Returns how many."""
    done, last = 0, 0
    while keys := list(Case.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[: 4 * PIECE]):
        with transaction.atomic():
            recount(keys, at=at)
        done, last = done + len(keys), keys[-1]
    return done


@transaction.atomic
def recount(case_ids: Collection[int], *, at: datetime) -> int:
    """Write the rows of these cases as they stand now; those that do not count lose theirs. Six statements whatever the number."""
    keys = sorted(case_ids)
    facts = _Facts(keys, at)
    cases = Case.objects.filter(pk__in=keys).defer("description", "search").order_by("pk")
    rows = [facts.row(case) for case in cases if case.status not in UNCOUNTED]
    Tally.objects.filter(pk__in=set(keys) - {row.pk for row in rows}).delete()
    columns = [field.name for field in Tally._meta.concrete_fields if not field.primary_key]
    Tally.objects.bulk_create(rows, update_conflicts=True, unique_fields=["case"], update_fields=columns)
    return len(keys)


def sampled(number: str, percent: int) -> bool:
    """Whether a case is drawn for a callback (art. 26): by its number alone, so that nobody chooses and every recount agrees."""
    return int.from_bytes(sha256(f"callback:{number}".encode()).digest()[:4]) % 100 < percent


@dataclass(frozen=True)
class _Call:
    """When a case waits for a call, and from when it may close without one."""

    due_at: datetime | None = None
    close_at: datetime | None = None


class _Facts:
    """What hangs on some cases, read at once."""

    def __init__(self, keys: Collection[int], at: datetime) -> None:
        self.at = at
        self.book: RuleBook = rule_book(*CALL_RULES)
        self.clocks: dict[int, list[Any]] = defaultdict(list)
        clocks = Clock.objects.filter(case__in=keys, dropped_at=None)
        for case, *clock in clocks.values_list("case", "kind", "met_at", "breached_at", "due_at"):
            self.clocks[case].append(clock)
        self.callbacks: dict[int, list[Callback]] = defaultdict(list)
        for callback in Callback.objects.filter(case__in=keys):
            self.callbacks[callback.case_id].append(callback)
        self.excluded: set[int] = set()
        self.deferred: dict[int, date | None] = {}
        granted = Application.objects.filter(case__in=keys, granted=True).order_by("decided_at")
        for case_id, purpose, until in granted.values_list("case", "purpose", "review_on"):
            if purpose == Application.Purpose.EXCLUDE:
                self.excluded.add(case_id)
            elif purpose == Application.Purpose.DEFER:
                self.deferred[case_id] = until
        people = ComplaintParty.objects.filter(case__in=keys, may_call_back=True).exclude(phone_digest="")
        self.may_be_called = set(people.values_list("case", flat=True))
        self.reopened = set(Case.objects.filter(reopened_from__in=keys).values_list("reopened_from", flat=True))

    def row(self, case: Case) -> Tally:
        """One case's row."""
        result = effective(self.callbacks[case.pk])
        call = self._call(case)
        hours = None
        if case.replied_at:
            hours = max(0, math.ceil((case.replied_at - case.received_at).total_seconds() / 3600))
        answered = result is not None and result.outcome in ANSWERED
        return Tally(
            case_id=case.pk, received_on=timezone.localdate(case.received_at), kind=case.kind, channel=case.channel,
            category_id=case.category_id, unit_id=case.unit_id, department_id=case.unit_department_id,
            street_id=case.street_id, mall_id=case.mall_id, subject_id=case.subject_id, stage=_stage(case),
            outcome=case.outcome, handling_hours=hours, callback=result.outcome if result else "",
            satisfaction=result.satisfaction if result and answered else "", source=result.source if result else "",
            excluded=case.pk in self.excluded, deferred_until=self.deferred.get(case.pk), call_due_at=call.due_at,
            close_due_at=call.close_at, **self._kept(case.pk),
        )  # fmt: skip

    def _kept(self, case_id: int) -> dict[str, int]:
        """The worst of each kind: over time, still running, in time."""
        found = {f"clock_{kind}": int(Kept.NONE) for kind in ClockKind.values}
        worst = {Kept.NONE: 0, Kept.KEPT: 1, Kept.RUNNING: 2, Kept.BREACHED: 3}
        for kind, met_at, breached_at, due_at in self.clocks[case_id]:
            late = breached_at is not None or (met_at is None and due_at is not None and due_at < self.at)
            state = Kept.BREACHED if late else Kept.RUNNING if met_at is None else Kept.KEPT
            name = f"clock_{kind}"
            found[name] = max(found[name], int(state), key=lambda each: worst[Kept(each)])
        return found

    def _call(self, case: Case) -> _Call:
        if case.status != CaseStatus.REPLIED or case.replied_at is None or case.pk in self.reopened:
            return _Call()
        on = timezone.localdate(case.replied_at)
        result = effective(self.callbacks[case.pk])
        if result and result.outcome != CallbackOutcome.NO_ANSWER:
            return _Call()
        percent = int(self.book.reading(rules.CALL_SAMPLE_PERCENT, on=on).value)
        wanted = case.channel == Channel.HOTLINE_12345 or sampled(case.number, percent)
        if not wanted or case.pk not in self.may_be_called:
            days = int(self.book.reading(rules.CLOSE_WITHOUT_CALL_DAYS, on=on).value)
            return _Call(close_at=case.replied_at + timedelta(days=days))
        due = case.replied_at
        if self.book.reading(rules.CALL_WHEN, on=on).value == "limit":
            limits = [due_at for kind, _m, _b, due_at in self.clocks[case.pk] if kind == ClockKind.TIER and due_at]
            due = max([due, *limits])
        attempts = attempts_of(self.callbacks[case.pk], case.replied_at)
        if len(attempts) >= int(self.book.reading(rules.CALL_ATTEMPTS, on=on).value):
            return _Call(close_at=attempts[-1].at)
        if attempts:
            again = timedelta(minutes=int(self.book.reading(rules.CALL_AGAIN_MINUTES, on=on).value))
            due = max(due, attempts[-1].at + again)
        return _Call(due_at=due)


def attempts_of(callbacks: Iterable[Callback], replied_at: datetime) -> list[Callback]:
    """The calls since the reply that nobody took, oldest first."""
    missed = [each for each in standing(callbacks) if each.outcome == CallbackOutcome.NO_ANSWER]
    return [each for each in missed if each.at >= replied_at]


def _stage(case: Case) -> str:
    if case.status in OPEN:
        return Stage.OPEN
    return Stage.CLOSED if case.status == CaseStatus.CLOSED else Stage.REPLIED
