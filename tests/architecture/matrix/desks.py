"""Complaints of a station of scjg's, and of another department: in every state that an address is asked in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.builders.cast import Cast
from tests.builders.complaints import Desk
from tests.builders.prepaid import enterprise
from xiezhi.domains.complaints.models import Case, MallRequest
from xiezhi.domains.complaints.words import CaseStatus

STATES = (CaseStatus.HANDLING,)


@dataclass(frozen=True)
class Desks:
    """What one side's addresses lead to."""

    cases: Mapping[str, Case]
    asked: MallRequest


def open_desks(cast: Cast) -> dict[str, Desks]:
    """Own: the station scjg-1 and the mall that the person called `mall` works for. Foreign: xfjy, and another mall."""
    ours, theirs = Desk(cast), Desk(cast)
    theirs.unit, theirs.officer = cast["xfjy"], theirs.helper
    malls = {"own": ours.mall, "foreign": enterprise(cast, "另一演示商场")}
    return {
        whose: Desks({status: desk.case(status) for status in STATES}, desk.asked_mall(malls[whose]))
        for whose, desk in (("own", ours), ("foreign", theirs))
    }
