"""回访 (art. 26): asking the person how it was. Added to, never overwritten; a case closes by what its callbacks say together."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.complaints import rules
from xiezhi.domains.complaints.models import Callback, Case, ComplaintParty, Supervision, Tally
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.queries.callbacks import callable_parties, effective
from xiezhi.domains.complaints.services import people, replying, supervising
from xiezhi.domains.complaints.services.dispatching import dispatch_case
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.services.tallies import attempts_of, recount
from xiezhi.domains.complaints.texts import clean
from xiezhi.domains.complaints.words import ANSWERED, CallbackOutcome, CallbackSource, CaseStatus, Satisfaction
from xiezhi.foundation.access.actors import SYSTEM, Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.events.services import publish
from xiezhi.foundation.rules.queries import reading
from xiezhi.foundation.workflow.errors import Refused

LONGEST_NOTE = 1_000
CLOSED_A_TURN = 500
ANSWERED_CASES = frozenset({CaseStatus.REPLIED, CaseStatus.CLOSED})


@dataclass(frozen=True)
class _Result:
    """What came of asking; checked by `_checked`."""

    outcome: str
    satisfaction: str
    note: str
    called_at: datetime
    source: str
    reference: str = ""
    corrects: Callback | None = None


def handled_by(case: Case, user_id: int | None) -> bool:
    """Whether this person handled or answered the case, and so must not ask how it was."""
    return user_id is not None and (case.officer_id == user_id or case.replies.filter(by_id=user_id).exists())


@transaction.atomic
def record_callback(
    *,
    case: Case,
    outcome: str,
    called_at: datetime,
    actor: Actor,
    at: datetime,
    satisfaction: str = "",
    note: str = "",
    corrects: Callback | None = None,
) -> Callback:
    """Write down one call. `corrects`: an earlier entry of this case that this one takes the place of; both stay.

    Closes the case when it is settled (`_close_if_settled`). The same call twice (a double click) gives back the first entry. Raises
    PermissionRefused for whoever handled the case, Refused before the reply, for a time before it or in the future, for a merged
    case, for people who do not want to be called, and for an entry that was corrected already.
    """
    actor.require(May.CALL_BACK)
    case = _locked(case)
    if handled_by(case, actor.user_id):
        raise PermissionRefused(_("承办人和答复人不能回访自己办理的诉求，请由其他人回访（第二十六条）。"))
    _refuse_unanswered(case, called_at)
    if not callable_parties(case).exists():
        raise Refused(_("诉求人没有留电话，或者不愿意接受回访。"))
    if corrects and corrects.case_id != case.pk:
        raise Refused(_("只能更正这件诉求的回访。"))
    if corrects and corrects.source != CallbackSource.OWN:
        raise Refused(_("官方回访和诉求人自己的评价不能由我们更正。"))
    result = _Result(outcome, satisfaction, note, called_at, CallbackSource.OWN, corrects=corrects)
    return _add(case, result, actor=actor, at=at)


def may_citizen_answer(case: Case, at: datetime) -> bool:
    """Whether the person may still say how it was: after the reply, within the days of the rule."""
    if case.status not in ANSWERED_CASES or case.replied_at is None:
        return False
    days = reading(rules.CITIZEN_ANSWER_DAYS, on=timezone.localdate(case.replied_at)).value
    return at <= case.replied_at + timedelta(days=int(days))


@transaction.atomic
def citizen_answer(
    *, case: Case, outcome: str, actor: Actor, at: datetime, satisfaction: str = "", note: str = ""
) -> Callback:
    """The person says by themselves how it was (public progress page, on the system's behalf). They may say it again: the newest counts.

    Raises Refused before the reply, for a merged case, after the days of the rule, or for anything but an answer.
    """
    case = _locked(case)
    _refuse_unanswered(case, at)
    if not may_citizen_answer(case, at):
        raise Refused(_("已过评价时间。还有问题请重新反映。"))
    if outcome not in ANSWERED:
        raise Refused(_("请选择问题解决了没有。"))
    latest: Callback | None = case.callbacks.filter(source=CallbackSource.CITIZEN).order_by("-at", "-pk").first()
    said = (outcome, satisfaction, clean(note)[:LONGEST_NOTE])
    if latest and (latest.outcome, latest.satisfaction, latest.note) == said:
        return latest
    return _add(case, _Result(outcome, satisfaction, note, at, CallbackSource.CITIZEN), actor=actor, at=at)


@transaction.atomic
def record_official(
    *,
    case: Case,
    outcome: str,
    called_at: datetime,
    reference: str,
    actor: Actor,
    at: datetime,
    satisfaction: str = "",
    note: str = "",
) -> Callback:
    """What the hotline's own callback found, as it came with a file (`reference`: which file and row, or the hotline's number). It counts
    before ours, whether or not our own reply is written down yet. The same result twice gives back the first entry.

    Raises Refused for leads, dismissed and merged cases, a time before receipt or in the future.
    """
    actor.require(May.REGISTER)
    case = _locked(case)
    if case.status == CaseStatus.MERGED and case.duplicate_of:
        raise Refused(_("已并入 %(number)s，回访结果请记到那件。") % {"number": case.duplicate_of.number})
    if case.status in {CaseStatus.LEAD, CaseStatus.DISMISSED}:
        raise Refused(_("这条线索没有登记为诉求，没有官方回访。"))
    if called_at < case.received_at:
        raise Refused(_("回访时间早于收到诉求的时间，请核对编号和时间。"))
    if not clean(reference):
        raise Refused(_("请写明官方回访结果的出处，例如文件名和行号。"))
    result = _Result(outcome, satisfaction, note, called_at, CallbackSource.OFFICIAL, clean(reference)[:120])
    return _add(case, result, actor=actor, at=at)


def _locked(case: Case) -> Case:
    return Case.objects.select_for_update(of=("self",)).get(pk=case.pk)


def _refuse_unanswered(case: Case, called_at: datetime) -> None:
    if case.status == CaseStatus.MERGED and case.duplicate_of:
        raise Refused(_("已并入 %(number)s，请回访那件。") % {"number": case.duplicate_of.number})
    if case.status not in ANSWERED_CASES or case.replied_at is None:
        raise Refused(_("还没有答复，答复以后才能回访。"))
    if called_at < case.replied_at.replace(second=0, microsecond=0):  # people write down minutes
        raise Refused(_("回访时间早于答复时间，请改正。"))


def _checked(result: _Result, at: datetime) -> None:
    if result.called_at > at:
        raise Refused(_("回访时间晚于现在，请改正。"))
    if result.outcome not in CallbackOutcome.values:
        raise Refused(_("请选择回访结果。"))
    if result.satisfaction and result.satisfaction not in Satisfaction.values:
        raise Refused(_("请选择满意情况。"))
    if result.satisfaction and result.outcome not in ANSWERED:
        raise Refused(_("没有接通或者拒访的，不填满意情况。"))


def _add(case: Case, result: _Result, *, actor: Actor, at: datetime) -> Callback:
    """One more entry on the locked case, unless it stands there already."""
    _checked(result, at)
    note = clean(result.note)[:LONGEST_NOTE]
    facts = {
        "source": result.source, "reference": result.reference, "corrects": result.corrects, "at": result.called_at,
        "outcome": result.outcome, "satisfaction": result.satisfaction, "note": note, "by_id": actor.user_id,
    }  # fmt: skip
    # Who carried the file in again is no other result.
    ours = {"by_id"} if result.source == CallbackSource.OFFICIAL else set()
    standing: Callback | None = case.callbacks.filter(
        **{name: value for name, value in facts.items() if name not in ours}
    ).first()
    if standing:
        return standing
    if result.corrects and Callback.objects.filter(corrects=result.corrects).exists():
        raise Refused(_("这次回访已经更正过，请更正最新的一次。"))
    callback = Callback.objects.create(case=case, recorded_at=at, **facts)
    title = _("%(source)s：%(outcome)s") % {
        "source": callback.get_source_display(),
        "outcome": callback.get_outcome_display(),
    }
    tell(case, "called_back", title, actor=actor, at=at)
    record("complaints.callback.recorded", case, actor=actor, at=at, source=result.source, outcome=result.outcome)
    publish("complaints.called_back", at=at, case_id=case.pk, outcome=result.outcome)
    _close_if_settled(case, at=at)
    recount([case.pk], at=at)
    return callback


def _close_if_settled(case: Case, *, at: datetime) -> None:
    """办结 follows from the callback: what counts says 已解决, 部分解决 or 拒访, or nobody took the calls that the rule allows. 未解决 stays
    open until somebody says what comes next (`follow_up`)."""
    if case.status != CaseStatus.REPLIED or case.replied_at is None:
        return
    found = list(case.callbacks.all())
    result = effective(found)
    outcome = result.outcome if result else ""
    allowed = reading(rules.CALL_ATTEMPTS, on=timezone.localdate(case.replied_at)).value
    used_up = outcome == CallbackOutcome.NO_ANSWER and len(attempts_of(found, case.replied_at)) >= int(allowed)
    settled = {CallbackOutcome.RESOLVED, CallbackOutcome.PARTLY, CallbackOutcome.DECLINED}
    if used_up or outcome in settled:
        replying.close_case(case=case, actor=SYSTEM, at=at)


@transaction.atomic
def follow_up(*, case: Case, way: str, reason: str, actor: Actor, at: datetime) -> Case | Supervision:
    """未解决: what comes next. `reopen` handles it again as a new case and closes this one; `supervise` does so and asks the unit in
    writing (督办); `close` leaves it as it is, with the reason in its history. Returns the new case, the supervision or the closed case.

    Raises Refused unless the callback that counts says 未解决 or 部分解决, or without a reason.
    """
    actor.require(May.CALL_BACK)
    case = _locked(case)
    result = effective(case.callbacks.all())
    if result is None or result.outcome not in {CallbackOutcome.UNRESOLVED, CallbackOutcome.PARTLY}:
        raise Refused(_("回访结果不是未解决，不需要后续处理。"))
    if not clean(reason):
        raise Refused(_("请写明理由。"))
    if way == "close":
        tell(case, "called_back", _("未解决，维持答复办结"), actor=actor, at=at, text=clean(reason))
        return replying.close_case(case=case, actor=SYSTEM, at=at)
    if way not in {"reopen", "supervise"}:
        raise Refused(_("请选择怎样处理。"))
    again = replying.reopen_case(case=case, reason=reason, actor=actor, at=at)
    if case.status == CaseStatus.REPLIED:
        replying.close_case(case=case, actor=SYSTEM, at=at)
    if way == "reopen":
        return again
    return _supervise(again, case, reason, actor=actor, at=at)


def _supervise(again: Case, case: Case, reason: str, *, actor: Actor, at: datetime) -> Supervision:
    """The new case goes to the unit that had it, with a supervision on it."""
    if case.unit is None:
        raise Refused(_("这件诉求没有承办单位，请选重新办理，再派单。"))
    again = dispatch_case(case=again, unit=case.unit, note=clean(reason)[:500], actor=actor, at=at)
    return supervising.supervise_case(case=again, text=clean(reason)[:500], actor=actor, at=at)


def open_number(*, case: Case, actor: Actor, at: datetime) -> list[ComplaintParty]:
    """The people to call with their numbers in full, each opening written down (留痕). Raises what `open_party` and consent refuse."""
    actor.require(May.CALL_BACK)
    if handled_by(case, actor.user_id):
        raise PermissionRefused(_("承办人和答复人不能回访自己办理的诉求，请由其他人回访（第二十六条）。"))
    found = list(callable_parties(case).select_related("case"))
    if not found:
        raise Refused(_("诉求人没有留电话，或者不愿意接受回访。"))
    for party in found:
        people.open_party(party=party, purpose=_("回访 %(number)s") % {"number": case.number}, actor=actor, at=at)
    return found


def close_uncalled(*, at: datetime) -> int:
    """The ticker's: answered cases that nobody is to call (not drawn, no consent, no number) close when the rule's days are over."""
    due = Tally.objects.filter(close_due_at__lte=at).order_by("close_due_at", "pk")
    done = 0
    for pk in list(due.values_list("pk", flat=True)[:CLOSED_A_TURN]):
        with transaction.atomic():
            case = Case.objects.select_for_update(of=("self",)).get(pk=pk)
            if case.status == CaseStatus.REPLIED:
                replying.close_case(case=case, actor=SYSTEM, at=at)
                done += 1
            recount([pk], at=at)
    return done
