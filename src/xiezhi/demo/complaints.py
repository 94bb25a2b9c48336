"""Complaints of the demo district: a few dozen invented ones in every state, received over the past weeks, handled by a station (所).

Nobody in them exists; telephone numbers are of a range that is not given out, work-order numbers begin with YS (演示).
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.utils import timezone

from xiezhi.demo.callbacks import call_back, tell_last_month
from xiezhi.demo.load import PASSWORD, People, Say
from xiezhi.demo.plans import Quarter
from xiezhi.domains.complaints.models import Case, Category
from xiezhi.domains.complaints.services import deciding, dispatching, intake, malls, mediating, replying, templates
from xiezhi.domains.complaints.services.intake import Intake, Matter, Numbered
from xiezhi.domains.complaints.services.people import Person
from xiezhi.domains.complaints.services.publishing import publish_due
from xiezhi.domains.complaints.words import CaseStatus, Channel, Kind
from xiezhi.domains.registry.models import Subject
from xiezhi.domains.registry.services.tenancies import register_tenancy
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.services import actor_for, appoint, open_account
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.notices.services import mark_read
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.orgs.services import create_organisation

MALL = "演示城购物中心"
HOUR = timedelta(hours=1)
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫"


@dataclass(frozen=True)
class Told:
    """One story: kind, category, what was said, and what is asked."""

    kind: str
    category: str
    text: str
    demand: str = ""


STORIES = (
    Told(Kind.COMPLAINT, "prepaid", "上月办了 3600 元健身年卡，门店贴出停业通知，要求退还未消费的余额，店长一直不接电话。", "refund"),
    Told(Kind.COMPLAINT, "food_safety", "在店里买的面包当晚吃出头发和异物，有照片和小票，店家只肯换货。", "compensate"),
    Told(Kind.REPORT, "short_weight", "反映店内电子秤称量不准，买 1 公斤苹果复称只有 0.86 公斤，怀疑秤有问题。", "investigate"),
    Told(Kind.CONSULTATION, "registration", "咨询个体工商户变更经营场所需要哪些材料，可不可以网上办理。", "answer"),
    Told(Kind.COMPLAINT, "after_sales", "电饭煲用了 12 天不通电，商家说过了七天不退，要求按三包规定更换。", "exchange"),
    Told(Kind.HELP, "lift", "商场 3 号电梯运行时有异响，停层不平，老人差点摔倒，请尽快检查。", "improve"),
    Told(Kind.COMPLAINT, "price", "停车场公示每小时 5 元，实际按 8 元收取，工作人员说系统改不了。", "refund"),
    Told(Kind.COMPLAINT, "contract_terms", "美容院合同写“概不退款、最终解释权归本店”，只做了一次过敏，要求退余款。", "refund"),
    Told(Kind.REPORT, "counterfeit", "店内出售的运动鞋吊牌与专柜不同，怀疑是假冒品牌，已保留购物凭证。", "investigate"),
    Told(Kind.SUGGESTION, "catering", "建议在餐饮街公示商户量化等级，方便消费者选择。", "improve"),
    Told(Kind.COMPLAINT, "service", "家政公司收了中介费，三个月换了四个人都不合适，要求退中介费。", "refund"),
    Told(Kind.COMPLAINT, "online", "直播间买的羽绒服含绒量与标注不符，检测报告显示不合格，要求退一赔三。", "compensate"),
)  # fmt: skip
LAST_STATES = (
    CaseStatus.REGISTERED, CaseStatus.DISPATCHED, CaseStatus.HANDLING, CaseStatus.MEDIATING, CaseStatus.LEAD,
    CaseStatus.RETURNING, CaseStatus.HANDLING, CaseStatus.CONCLUDED, CaseStatus.DISPATCHED, CaseStatus.REGISTERED,
    CaseStatus.LEAD, CaseStatus.MEDIATING,
)  # fmt: skip
"""How far the newest dozen came; the older ones are answered."""
COUNT = 30


def load_complaints(people: People, quarter: Quarter, *, say: Say) -> None:
    """Thirty complaints, the older ones answered, the newest waiting for whoever signs in as dispatcher, officer or mall."""
    say("telling the complaint desk's past weeks")
    with transaction.atomic():
        mall = _appoint(people, quarter)
        subjects = list(Subject.objects.filter(name__contains="示例").order_by("pk")[:24])
        for number in range(COUNT):
            _tell(number, people, quarter, subjects[number % len(subjects)], mall if number % 4 == 0 else None)
        tell_last_month(people, quarter)
        call_back(people, quarter)
    publish_due(at=timezone.now())


def read_what_is_old(people: People, quarter: Quarter) -> None:
    """Everybody has read what came before this morning."""
    at = _moment(quarter.today)
    for actor in people.actors.values():
        old = Notice.objects.visible_to(actor).filter(read_at=None, sent_at__lt=at)
        mark_read(notice_ids=list(old.values_list("pk", flat=True)), actor=actor, at=at)


def _appoint(people: People, quarter: Quarter) -> Organisation:
    at = _moment(quarter.first - timedelta(days=6))
    admin = people["admin"]
    district = Organisation.objects.get(kind="district")
    mall = create_organisation(
        kind="enterprise", code="YSMALL", name=MALL, short_name=MALL[:20], parent=district, actor=admin, at=at
    )
    posts = {
        "dispatcher": (district, "dispatcher"),
        "scjg-officer": (Organisation.objects.get(code="SCJG-01"), "complaint_officer"),
        "mall": (mall, "mall"),
    }
    for number, (username, (home, role)) in enumerate(posts.items()):
        user = open_account(
            username=username, display_name=f"演示{SURNAMES[-1 - number]}某", password=PASSWORD, actor=admin, at=at
        )
        post = appoint(user=user, organisation=home, role=role, starts_on=at.date(), actor=admin, at=at)
        people.actors[username] = actor_for(post)
    return mall


def _moment(day: date, hour: int = 9) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour)))


def _tell(number: int, people: People, quarter: Quarter, subject: Subject, mall: Organisation | None) -> None:
    newest = number >= COUNT - len(LAST_STATES)
    story = STORIES[number % len(STORIES)]
    days = 1 + (COUNT - 1 - number) // 4 if newest else 5 + (COUNT - len(LAST_STATES) - number)
    at = _moment(quarter.today - timedelta(days=days), 9 + number % 8)
    status = LAST_STATES[number - COUNT + len(LAST_STATES)] if newest else CaseStatus.REPLIED
    if mall and subject.tenancies.count() == 0:
        register_tenancy(
            mall=mall, subject=subject, unit=f"F{1 + number % 5}-{100 + number}", starts_on=quarter.first,
            takes_prepayment=story.category == "prepaid", actor=people["registrar"], at=at,
        )  # fmt: skip
    lead = status == CaseStatus.LEAD
    case = intake.receive_case(
        intake=Intake(
            matter=Matter(
                kind=story.kind, description=story.text, demand=story.demand, subject=subject, mall=mall,
                category=Category.objects.get(code=story.category),
            ),
            channel=Channel.WEB if lead else Channel.HOTLINE_12345,
            received_at=at,
            people=[Person(f"演示{SURNAMES[number % 12]}某", f"1990001{number:04d}", f"演示路 {number + 1} 号")],
            numbers=() if lead else [Numbered("12345", f"YS{quarter.today:%Y}{number:06d}")],
        ),
        actor=people["dispatcher"],
        at=at,
    )  # fmt: skip
    _bring(case, status, people, at)


def _bring(case: Case, status: str, people: People, at: datetime) -> None:
    """Move a case on as far as `status`, an hour a step."""
    dispatcher, officer = people["dispatcher"], people["scjg-officer"]
    if status in {CaseStatus.LEAD, CaseStatus.REGISTERED}:
        return
    unit = Organisation.objects.get(pk=officer.organisation_id or 0)
    case = dispatching.dispatch_case(case=case, unit=unit, actor=dispatcher, at=at + HOUR)
    if status == CaseStatus.DISPATCHED:
        return
    case = dispatching.sign_case(case=case, actor=officer, at=at + 2 * HOUR)
    if case.mall_id and case.kind != Kind.REPORT:
        malls.ask_mall(case=case, told=malls.told_to_mall(case), actor=officer, at=at + 2 * HOUR)
    if status == CaseStatus.RETURNING:
        dispatching.ask_return(
            case=case,
            reason_code="other_area",
            basis="演示依据：经营地址不在本所辖区",
            target=None,
            actor=officer,
            at=at + 3 * HOUR,
        )
        return
    if case.kind == Kind.COMPLAINT and status != CaseStatus.HANDLING:
        case = _mediate(case, status, people, officer, at + 3 * HOUR)
    if status == CaseStatus.REPLIED:
        text = templates.filled(templates.templates_for(case)[0], case)
        outcome = {Kind.REPORT: "verified", Kind.COMPLAINT: ""}.get(Kind(case.kind), "answered")
        replying.reply_case(case=case, text=text, outcome=outcome, way="电话", actor=officer, at=at + 30 * HOUR)


def _mediate(case: Case, status: str, people: People, officer: Actor, at: datetime) -> Case:
    case = deciding.accept_complaint(case=case, actor=officer, at=at)
    sitting = mediating.plan_mediation(
        case=case, held_at=at + 20 * HOUR, mediators="演示调解员", place="本所调解室", actor=officer, at=at
    )
    request = case.mall_requests.first()
    if request and status != CaseStatus.MEDIATING:
        malls.answer_mall(request=request, answer="已联系商户，同意协商。", actor=people["mall"], at=at + 2 * HOUR)
    if status == CaseStatus.MEDIATING:
        return case
    return mediating.record_mediation(
        mediation=sitting,
        result="agreed",
        note="双方到场。",
        terms="商家三个工作日内退还相应款项。",
        actor=officer,
        at=at + 21 * HOUR,
    )
