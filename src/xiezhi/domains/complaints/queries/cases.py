"""Reads that pages of cases share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from xiezhi.domains.complaints.models import Case, CaseQuerySet, Clock, led_by
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.rules.queries import Reading, readings_of
from xiezhi.foundation.ui.clocks import Left, time_left


def cases_listed(actor: Actor, *, helping: bool = False) -> CaseQuerySet:
    """The cases of an actor's list: all for district-wide posts; those that their unit leads, or (`helping`) those in which it helps."""
    visible = Case.objects.visible_to(actor).with_names()
    if actor.district_wide:
        return visible
    if helping:
        return visible.exclude(led_by(actor))
    # One plain condition keeps the index of unit and deadline; `visible_to` would also look for helpers at every row.
    return Case.objects.filter(led_by(actor)).with_names() if actor.can(May.VIEW) else visible


@dataclass(frozen=True)
class ClockShown:
    """A clock as a page shows it: how much is left, and by what rule."""

    clock: Clock
    left: Left | None
    reading: Reading[Any] | None


def clocks_shown(case: Case, at: datetime) -> list[ClockShown]:
    """The clocks of a case with their rules: open ones by deadline (paused last), then those that were met, newest first; two queries."""
    clocks = [clock for clock in case.clocks.all() if clock.dropped_at is None]
    readings = readings_of(clock.rule_version_id for clock in clocks)
    running = sorted(
        (clock for clock in clocks if clock.is_open), key=lambda clock: (clock.due_at is None, clock.due_at or at)
    )
    met = sorted((clock for clock in clocks if not clock.is_open), key=lambda clock: clock.met_at or at, reverse=True)
    return [
        ClockShown(
            clock,
            time_left(clock.due_at, at) if clock.is_open and clock.due_at else None,
            readings.get(clock.rule_version_id),
        )
        for clock in (*running, *met)
    ]
