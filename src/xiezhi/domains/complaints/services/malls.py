"""商场回应 (24 小时投诉响应): what a mall is asked and answers. A mall reads `told`, never the case and never who complained."""

from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.disclosure import Audience, shown
from xiezhi.domains.complaints.models import Case, MallRequest
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services import clocks
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.texts import clean, mask_personal
from xiezhi.domains.complaints.words import ClockKind, Kind
from xiezhi.domains.complaints.workflow import own_unit
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.notices.services import notify, people_holding
from xiezhi.foundation.workflow.errors import Refused

LONGEST = 4_000


def told_to_mall(case: Case) -> str:
    """What a mall would read of a case unless somebody writes it otherwise: what `disclosure` lets a mall see, no person."""
    about = [
        shown(getattr(case, field), field, Audience.MALL, kind=case.kind, channel=case.channel)
        for field in ("title", "description", "demand_text")
    ]
    return "\n".join(part for part in about if part)[:LONGEST]


@transaction.atomic
def ask_mall(*, case: Case, told: str, actor: Actor, at: datetime) -> MallRequest:
    """Put a case to the mall it happened in; it has the time of the rule `mall_minutes` from now. Names and numbers of people in `told`
    are masked whoever wrote it. Raises Refused for a report (art. 37), without a mall, for one asked already, or once answered."""
    if not (actor.can(May.DISPATCH) or actor.can(May.REGISTER) or (actor.can(May.HANDLE) and own_unit(case, actor))):
        raise PermissionRefused(_("只有派单员和承办单位可以转商场回应。"))
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    if case.kind == Kind.REPORT:
        raise Refused(_("举报不得转给被举报方所在商场（第三十七条）。"))
    if case.mall_id is None:
        raise Refused(_("还没有确认是哪个商场，请先在“修改要素”中选定。"))
    if not case.is_open:
        raise Refused(_("已经答复或者办结，不再转商场。"))
    if case.mall_requests.filter(mall_id=case.mall_id).exists():
        raise Refused(_("已经转给这个商场。"))
    text = mask_personal(clean(told))
    for party in case.parties.all():
        text = text.replace(party.name, _("诉求人")) if len(party.name) > 1 else text
    if not text:
        raise Refused(_("请写明转告商场的内容。"))
    request = MallRequest.objects.create(case=case, mall_id=case.mall_id, told=text[:LONGEST], asked_at=at, due_at=at)
    clock = clocks.start_clock(case, ClockKind.MALL, started_at=at, at=at, about=f"mall:{request.pk}")
    request.due_at = clock.due_at or at
    request.save(update_fields=["due_at"])
    tell(case, "mall_asked", _("转%(mall)s回应") % {"mall": request.mall}, actor=actor, at=at, text=text, public=True)
    record("complaints.mall.asked", case, actor=actor, at=at, mall=request.mall.code)
    notify(
        people_holding(May.ANSWER, organisation_ids=[request.mall_id], at=at),
        key=f"complaints.mall:{request.pk}",
        title=_("有消费者诉求等您回应：%(title)s") % {"title": case.title},
        at=at,
        link=reverse("complaints:mall_request", args=[request.pk]),
        level=Notice.Level.URGENT,
    )
    return request


@transaction.atomic
def answer_mall(*, request: MallRequest, answer: str, actor: Actor, at: datetime) -> MallRequest:
    """The mall says what it did; late answers are taken and say so. Raises Refused without a text or for one answered already."""
    if not actor.can(May.ANSWER) or actor.organisation_id != request.mall_id:
        raise PermissionRefused(_("只有这个商场的人员可以回应。"))
    request = MallRequest.objects.select_for_update(of=("self",)).select_related("case", "mall").get(pk=request.pk)
    if request.answered_at:
        raise Refused(_("已经回应过。如有新情况，请联系承办单位。"))
    if not clean(answer):
        raise Refused(_("请写明商场怎样处理。"))
    request.answer, request.answered_at, request.answered_by_id = clean(answer)[:LONGEST], at, actor.user_id
    request.save(update_fields=["answer", "answered_at", "answered_by"])
    case = request.case
    clocks.meet_clocks(case, ClockKind.MALL, at=at, about=f"mall:{request.pk}")
    tell(
        case,
        "mall_answered",
        _("%(mall)s回应") % {"mall": request.mall},
        actor=actor,
        at=at,
        text=request.answer,
        public=True,
    )
    record("complaints.mall.answered", case, actor=actor, at=at, mall=request.mall.code)
    if case.officer_id:
        notify(
            [case.officer_id],
            key=f"complaints.mall_answered:{request.pk}",
            title=_("商场已回应 %(number)s") % {"number": case.number},
            at=at,
            link=reverse("complaints:case", args=[case.pk]),
        )
    return request
