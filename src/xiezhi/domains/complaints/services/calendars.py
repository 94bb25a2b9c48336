"""What a year's notice makes of open clocks: found before it is taken in, saved with it (`foundation.calendar.recomputation`)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from xiezhi.domains.complaints.models import Clock
from xiezhi.domains.complaints.services import clocks
from xiezhi.domains.complaints.services.reckoning import Reckoning, pauses_of
from xiezhi.domains.complaints.services.story import tell
from xiezhi.engines.deadlines import WorkdayTable
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.calendar.recomputation import Move


def find(before: WorkdayTable, after: WorkdayTable, at: datetime) -> list[Move]:
    """The open clocks counted in days, not over yet, that end at another moment by `after` than they say now."""
    running = list(
        Clock.objects.filter(met_at=None, dropped_at=None, due_at__gt=at)
        .exclude(unit="minutes")
        .select_related("case")
        .order_by("pk")
    )
    reckoning = Reckoning(table=after)
    pauses = pauses_of(running, reckoning)
    moves = []
    for clock in running:
        now = reckoning.due(clock, pauses[clock.pk]).at
        if now and clock.due_at and now != clock.due_at:
            name = f"{clock.case.number} {clock.get_kind_display()}"
            moves.append(Move(clock, name, clock.due_at, now))
    return moves


@transaction.atomic
def save(*, moves: Sequence[Move], actor: Actor, at: datetime) -> Sequence[Move]:
    """Reckon the cases of these clocks by the calendar as it is now; each keeps its old date and its case says so."""
    cases = {move.row.case_id: move.row.case for move in moves if isinstance(move.row, Clock)}
    for case in cases.values():
        if clocks.revise_clocks(case, clocks.Why.CALENDAR, at=at):
            tell(case, "calendar", str(clocks.Why.CALENDAR.label), actor=actor, at=at)
            record("complaints.case.calendar", case, actor=actor, at=at)
    return moves
