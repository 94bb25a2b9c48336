"""How long each clock is and when it is over: rules, calendar and the history of pauses, read once for many clocks. Nothing is written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from xiezhi.domains.complaints import rules
from xiezhi.domains.complaints.models import Appraisal, Clock, ReturnRequest
from xiezhi.domains.complaints.words import ClockKind, Tier
from xiezhi.engines.deadlines import Due, EndDay, Pause, Period, Unit, WorkdayTable, ahead, due
from xiezhi.foundation.calendar.queries import workday_table
from xiezhi.foundation.rules.queries import Reading, rule_book
from xiezhi.foundation.rules.registry import Rule

WORKDAY_RULES: Mapping[str, Rule[int]] = {
    ClockKind.DECIDE: rules.DECIDE_WORKDAYS,
    ClockKind.TELL_END: rules.TELL_END_WORKDAYS,
    ClockKind.CLUE: rules.CLUE_WORKDAYS,
    ClockKind.REPORT: rules.REPORT_WORKDAYS,
    ClockKind.JURISDICTION: rules.JURISDICTION_WORKDAYS,
}
SHORT_MINUTES = 240
STEPS = ("officer", "head", "supervisor")
Pauses = Mapping[int, Sequence[Pause]]


@dataclass(frozen=True)
class Measure:
    """A period with the rule version that it comes from."""

    period: Period
    reading: Reading[Any]


class Reckoning:
    """Rules and calendar of the moment (or another `table`), loaded in three queries, to reckon any number of clocks."""

    def __init__(self, table: WorkdayTable | None = None) -> None:
        self.book = rule_book(*rules.RULES)
        self.table = table or workday_table()
        self.zone = ZoneInfo(settings.TIME_ZONE)

    def measure(self, kind: str, *, tier: str, started_at: datetime) -> Measure:
        """How long a clock of `kind` that starts then is. `tier` matters for the hotline's only. Raises NoRuleInForce."""
        on = timezone.localdate(started_at)
        if kind == ClockKind.MALL:
            minutes = self.book.reading(rules.MALL_MINUTES, on=on)
            return Measure(Period(minutes.value, Unit.MINUTES), minutes)
        if kind == ClockKind.MEDIATE:
            mediation = self.book.reading(rules.MEDIATION, on=on)
            cell = mediation.value["all"]
            period = Period(cell["days"], Unit.DAYS) if cell["days"] else Period(cell["workdays"], Unit.WORKDAYS)
            return Measure(period, mediation)
        if kind == ClockKind.TIER:
            lengths = self.book.reading(rules.TIER_LENGTHS, on=on)
            cell = lengths.value[tier or Tier.WEEK]
            if cell["minutes"]:
                return Measure(Period(cell["minutes"], Unit.MINUTES), lengths)
            counted = self.book.reading(rules.TIER_DAYS_ARE, on=on).value
            return Measure(Period(cell["days"], Unit(counted)), lengths)
        found = self.book.reading(WORKDAY_RULES[kind], on=on)
        return Measure(Period(found.value, Unit.WORKDAYS), found)

    def due(self, clock: Clock, pauses: Iterable[Pause] = ()) -> Due:
        """When `clock`, as long as it says, is over."""
        return due(
            clock.started_at,
            Period(clock.length + clock.extra, Unit(clock.unit)),
            table=self.table,
            zone=self.zone,
            pauses=pauses,
            end_day=self._end_day(clock),
        )

    def _end_day(self, clock: Clock) -> EndDay:
        on = timezone.localdate(clock.started_at)
        return EndDay(
            self.book.reading(rules.PAST_HOLIDAYS, on=on).value, self.book.reading(rules.PAST_WEEKENDS, on=on).value
        )

    def ladder(self, clock: Clock, *, on: datetime) -> list[datetime]:
        """When officer, head and supervision hear of `clock`, as the ladder stands on that day; empty while it is paused."""
        if clock.due_at is None:
            return []
        day = timezone.localdate(on)
        if clock.unit == Unit.MINUTES:
            row = "short" if clock.length + clock.extra <= SHORT_MINUTES else "long"
            leads, unit = self.book.reading(rules.LADDER_MINUTES, on=day).value[row], Unit.MINUTES
        else:
            leads, unit = self.book.reading(rules.LADDER_DAYS, on=day).value["all"], Unit.WORKDAYS
        moments = [ahead(clock.due_at, Period(leads[step], unit), table=self.table, zone=self.zone) for step in STEPS]
        return [max(moment, clock.started_at) for moment in moments]


def pauses_of(clocks: Iterable[Clock], reckoning: Reckoning) -> dict[int, list[Pause]]:
    """What does not count for these clocks, from what happened to their cases: appraisals, and returns where the rule says so."""
    wanted = list(clocks)
    found: dict[int, list[Pause]] = {clock.pk: [] for clock in wanted}
    mediations = {clock.case_id: clock.pk for clock in wanted if clock.kind == ClockKind.MEDIATE}
    for appraisal in Appraisal.objects.filter(case__in=mediations):
        found[mediations[appraisal.case_id]].append(Pause(appraisal.started_at, appraisal.ended_at))
    tiers = {
        clock.case_id: clock.pk
        for clock in wanted
        if clock.kind == ClockKind.TIER and return_policy(reckoning, clock.started_at) == "pauses"
    }
    for request in ReturnRequest.objects.filter(case__in=tiers):
        found[tiers[request.case_id]].append(Pause(request.asked_at, request.decided_at))
    return found


def return_policy(reckoning: Reckoning, at: datetime) -> str:
    """runs, pauses or restarts."""
    return str(reckoning.book.reading(rules.RETURN_CLOCK, on=timezone.localdate(at)).value)
