"""Complaints of a station of scjg's, and of another department: in every state that an address is asked in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.builders.cast import NOW, Cast
from tests.builders.complaints import Desk
from tests.builders.prepaid import enterprise
from xiezhi.domains.complaints.models import Case, Category, ClientKey, Mail, MallRequest, Mediation, Topic
from xiezhi.domains.complaints.services.client_keys import issue_key
from xiezhi.domains.complaints.services.inbox import keep_aside
from xiezhi.domains.complaints.services.mediating import plan_mediation
from xiezhi.domains.complaints.words import CaseStatus, Channel
from xiezhi.foundation.orgs.models import Organisation

STATES = (
    CaseStatus.LEAD,
    CaseStatus.REGISTERED,
    CaseStatus.DISPATCHED,
    CaseStatus.HANDLING,
    CaseStatus.MEDIATING,
    CaseStatus.CONCLUDED,
    CaseStatus.REPLIED,
)


@dataclass(frozen=True)
class Desks:
    """What one side's addresses lead to."""

    cases: Mapping[str, Case]
    asked: MallRequest
    sitting: Mediation
    topic: Topic
    published: Case
    key: ClientKey
    mail: Mail


def open_desks(cast: Cast) -> dict[str, Desks]:
    """Own: the station scjg-1 and the mall that the person called `mall` works for. Foreign: xfjy, and another mall."""
    ours, theirs = Desk(cast), Desk(cast)
    theirs.unit, theirs.officer = cast["xfjy"], theirs.helper
    malls = {"own": ours.mall, "foreign": enterprise(cast, "另一演示商场")}
    return {whose: _opened(desk, malls[whose], whose) for whose, desk in (("own", ours), ("foreign", theirs))}


def _opened(desk: Desk, mall: Organisation, whose: str) -> Desks:
    cases = {status: desk.case(status, description="演示诉求：三号电梯有异响") for status in STATES}
    sitting = plan_mediation(
        case=cases[CaseStatus.MEDIATING],
        held_at=NOW,
        mediators="演示调解员",
        place="演示调解室",
        actor=desk.officer,
        at=NOW,
    )
    topic = Topic.objects.create(
        key=f"{whose}|street:1", category=Category.objects.get(code="lift"), street=desk.cast["110199001"], counts=[0, 7],
        first_on=NOW.date(), last_on=NOW.date(), recent=7, expected=1.5, chance=0.001,
    )  # fmt: skip
    published = desk.case(CaseStatus.LEAD, channel=Channel.OPEN311, category="prepaid")
    key, _text = issue_key(label="演示应用", actor=desk.actor("administrator"), at=NOW)
    mail = keep_aside(raw=f"From: 演示@example.cn\r\n\r\n{mall.pk}".encode(), reason="演示", at=NOW)
    return Desks(cases, desk.asked_mall(mall), sitting, topic, published, key, mail)
