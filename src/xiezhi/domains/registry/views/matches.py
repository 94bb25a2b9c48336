from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from xiezhi.domains.registry import panels, queries, services
from xiezhi.domains.registry.differences import Lists, SubjectRow, door_word, label, word, yes_no
from xiezhi.domains.registry.models import PendingMatch, Premises, Scene, Subject
from xiezhi.domains.registry.permissions import RegistryPermission as May
from xiezhi.domains.registry.services.matches import SUBJECT_ROW
from xiezhi.domains.registry.tables import MatchFilters, MatchTable
from xiezhi.domains.registry.workflow import MATCH
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.lists import Empty, list_page

MOST_FOUND = 10
SAME_NAME, CLEAR_LEAD = 80, 10


@require_GET
@needs(May.MATCH)
def match_list(request: DeskRequest) -> HttpResponseBase:
    """Names that wait for a person, and those decided."""
    return list_page(
        request,
        title=_("待匹配名称"),
        unit=_("个名称"),
        table=MatchTable,
        filterset=MatchFilters,
        queryset=PendingMatch.objects.visible_to(request.actor).select_related("organisation"),
        intro=_("导入的表格里只写了名称、没有统一社会信用代码的行在这里等人确认，不用退回重报。"),
        empty=Empty(_("没有等待确认的名称"), _("导入的行缺少统一社会信用代码时，会出现在这里。"), icon="link"),
    )


@require_GET
@needs(May.MATCH)
def match_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One row as it was sent, beside the subjects it may mean."""
    pending = get_object_or_404(
        PendingMatch.objects.visible_to(request.actor).select_related("organisation", "subject", "premises__street"),
        pk=pk,
    )
    waits = pending.status == PendingMatch.Status.WAITING
    text = request.GET.get("q", "").strip()
    candidates = queries.match_candidates(pending, actor=request.actor) if waits else []
    context: dict[str, Any] = {
        "pending": pending,
        "origin": panels.origin_label(pending),
        "told": _told(pending),
        "workflow": MATCH,
        "waits": waits,
        "candidates": candidates,
        "preset": _preset(candidates),
        "text": text,
        "found": _found(request, text, {each.subject.pk for each in candidates}) if waits and text else [],
        "may_register": request.actor.can(May.MANAGE),
    }
    return render(request, "registry/match.html", context)


def _preset(candidates: list[queries.Candidate]) -> int | None:
    """The door that is ticked beforehand: only where the name is the same and one candidate stands out."""
    scores = [each.score for each in candidates[:2]]
    stands_out = bool(scores) and scores[0] >= SAME_NAME and (len(scores) == 1 or scores[0] - scores[1] >= CLEAR_LEAD)
    return candidates[0].premises.pk if stands_out and candidates[0].premises else None


def _found(request: DeskRequest, text: str, but: set[int]) -> list[Subject]:
    rows = queries.search_subjects(text, actor=request.actor).exclude(pk__in=but).order_by("name", "pk")
    return list(rows.prefetch_related("premises__street")[:MOST_FOUND])


def _told(pending: PendingMatch) -> list[tuple[str, str]]:
    """What a row of a subject list tells besides its name, in words; other rooms' rows are theirs to show."""
    if pending.origin != SUBJECT_ROW:
        return []
    row = SubjectRow.from_json({**pending.payload, "code": ""})
    facts: dict[str, Any] = {**row.facts, "status": row.status, "joint_opt_out": row.joint_opt_out}
    told = [
        (label(Subject, key), yes_no(value) if isinstance(value, bool) else word(key, value))
        for key, value in facts.items()
        if key != "name" and value is not None
    ]
    if row.scenes is not None:
        names = Scene.objects.filter(code__in=row.scenes).order_by("code").values_list("name", flat=True)
        told.append((label(Subject, "scenes"), _("、").join(names) or "—"))
    lists = Lists(streets={}, scenes={})
    for key, value in row.premises.items():
        if key not in {"address", "street"}:
            told.append((label(Premises, key), door_word(key, value, lists)))
    return told


@require_POST
@needs(May.MATCH)
def match_move(request: DeskRequest, pk: int, move: str) -> HttpResponse:
    """Confirm whom the row means (`premises`), dismiss it with a reason, or let it wait again."""
    pending = get_object_or_404(PendingMatch.objects.visible_to(request.actor), pk=pk)
    by_whom: dict[str, Any] = {
        "pending": pending,
        "seen_status": request.POST.get("seen_status"),
        "actor": request.actor,
        "at": timezone.now(),
    }
    if move == "confirm":
        door = _chosen(request)
        if door is None:
            messages.error(request, _("还没有选中任何一家。请先选一个场所，再确认。"))
            return redirect("registry:match", pk=pk)
        services.confirm_match(subject=door.subject, premises=door, **by_whom)
        messages.success(request, _("已确认：“%(name)s”就是“%(s)s”。") % {"name": pending.name, "s": door.subject})
    elif move == "dismiss":
        services.dismiss_match(reason=request.POST.get("reason", ""), **by_whom)
        messages.success(request, _("已记为不匹配，会告知报送方。"))
    elif move == "reopen":
        services.reopen_match(**by_whom)
        messages.success(request, _("已放回待匹配名称。"))
        return redirect("registry:match", pk=pk)
    else:
        raise Http404
    return redirect(_next(request, pk))


def _chosen(request: DeskRequest) -> Premises | None:
    wanted = request.POST.get("premises", "")
    if not wanted.isdecimal():
        return None
    return get_object_or_404(Premises.objects.visible_to(request.actor).select_related("subject"), pk=wanted)


def _next(request: DeskRequest, after: int) -> str:
    """The next name that waits, so that a list is worked through; the list when there is none."""
    waiting = PendingMatch.objects.visible_to(request.actor).filter(status=PendingMatch.Status.WAITING)
    following = waiting.filter(pk__gt=after).order_by("pk").first() or waiting.order_by("pk").first()
    return reverse("registry:match", args=[following.pk]) if following else reverse("registry:matches")
