"""Cases for tests: brought in and moved on through the services, by a fixed desk. Everybody in them is invented."""

import itertools
from datetime import date, datetime, timedelta
from typing import Any

from tests.builders.cast import FOUNDER, NOW, Cast
from tests.builders.prepaid import enterprise
from xiezhi.domains.complaints.models import Case, Category, MallRequest
from xiezhi.domains.complaints.services import deciding, dispatching, intake, malls, mediating, replying
from xiezhi.domains.complaints.services.intake import Intake, Matter, Numbered
from xiezhi.domains.complaints.services.people import Person
from xiezhi.domains.complaints.words import CaseStatus, Channel, Kind, Outcome
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.services import actor_for, appoint, open_account
from xiezhi.foundation.orgs.models import Organisation

PEOPLE = {"dispatcher": "dispatcher", "officer": "complaint_officer", "helper": "complaint_officer", "mall": "mall"}
"""Login name → role. `officer` works in the station scjg-1, `helper` at xfjy, `mall` in a mall."""
_serials = itertools.count(1)


class Desk:
    """The complaint desk of the fixed cast: who acts, and cases in any state that the product can reach."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        known = cast.actors.get("mall")
        self.mall = Organisation.objects.get(pk=known.organisation_id) if known else enterprise(cast, "演示商场")
        homes = {"dispatcher": cast.district, "officer": cast["scjg-1"], "helper": cast["xfjy"], "mall": self.mall}
        for name, home in homes.items():
            if name not in cast.actors:
                self._appoint(name, home)
        self.dispatcher, self.officer, self.helper = (cast.actor(name) for name in ("dispatcher", "officer", "helper"))
        self.mall_manager, self.head = cast.actor("mall"), cast.actor("scjg.head")
        self.unit: Organisation = cast["scjg-1"]

    def _appoint(self, name: str, home: Organisation) -> None:
        user = open_account(username=name, display_name=f"演示 {name}", password=None, actor=FOUNDER, at=NOW)
        post = appoint(
            user=user, organisation=home, role=PEOPLE[name], starts_on=date(2026, 1, 1), actor=FOUNDER, at=NOW
        )
        self.cast.people[name], self.cast.actors[name] = user, actor_for(post)

    def case(
        self,
        status: str = CaseStatus.REGISTERED,
        *,
        kind: str = Kind.COMPLAINT,
        channel: str = "",
        at: datetime = NOW,
        received_at: datetime | None = None,
        person: Person | None = None,
        category: str = "",
        number: str = "",
        **matter: Any,
    ) -> Case:
        """A case in `status`, every step an hour after the one before it; `matter`: facts of `Matter`."""
        serial = next(_serials)
        lead = status in {CaseStatus.LEAD, CaseStatus.DISMISSED}
        channel = channel or (Channel.WEB if lead else Channel.HOTLINE_12345)
        given = {
            "description": f"演示诉求第 {serial} 件：在示例店购买的商品有问题。",
            "respondent_name": "北京示例青禾里餐饮有限公司",
            **matter,
        }
        if category:
            given["category"] = Category.objects.get(code=category)
        case = intake.receive_case(
            intake=Intake(
                matter=Matter(kind=kind, **given),
                channel=channel,
                received_at=received_at or at,
                people=[person or Person("演示王某", f"1990000{serial:04d}", f"演示路 {serial} 号")],
                numbers=[] if lead else [Numbered("12345", number or f"YS{serial:08d}")],
            ),
            actor=self.dispatcher,
            at=at,
        )
        return self.bring(case, status, at=at)

    def bring(self, case: Case, status: str, *, at: datetime = NOW) -> Case:
        """Move a case on to `status` the ordinary way."""
        hour = timedelta(hours=1)
        if case.status == status:
            return case
        if status == CaseStatus.DISMISSED:
            return intake.dismiss_lead(case=case, reason="演示：测试提交", actor=self.dispatcher, at=at + hour)
        case = dispatching.dispatch_case(case=case, unit=self.unit, actor=self.dispatcher, at=at + hour)
        if status == CaseStatus.DISPATCHED:
            return case
        case = dispatching.sign_case(case=case, actor=self.officer, at=at + 2 * hour)
        if status == CaseStatus.RETURNING:
            self.ask_return(case, at=at + 3 * hour)
            return Case.objects.get(pk=case.pk)
        if case.kind == Kind.COMPLAINT and status != CaseStatus.HANDLING:
            case = self._mediate(case, status, at=at + 3 * hour)
        if status in {CaseStatus.REPLIED, CaseStatus.CLOSED}:
            outcome = "" if case.outcome else Outcome.ANSWERED
            replying.reply_case(case=case, text="演示答复", outcome=outcome, actor=self.officer, at=at + 6 * hour)
            case = Case.objects.get(pk=case.pk)
        if status == CaseStatus.CLOSED:
            case = replying.close_case(case=case, actor=self.dispatcher, at=at + 7 * hour)
        assert case.status == status, f"no ordinary way to {status}"
        return case

    def _mediate(self, case: Case, status: str, *, at: datetime) -> Case:
        hour = timedelta(hours=1)
        case = deciding.accept_complaint(case=case, actor=self.officer, at=at)
        if status == CaseStatus.MEDIATING:
            return case
        if status == CaseStatus.APPRAISAL:
            deciding.start_appraisal(case=case, item="演示检测", actor=self.officer, at=at + hour)
            return Case.objects.get(pk=case.pk)
        mediation = mediating.plan_mediation(
            case=case, held_at=at + hour, mediators="演示调解员", place="演示调解室", actor=self.officer, at=at
        )
        return mediating.record_mediation(
            mediation=mediation,
            result="agreed",
            note="",
            terms="商家三日内退款。",
            actor=self.officer,
            at=at + 2 * hour,
        )

    def asked_mall(self, mall: Organisation | None = None) -> MallRequest:
        """A complaint at a mall (the desk's own unless told) that was put to it."""
        case = self.case(CaseStatus.HANDLING, mall=mall or self.mall)
        return malls.ask_mall(case=case, told=malls.told_to_mall(case), actor=self.officer, at=NOW)

    def ask_return(self, case: Case, *, at: datetime = NOW, **given: Any) -> Any:
        """The unit asks to give it back."""
        facts = {"reason_code": "other_area", "basis": "演示依据：不在本辖区", "target": None, **given}
        return dispatching.ask_return(case=case, actor=self.officer, at=at, **facts)

    def actor(self, name: str) -> Actor:
        """Somebody of the cast."""
        return self.cast.actor(name)
