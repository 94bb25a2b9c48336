"""回访: the queue, the one screen on which a call is made and written down, and what comes after 未解决."""

from typing import Any

import django_tables2
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.complaints.callback_forms import CallForm, FollowForm
from xiezhi.domains.complaints.models import Callback, Case, ComplaintParty, Tally
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.queries.callbacks import callbacks_shown, effective, queue, unresolved
from xiezhi.domains.complaints.services import callbacks
from xiezhi.domains.complaints.views.common import act_page, case_of, who
from xiezhi.domains.complaints.words import CallbackOutcome, CallbackSource, CaseStatus, Satisfaction
from xiezhi.domains.complaints.workflow import CASE
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.forms import saved
from xiezhi.foundation.ui.lists import Action, Empty, list_page
from xiezhi.foundation.ui.tables import MomentColumn, StatusColumn, Table
from xiezhi.foundation.workflow.errors import Refused

REPLIES_SHOWN = 3


class QueueTable(Table):
    number = django_tables2.Column(
        accessor="case__number", verbose_name=gettext_lazy("编号"), linkify=("complaints:callback", {"pk": django_tables2.A("pk")}),
        attrs={"td": {"class": "text-nowrap"}},
    )  # fmt: skip
    title = django_tables2.Column(
        accessor="case__title", verbose_name=gettext_lazy("标题"), linkify=("complaints:callback", {"pk": django_tables2.A("pk")})
    )  # fmt: skip
    respondent = django_tables2.Column(
        accessor="case__respondent", verbose_name=gettext_lazy("被诉方"), orderable=False
    )
    unit = django_tables2.Column(verbose_name=gettext_lazy("承办单位"))
    channel = django_tables2.Column(verbose_name=gettext_lazy("渠道"))
    replied_at = MomentColumn(accessor="case__replied_at", verbose_name=gettext_lazy("答复时间"))
    call_due_at = MomentColumn(verbose_name=gettext_lazy("应回访时间"))
    callback = StatusColumn(CallbackOutcome, verbose_name=gettext_lazy("已有结果"))
    phone = ("title", "respondent", "call_due_at", "callback")

    class Meta(Table.Meta):
        model = Tally
        fields = ("number", "title", "respondent", "unit", "channel", "replied_at", "call_due_at", "callback")

    def render_callback(self, value: str, record: Tally) -> SafeString | str:
        return (
            self.columns["callback"].column.render(value, record, self.columns["callback"]) if record.callback else "—"
        )


@require_GET
@needs(May.CALL_BACK)
def callback_list(request: DeskRequest) -> HttpResponseBase:
    """待回访, the longest waiting first; with `?what=unresolved` those that said 未解决 and wait for a decision."""
    here = reverse("complaints:callbacks")
    if request.GET.get("what") == "unresolved":
        return list_page(
            request, title=_("回访未解决，等待处理"), queryset=unresolved(request.actor), table=QueueTable, unit=_("件"),
            actions=[Action(_("待回访"), here, "phone")],
            empty=Empty(_("没有等待处理的"), _("回访说没有解决的诉求在这里决定：重新办理、督办，还是维持答复。"), icon="circle-check"),
        )  # fmt: skip
    return list_page(
        request, title=_("待回访"), queryset=queue(request.actor, timezone.now()), table=QueueTable, unit=_("件"),
        actions=[
            Action(_("开始回访"), reverse("complaints:callback_next"), "phone", "primary"),
            Action(_("回访未解决，等待处理"), f"{here}?what=unresolved", "circle-x"),
        ],
        empty=Empty(_("没有要回访的诉求"), _("答复以后、办理时限届满的诉求在这里；12345 以外的渠道按比例抽取（第二十六条）。"), icon="phone"),
    )  # fmt: skip


@require_GET
@needs(May.CALL_BACK)
def callback_next(request: DeskRequest) -> HttpResponseBase:
    """Open the one that waits longest, other than `?after`."""
    after = request.GET.get("after", "")
    waiting = queue(request.actor, timezone.now())
    found = waiting.exclude(pk=int(after) if after.isdecimal() and len(after) < 19 else 0).first()
    if found is None:
        messages.info(request, _("没有要回访的诉求了。"))
        return redirect("complaints:callbacks")
    return redirect("complaints:callback", found.pk)


def _corrected(request: DeskRequest, case: Case) -> Callback | None:
    """The entry that the next one takes the place of."""
    asked = request.POST.get("corrects") or request.GET.get("corrects", "")
    if not asked.isdecimal() or len(asked) > 18:
        return None
    return case.callbacks.filter(pk=int(asked), source=CallbackSource.OWN).first()


def _screen(
    request: DeskRequest, case: Case, form: CallForm, people: list[ComplaintParty], *, status: int = 200
) -> HttpResponse:
    corrects = _corrected(request, case)
    context = {
        "case": case, "form": form, "people": people, "parties": case.parties.all(), "corrects": corrects,
        "replies": case.replies.select_related("by").order_by("-at")[:REPLIES_SHOWN],
        "callbacks": callbacks_shown(case), "waiting": queue(request.actor, timezone.now()).count(), "workflow": CASE,
        "own": callbacks.handled_by(case, request.actor.user_id), "outcomes": CallbackOutcome, "satisfactions": Satisfaction,
        "answered": case.status in callbacks.ANSWERED_CASES,
    }  # fmt: skip
    response = render(request, "complaints/callback.html", context, status=status)
    if people:
        response["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "POST"])
@needs(May.CALL_BACK)
def callback(request: DeskRequest, pk: int) -> HttpResponseBase:
    """One call: what it was about, what was answered, whom to call, and what they say. Saved, the next one opens itself."""
    case = case_of(request, pk)
    form = CallForm(request.POST or None, initial={"called_at": timezone.localtime().replace(second=0, microsecond=0)})

    def act(given: dict[str, Any]) -> Callback:
        return callbacks.record_callback(case=case, corrects=_corrected(request, case), **given, **who(request))

    made = saved(form, act)
    if made is None:
        return _screen(request, case, form, [], status=422 if form.errors else 200)
    messages.success(
        request,
        _("已记录回访：%(number)s %(outcome)s。") % {"number": case.number, "outcome": made.get_outcome_display()},
    )
    case.refresh_from_db()
    counting = effective(case.callbacks.all())
    if case.status == CaseStatus.REPLIED and counting and counting.outcome == CallbackOutcome.UNRESOLVED:
        return redirect("complaints:callback_follow", case.pk)
    return redirect(f"{reverse('complaints:callback_next')}?after={case.pk}")


@require_POST
@needs(May.CALL_BACK)
def callback_number(request: DeskRequest, pk: int) -> HttpResponseBase:
    """The same screen with the number in full; that it was opened is written down. Nothing of it is kept by the browser."""
    case = case_of(request, pk)
    form = CallForm(initial={"called_at": timezone.localtime().replace(second=0, microsecond=0)})
    try:
        people = callbacks.open_number(case=case, **who(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("complaints:callback", pk)
    return _screen(request, case, form, people)


@require_http_methods(["GET", "POST"])
@needs(May.CALL_BACK)
def callback_follow(request: DeskRequest, pk: int) -> HttpResponseBase:
    """未解决: handle again, supervise, or leave it; then the next call."""
    case = case_of(request, pk)
    counting = effective(case.callbacks.all())
    form = FollowForm(request.POST or None, initial={"way": "reopen", "reason": counting.note if counting else ""})
    return act_page(
        request, form, lambda given: callbacks.follow_up(case=case, **given, **who(request)),
        done=_("已办理：%(act)s。") % {"act": _("回访未解决的处理")}, back=f"{reverse('complaints:callbacks')}?what=unresolved",
        then=lambda _made: f"{reverse('complaints:callback_next')}?after={pk}", title=_("回访未解决：怎样处理"),
        submit=_("确定"), template="complaints/act.html", case=case,
        intro=_("诉求人说没有解决。重新办理另立一件，原来的诉求和答复保持不变。"),
    )  # fmt: skip
