"""Clocks (期限) of a case: started, met, dropped, and reckoned anew when what they rest on changes. The old value is always kept."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from xiezhi.domains.complaints.models import Case, Clock, ClockRevision, TallyMark
from xiezhi.domains.complaints.services.reckoning import Measure, Reckoning, pauses_of
from xiezhi.domains.complaints.words import ClockKind, Kind

CHUNK = 500
RECEIPT_CLOCKS: Mapping[str, str] = {Kind.COMPLAINT: ClockKind.DECIDE.value, Kind.REPORT: ClockKind.REPORT.value}
Why = ClockRevision.Why


def start_clock(
    case: Case, kind: str, *, started_at: datetime, at: datetime, about: str = "", reckoning: Reckoning | None = None
) -> Clock:
    """Let a period begin. The one of the same kind (and `about`) that still runs is given back instead, so twice is once."""
    running = Clock.objects.filter(case=case, kind=kind, about=about, met_at=None, dropped_at=None).first()
    if running:
        return running
    clock = _new_clock(case, kind, reckoning or Reckoning(), started_at=started_at, at=at, about=about)
    clock.save()
    refresh_due(case)
    return clock


def _new_clock(
    case: Case, kind: str, reckoning: Reckoning, *, started_at: datetime, at: datetime, about: str = ""
) -> Clock:
    clock = Clock(case=case, kind=kind, about=about, started_at=started_at)
    _take(clock, reckoning.measure(kind, tier=case.tier, started_at=started_at))
    _set_due(clock, reckoning, (), at=at)
    return clock


def _take(clock: Clock, measure: Measure) -> None:
    clock.length, clock.unit = measure.period.length, measure.period.unit.value
    clock.rule_version_id = measure.reading.version_id


def _set_due(clock: Clock, reckoning: Reckoning, pauses: Iterable[object], *, at: datetime) -> None:
    """Due, next step and breach, from the clock's own length. Steps that were taken stay taken."""
    found = reckoning.due(clock, pauses)  # type: ignore[arg-type]
    clock.due_at, clock.provisional = found.at, found.provisional
    if clock.breached_at and (clock.due_at is None or clock.due_at > at):
        clock.breached_at = None  # the revision keeps the due that had passed
        clock.step = 0
    clock.next_step_at = next_step(clock, reckoning, at=at)


def next_step(clock: Clock, reckoning: Reckoning, *, at: datetime) -> datetime | None:
    """When somebody next hears of the clock, or, after the last step, when it is breached."""
    moments = reckoning.ladder(clock, on=at)
    if clock.step < len(moments):
        return moments[clock.step]
    return clock.due_at if clock.breached_at is None else None


def meet_clocks(case: Case, *kinds: str, at: datetime, about: str | None = None) -> int:
    """What the periods asked for was done at `at`; late ones say so. Returns how many were open."""
    found = _open(case, kinds, about)
    for clock in found:
        clock.met_at, clock.next_step_at = at, None
        if clock.due_at and at > clock.due_at:
            clock.breached_at = clock.due_at
    Clock.objects.bulk_update(found, ["met_at", "next_step_at", "breached_at"])
    refresh_due(case)
    return len(found)


def drop_clocks(case: Case, *kinds: str, at: datetime) -> int:
    """These periods (all, when none is named) are no longer owed. Returns how many were open."""
    found = _open(case, kinds, None)
    for clock in found:
        clock.dropped_at, clock.next_step_at = at, None
    Clock.objects.bulk_update(found, ["dropped_at", "next_step_at"])
    refresh_due(case)
    return len(found)


def _open(case: Case, kinds: Iterable[str], about: str | None) -> list[Clock]:
    running = Clock.objects.filter(case=case, met_at=None, dropped_at=None)
    if kinds:
        running = running.filter(kind__in=list(kinds))
    return list(running if about is None else running.filter(about=about))


def refresh_due(case: Case) -> None:
    """Write the earliest open deadline on the case, where lists sort by it."""
    running = Clock.objects.filter(case=case, met_at=None, dropped_at=None, due_at__isnull=False)
    case.next_due_at = min((each for each in running.values_list("due_at", flat=True) if each), default=None)
    Case.objects.filter(pk=case.pk).update(next_due_at=case.next_due_at)


def revise_clocks(case: Case, why: str, *, at: datetime, kinds: Iterable[str] = (), extra: int = 0) -> int:
    """Reckon the open clocks of one case anew (pause begun or ended, tier changed, period lengthened by `extra`); returns how many moved."""
    reckoning = Reckoning()
    found = _open(case, kinds, None)
    for clock in found:
        clock.extra += extra
    return _revise(found, reckoning, why, at=at, tiers={case.pk: case.tier})


def restart_clock(case: Case, kind: str, *, started_at: datetime, at: datetime) -> Clock:
    """The period begins again (supplementary report, art. 35; return under a restarting policy); the old one is kept as dropped."""
    drop_clocks(case, kind, at=at)
    return start_clock(case, kind, started_at=started_at, at=at)


@transaction.atomic
def recompute_clocks(*, at: datetime) -> int:
    """The ticker's: every open clock by today's calendar and rules; returns how many moved. Cases are done in pieces."""
    reckoning, moved = Reckoning(), 0
    running = Clock.objects.filter(met_at=None, dropped_at=None).exclude(unit="minutes").order_by("pk")
    keys = list(running.values_list("pk", flat=True))
    for start in range(0, len(keys), CHUNK):
        piece = list(Clock.objects.filter(pk__in=keys[start : start + CHUNK]).select_related("case"))
        tiers = {clock.case_id: clock.case.tier for clock in piece}
        moved += _revise(piece, reckoning, "", at=at, tiers=tiers)
    return moved


def _revise(clocks: list[Clock], reckoning: Reckoning, why: str, *, at: datetime, tiers: dict[int, str]) -> int:
    pauses = pauses_of(clocks, reckoning)
    revisions, moved = [], []
    for clock in clocks:
        was = (clock.due_at, clock.provisional, clock.rule_version_id)
        _take(clock, reckoning.measure(clock.kind, tier=tiers[clock.case_id], started_at=clock.started_at))
        _set_due(clock, reckoning, pauses[clock.pk], at=at)
        if was == (clock.due_at, clock.provisional, clock.rule_version_id):
            continue
        cause = why or (Why.RULE if was[2] != clock.rule_version_id else Why.CALENDAR)
        revisions.append(
            ClockRevision(
                clock=clock,
                at=at,
                why=cause,
                old_due_at=was[0],
                new_due_at=clock.due_at,
                old_rule_version_id=was[2],
                was_provisional=was[1],
            )
        )
        moved.append(clock)
    ClockRevision.objects.bulk_create(revisions)
    Clock.objects.bulk_update(
        moved,
        ["length", "unit", "extra", "rule_version", "due_at", "provisional", "breached_at", "step", "next_step_at"],
    )
    cases = {clock.case_id: clock.case for clock in moved}
    TallyMark.objects.bulk_create(TallyMark(case_id=pk) for pk in cases)
    for case in cases.values():
        refresh_due(case)
    return len(moved)


def start_receipt_clocks(cases: Sequence[Case], *, at: datetime) -> None:
    """What begins when a statutory channel has received cases: the hotline's tier, and by kind the decision (art. 15) or the report's check.

    For cases that have no clock yet; a few statements for any number of them.
    """
    reckoning, started = Reckoning(), []
    for case in cases:
        kinds = [RECEIPT_CLOCKS[case.kind]] if case.kind in RECEIPT_CLOCKS else []
        if case.tier:
            kinds.append(ClockKind.TIER.value)
        own = [_new_clock(case, kind, reckoning, started_at=case.received_at, at=at) for kind in kinds]
        case.next_due_at = min((each.due_at for each in own if each.due_at), default=None)
        started += own
    Clock.objects.bulk_create(started)
    Case.objects.bulk_update(cases, ["next_due_at"], batch_size=CHUNK)
