"""Callbacks of the demo district: what people said of the answers they had, and a month before it, so that the figures say something."""

from datetime import datetime, time, timedelta

from django.utils import timezone

from xiezhi.demo.load import People
from xiezhi.demo.plans import Quarter
from xiezhi.domains.complaints.models import Case, Category
from xiezhi.domains.complaints.services import applications, callbacks, dispatching, intake, replying, tallies
from xiezhi.domains.complaints.services.intake import Intake, Matter, Numbered
from xiezhi.domains.complaints.services.people import Person
from xiezhi.domains.complaints.words import CaseStatus, Channel, Kind
from xiezhi.domains.registry.models import Subject
from xiezhi.foundation.orgs.models import Organisation

SAID = (
    ("resolved", "satisfied", "处理得很快。"), ("resolved", "fair", ""), ("partly", "fair", "退了一部分，剩下的说下周。"),
    ("resolved", "satisfied", ""), ("no_answer", "", ""), ("unresolved", "dissatisfied", "商家还是没退。"),
    ("resolved", "satisfied", ""), ("declined", "", ""),
)  # fmt: skip
PAST = 60
ASKED = (
    (Kind.CONSULTATION, "registration", "咨询个体工商户年报怎样填报。"),
    (Kind.HELP, "price", "超市价签与结账不一致，希望帮助核对。"),
    (Kind.HELP, "food_safety", "外卖餐品有异味，希望核查。"),
    (Kind.CONSULTATION, "prepaid", "咨询预付卡退费怎样办理。"),
)
HOUR = timedelta(hours=1)
WEEK = timedelta(days=8)
"""The ordinary limit has passed."""


def call_back(people: People, quarter: Quarter) -> None:
    """Call those back whose limit has passed, but for the newest few, who wait for whoever signs in as dispatcher."""
    now = timezone.make_aware(datetime.combine(quarter.today, time(9)))
    answered = Case.objects.filter(status=CaseStatus.REPLIED, received_at__lte=now - WEEK).order_by("received_at", "pk")
    for number, case in enumerate(list(answered)[:-4]):
        _said(case, number, people, now)
    left_out = Case.objects.filter(tally__callback="unresolved").order_by("pk").first()
    if left_out:
        asked = applications.apply_for(
            case=left_out,
            purpose="exclude",
            reason="演示依据：商户已注销，超出职责范围",
            actor=people["scjg-officer"],
            at=now,
        )
        applications.decide_application(
            application=asked, granted=True, note="同意", actor=people["dispatcher"], at=now
        )
    tallies.recount_all(at=now)


def _said(case: Case, number: int, people: People, now: datetime) -> None:
    outcome, satisfaction, note = SAID[number % len(SAID)]
    called_at = min(now, max(case.received_at + WEEK, (case.replied_at or now) + HOUR))
    callbacks.record_callback(
        case=case, outcome=outcome, satisfaction=satisfaction, note=note, called_at=called_at, actor=people["dispatcher"],
        at=called_at,
    )  # fmt: skip


def tell_last_month(people: People, quarter: Quarter) -> None:
    """Sixty matters of the month before, answered and called back: what the trend and the public statistics begin with."""
    month = quarter.today.replace(day=1) - timedelta(days=1)
    now = timezone.make_aware(datetime.combine(quarter.today, time(9)))
    subjects = list(Subject.objects.filter(name__contains="示例").order_by("pk")[:24])
    officer, dispatcher = people["scjg-officer"], people["dispatcher"]
    unit = Organisation.objects.get(pk=officer.organisation_id or 0)
    for number in range(PAST):
        kind, category, text = ASKED[number % len(ASKED)]
        at = timezone.make_aware(datetime.combine(month.replace(day=1 + number % 27), time(9 + number % 8)))
        case = intake.receive_case(
            intake=Intake(
                matter=Matter(
                    kind=kind, description=text, subject=subjects[number % len(subjects)],
                    category=Category.objects.get(code=category),
                ),
                channel=Channel.HOTLINE_12345, received_at=at,
                people=[Person(f"演示{'赵钱孙李周吴'[number % 6]}某", f"1990002{number:04d}", f"演示路 {100 + number} 号")],
                numbers=[Numbered("12345", f"YS{month:%Y%m}{number:05d}")],
            ),
            actor=dispatcher, at=at,
        )  # fmt: skip
        case = dispatching.dispatch_case(case=case, unit=unit, actor=dispatcher, at=at + HOUR)
        case = dispatching.sign_case(case=case, actor=officer, at=at + 2 * HOUR)
        replied_at = min(at + (9 * 24 if number % 9 == 4 else 20 + number) * HOUR, now - 2 * HOUR)
        replying.reply_case(
            case=case, text="您反映的情况已经核实并答复，感谢反映。", outcome="answered", way="电话", actor=officer, at=replied_at
        )  # fmt: skip
        case.refresh_from_db()
        _said(case, number, people, now)
