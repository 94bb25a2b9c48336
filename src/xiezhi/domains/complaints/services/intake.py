"""收件: from whatever channel to a lead or a registered case. Every channel ends in `receive_case`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Case, Category, ComplaintParty, ExternalNumber, NumberSeries, TierChange
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services import clocks, handoffs, likeness, suggesting
from xiezhi.domains.complaints.services.people import Person, add_party, new_party
from xiezhi.domains.complaints.services.story import tell, tell_each
from xiezhi.domains.complaints.texts import LONGEST, clean, heading, mask_personal, search_words
from xiezhi.domains.complaints.words import STATUTORY, CaseStatus, Channel, Kind, Register, Tier, Urgency
from xiezhi.domains.complaints.workflow import CASE
from xiezhi.domains.registry.models import Premises, Subject, Tenancy, TimelineEntry
from xiezhi.domains.registry.services.timeline import add_many_to_timeline
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record, record_each
from xiezhi.foundation.events.services import publish_each
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance

NUMBERED_CHANNELS = {Channel.HOTLINE_12345: Register.HOTLINE, Channel.PLATFORM_12315: Register.PLATFORM}


@dataclass(frozen=True)
class Matter:
    """What a case is about, as far as it is known when it comes in. Empty means unknown."""

    kind: str
    description: str
    title: str = ""
    demand: str = ""
    demand_text: str = ""
    category: Category | None = None
    urgency: str = Urgency.NORMAL
    tier: str = ""
    safety: bool = False
    hostile: bool = False
    happened_on: date | None = None
    subject: Subject | None = None
    premises: Premises | None = None
    respondent_name: str = ""
    respondent_address: str = ""
    mall: Organisation | None = None
    street: Organisation | None = None
    place: str = ""
    longitude: Decimal | None = None
    latitude: Decimal | None = None


@dataclass(frozen=True)
class Numbered:
    """A number of another register: `register` 12345, 12315 or other. `told`: see ExternalNumber."""

    register: str
    number: str
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Intake:
    """One arrival: what, by which channel, who, and when that channel had it."""

    matter: Matter
    channel: str
    received_at: datetime
    people: Sequence[Person] = field(default_factory=tuple)
    numbers: Sequence[Numbered] = field(default_factory=tuple)


def take_numbers(count: int, at: datetime) -> list[str]:
    """The next `count` case numbers of the year, as S2026-000001, in the caller's transaction."""
    year = timezone.localdate(at).year
    NumberSeries.objects.bulk_create([NumberSeries(year=year)], ignore_conflicts=True)
    NumberSeries.objects.filter(year=year).update(last=F("last") + count)
    last = NumberSeries.objects.values_list("last", flat=True).get(year=year)
    return [f"S{year}-{number:06d}" for number in range(last - count + 1, last + 1)]


def known_case(numbers: Sequence[Numbered]) -> Case | None:
    """The case that carries one of these numbers already."""
    return next((each.case for each in known_numbers(numbers)), None)


def known_numbers(numbers: Sequence[Numbered]) -> list[ExternalNumber]:
    """Those of these numbers that a case carries already, with their cases; one query a register and 500 numbers."""
    found: list[ExternalNumber] = []
    for register in sorted({each.register for each in numbers}):
        wanted = sorted({each.number.strip()[:40] for each in numbers if each.register == register})
        for start in range(0, len(wanted), 500):
            rows = ExternalNumber.objects.filter(register=register, number__in=wanted[start : start + 500])
            found += rows.select_related("case").order_by("pk")
    return found


def receive_case(*, intake: Intake, actor: Actor, at: datetime) -> Case:
    """Take in one arrival. By a statutory channel it is registered at once and its clocks run from `received_at`; by any other it is a
    lead (线索) until its 12345 or 12315 number is recorded (`register_lead`).

    The system may take in for public channels; people need REGISTER. Raises Refused for an empty or endless text, a number that
    another case carries, a hotline or platform case without its number, or a receipt in the future.
    """
    return receive_cases(intakes=[intake], actor=actor, at=at)[0]


@transaction.atomic
def receive_cases(*, intakes: Sequence[Intake], actor: Actor, at: datetime) -> list[Case]:
    """`receive_case` for many arrivals, all or none, in a few statements; the cases in the same order."""
    if not actor.is_system:
        actor.require(May.REGISTER)
    checked = [_checked(intake, at) for intake in intakes]
    _refuse_taken([each for _matter, numbers in checked for each in numbers])
    cases, parties, carried = [], [], []
    for number, intake, (matter, numbers) in zip(take_numbers(len(intakes), at), intakes, checked, strict=True):
        statutory = intake.channel in STATUTORY
        case = Case(
            number=number, kind=matter.kind, channel=intake.channel,
            status=CaseStatus.REGISTERED if statutory else CaseStatus.LEAD,
            received_at=intake.received_at, arrived_at=at, registered_at=at if statutory else None,
        )  # fmt: skip
        describe(case, matter)
        case.search = search_text(case, numbers)
        cases.append(case)
        parties += [new_party(case, person) for person in intake.people or [Person(anonymous=True)]]
        carried += _new_numbers(case, numbers, at)
    Case.objects.bulk_create(cases)
    ComplaintParty.objects.bulk_create(parties)
    ExternalNumber.objects.bulk_create(carried)
    suggesting.understand(cases, at=at)
    received = _("收到：%(channel)s")
    tell_each(
        [(case, "received", received % {"channel": case.get_channel_display()}) for case in cases],
        actor=actor, at=at, public=True,
    )  # fmt: skip
    facts = [(case, {"kind": case.kind, "channel": case.channel, "number": case.number}) for case in cases]
    record_each("complaints.case.received", facts, actor=actor, at=at)
    begin_cases([case for case in cases if case.channel in STATUTORY], actor=actor, at=at)
    publish_each("complaints.case_received", at=at, payloads=[{"case_id": case.pk} for case in cases])
    return cases


def _checked(intake: Intake, at: datetime) -> tuple[Matter, list[Numbered]]:
    matter = intake.matter
    description, title = clean(matter.description), mask_personal(clean(matter.title)).replace("\n", " ")
    if not description and not title:
        raise Refused(_("请写明诉求内容。"))
    if len(description) > LONGEST:
        raise Refused(
            _("诉求内容有 %(n)s 个字，最多 %(most)s 个。请精简，或者把材料作为附件上传。")
            % {"n": f"{len(description):,}", "most": f"{LONGEST:,}"}
        )
    if intake.received_at > at:
        raise Refused(_("收到时间晚于现在，请改正。"))
    numbers = [replace(each, number=clean(each.number)) for each in intake.numbers if each.number.strip()]
    register = NUMBERED_CHANNELS.get(Channel(intake.channel))
    if register and not any(each.register == register for each in numbers):
        raise Refused(_("请填写%(register)s编号：它是法定登记，本系统只是工作台。") % {"register": register.label})
    return replace(matter, description=description, title=(title or heading(description))[:120]), numbers


def _refuse_taken(numbers: Sequence[Numbered], *, besides: Case | None = None) -> None:
    other = known_case(numbers)
    if other and other != besides:
        raise Refused(_("这个编号已登记为诉求 %(number)s，不能重复登记。") % {"number": other.number})
    counts = Counter((each.register, each.number) for each in numbers)
    twice = next((number for (_register, number), count in counts.items() if count > 1), "")
    if twice:
        raise Refused(_("编号 %(number)s 出现了两次。") % {"number": twice})


def describe(case: Case, matter: Matter) -> None:
    """Write what is known of the matter on an unsaved case: subject, mall and street are completed from one another."""
    for name in (
        "kind", "title", "description", "demand", "category", "urgency", "hostile", "happened_on", "subject", "premises",
        "mall", "street", "longitude", "latitude",
    ):  # fmt: skip
        setattr(case, name, getattr(matter, name))
    for name, longest in (("demand_text", 500), ("respondent_name", 120), ("respondent_address", 200), ("place", 200)):
        setattr(case, name, clean(getattr(matter, name))[:longest])
    if matter.premises and not matter.subject:
        case.subject = matter.premises.subject
    if case.subject and not case.premises:
        doors = list(case.subject.premises.filter(is_open=True)[:2])
        case.premises = doors[0] if len(doors) == 1 else None
    if case.premises and not case.street:
        case.street = case.premises.street
    if case.subject and not case.mall:
        case.mall = mall_of(case.subject, on=timezone.localdate(case.received_at))
    case.safety = matter.safety or bool(case.category and case.category.safety)
    case.tier = matter.tier or default_tier(matter)


def default_tier(matter: Matter) -> str:
    """Two hours where life or property is in danger, else the category's, else a week."""
    if matter.urgency == Urgency.EMERGENCY:
        return Tier.TWO_HOURS.value
    if matter.category:
        return matter.category.tier
    return Tier.ONE_DAY.value if matter.urgency == Urgency.URGENT else Tier.WEEK.value


def mall_of(subject: Subject, *, on: date) -> Organisation | None:
    """The mall in which a subject rents on that day."""
    open_ended = Q(ends_on=None) | Q(ends_on__gte=on)
    tenancy = Tenancy.objects.filter(open_ended, subject=subject, starts_on__lte=on).select_related("mall").first()
    return tenancy.mall if tenancy else None


def search_text(case: Case, numbers: Sequence[Numbered] = ()) -> str:
    """What a case is found by. No personal data goes in: titles are masked, descriptions stay out."""
    own = [case.number, case.title, case.respondent_name, case.place, *(each.number for each in numbers)]
    if case.subject:
        own += [case.subject.name, case.subject.code]
    return " ".join(search_words(*own))


def _new_numbers(case: Case, numbers: Sequence[Numbered], at: datetime) -> list[ExternalNumber]:
    return [
        ExternalNumber(case=case, register=each.register, number=each.number[:40], recorded_at=at, told=dict(each.told))
        for each in numbers
    ]


def begin_cases(cases: Sequence[Case], *, actor: Actor, at: datetime) -> None:
    """What happens once cases are statutorily received: tier, clocks, the subject's timeline, and what other systems should take up."""
    if not cases:
        return
    reason = _("登记时按类别和紧急程度确定")
    TierChange.objects.bulk_create(
        TierChange(case=case, tier=case.tier, reason=reason, by_id=actor.user_id, at=at) for case in cases
    )
    clocks.start_receipt_clocks(cases, at=at)
    add_many_to_timeline(
        TimelineEntry(
            subject=case.subject, premises=case.premises, kind="complaints.received", at=at,
            title=_("收到%(kind)s：%(category)s") % {"kind": case.get_kind_display(), "category": case.category or _("未分类")},
            object_kind="complaints.case", object_id=str(case.pk),
        )
        for case in cases
        if case.subject and not case.is_confidential
    )  # fmt: skip
    handoffs.offer_handoffs(cases, at=at)
    publish_each("complaints.case_registered", at=at, payloads=[{"case_id": case.pk} for case in cases])


@transaction.atomic
def register_lead(
    *,
    case: Case,
    number: Numbered,
    received_there_at: datetime,
    actor: Actor,
    at: datetime,
    seen_status: str | None = None,
) -> Case:
    """A lead has its 12345 or 12315 number now: it becomes a case, and its clocks run from receipt there.

    Raises Refused for a number of another case or a receipt in the future.
    """
    number = replace(number, number=clean(number.number))
    if not number.number:
        raise Refused(_("请填写 12345 或者 12315 编号。"))
    if received_there_at > at:
        raise Refused(_("收到时间晚于现在，请改正。"))
    _refuse_taken([number], besides=case)
    case = advance(
        CASE, case, "register", actor=actor, at=at, seen_status=seen_status, changes={"received_at": received_there_at}
    )
    ExternalNumber.objects.bulk_create(_new_numbers(case, [number], at))
    case.search = search_text(case, [*(Numbered(each.register, each.number) for each in case.numbers.all())])
    case.save(update_fields=["search"])
    tell(case, "registered", _("登记编号，转为诉求"), actor=actor, at=at, text=number.number, public=True)
    begin_cases([case], actor=actor, at=at)
    return case


@transaction.atomic
def record_number(*, case: Case, number: Numbered, actor: Actor, at: datetime) -> ExternalNumber:
    """Add the number under which another register has the case (a window complaint entered on the 12315 platform)."""
    actor.require(May.REGISTER)
    number = replace(number, number=clean(number.number))
    if not number.number:
        raise Refused(_("请填写编号。"))
    _refuse_taken([number])
    added = ExternalNumber.objects.create(
        case=case, register=number.register, number=number.number[:40], recorded_at=at
    )
    case.search = search_text(case, [Numbered(each.register, each.number) for each in case.numbers.all()])
    case.save(update_fields=["search"])
    tell(case, "number", _("补录编号"), actor=actor, at=at, text=str(added))
    record("complaints.case.numbered", case, actor=actor, at=at, register=number.register)
    return added


@transaction.atomic
def dismiss_lead(*, case: Case, reason: str, actor: Actor, at: datetime, seen_status: str | None = None) -> Case:
    """A lead that is no case (empty, a test, a matter of art. 44 with its right channel told) ends with a reason."""
    case = advance(
        CASE, case, "dismiss", actor=actor, at=at, reason=reason, seen_status=seen_status,
        changes={"closing_reason": reason.strip()[:500]},
    )  # fmt: skip
    clocks.drop_clocks(case, at=at)
    tell(case, "dismissed", _("不作登记"), actor=actor, at=at, text=reason.strip(), public=True)
    return case


@transaction.atomic
def amend_case(*, case: Case, matter: Matter, actor: Actor, at: datetime) -> Case:
    """Correct what is known of the matter. Kind, tier and the person's own text have services or reasons of their own and stay.

    Raises Refused once the case has ended.
    """
    if not (actor.can(May.DISPATCH) or actor.can(May.HANDLE)):
        actor.require(May.DISPATCH)
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    if not case.is_open:
        raise Refused(_("已经答复或者办结的诉求不再修改；新情况请登记新的诉求并关联。"))
    kept = {name: getattr(case, name) for name in ("kind", "description", "tier", "received_at")}
    before = {name: getattr(case, name) for name in ("category_id", "subject_id", "mall_id", "street_id", "title")}
    describe(case, matter)
    for name, value in kept.items():
        setattr(case, name, value)
    case.title = clean(matter.title)[:120] or case.title
    case.search = search_text(case, [Numbered(each.register, each.number) for each in case.numbers.all()])
    case.save()
    likeness.keep_keys(case)
    suggesting.settle(case, actor=actor, at=at)
    changed = sorted(name for name, value in before.items() if getattr(case, name) != value)
    tell(case, "amended", _("修改诉求要素"), actor=actor, at=at)
    record("complaints.case.amended", case, actor=actor, at=at, fields=changed)
    if case.status != CaseStatus.LEAD:
        handoffs.offer_handoffs([case], at=at)
    return case


@transaction.atomic
def change_kind(*, case: Case, kind: str, reason: str, actor: Actor, at: datetime) -> Case:
    """Correct what a lead was taken for: a letter has no box to tick, and people tick the wrong one (第三条、第四十四条).

    Raises Refused once a number is recorded, because the register's own clocks run then; without a change, or without a reason.
    """
    actor.require(May.REGISTER)
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    if case.status != CaseStatus.LEAD:
        raise Refused(_("只有还没有登记编号的线索可以改类型；已经登记的按登记的类型办理，含有举报的请拆出举报。"))
    if kind == case.kind or not reason.strip():
        raise Refused(_("请选另一个类型，并写明理由。"))
    was, case.kind = case.get_kind_display(), kind
    case.save(update_fields=["kind"])
    changed = _("类型由%(was)s改为%(now)s") % {"was": was, "now": case.get_kind_display()}
    tell(case, "amended", changed, actor=actor, at=at, text=reason.strip()[:500])
    record("complaints.case.kind", case, actor=actor, at=at, kind=kind)
    return case


@transaction.atomic
def split_case(*, case: Case, report: Matter, actor: Actor, at: datetime) -> Case:
    """Material that is both complaint and report is handled apart (art. 9): the report half becomes a case of its own, linked, with its
    own clocks from the same receipt; reporter's data is copied, so that each half is kept to those who handle it (art. 37).

    Raises Refused for anything but an open complaint, or where the half was split off already.
    """
    actor.require(May.REGISTER)
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    if case.kind != Kind.COMPLAINT or not case.is_open:
        raise Refused(_("只有在办的投诉可以拆出举报部分。"))
    if case.parts.exists():
        raise Refused(_("举报部分已经拆出：%(number)s。") % {"number": case.parts.get().number})
    half = Case(
        number=take_numbers(1, at)[0], channel=case.channel, split_from=case, received_at=case.received_at, arrived_at=at,
        status=CaseStatus.LEAD if case.status == CaseStatus.LEAD else CaseStatus.REGISTERED,
        registered_at=None if case.status == CaseStatus.LEAD else at,
    )  # fmt: skip
    describe(half, replace(report, kind=Kind.REPORT, title=clean(report.title)[:120] or heading(report.description)))
    half.description = clean(report.description)
    half.search = search_text(half)
    half.save()
    suggesting.understand([half], at=at)
    for party in case.parties.all():
        add_party(
            half,
            Person(
                party.name, party.phone, party.address, party.email, party.anonymous, party.may_call_back,
                party.identity_checked, party.role,
            ),
        )  # fmt: skip
    tell(case, "split", _("举报部分另案办理（第九条）"), actor=actor, at=at)
    tell(half, "split", _("从投诉中拆出的举报（第九条）"), actor=actor, at=at)
    record("complaints.case.split", half, actor=actor, at=at, number=half.number, split_from=case.number)
    if half.status == CaseStatus.REGISTERED:
        begin_cases([half], actor=actor, at=at)
    return half
