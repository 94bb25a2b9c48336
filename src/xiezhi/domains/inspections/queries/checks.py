"""Reads of checks: why one is here, what holds it, what became of it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import Check, Leftover, PlanRow
from xiezhi.domains.inspections.queries.plans import frame_words
from xiezhi.domains.inspections.services.checks import may_be_off_site
from xiezhi.domains.inspections.services.eligibility import eligible_checks
from xiezhi.domains.inspections.workflow import CheckStatus
from xiezhi.foundation.audit.queries import object_history


@dataclass(frozen=True)
class Why:
    """One sentence about a check, with where it leads and the rule behind it (its key), if any."""

    text: str
    url: str = ""
    rule_key: str = ""
    tone: str = "neutral"
    icon: str = "info-circle"


def why_here(check: Check) -> list[Why]:
    """Where the check comes from."""
    row = check.plan_row
    if row is None:
        case = {"id": check.case_id, "note": check.case_note or "—"}
        return [Why(_("个案检查，来源编号 %(id)s：%(note)s") % case, icon="alert-circle")]
    plan_url = reverse("inspections:plan", args=[row.plan_id])
    words: dict[str, Any] = {"title": row.plan.title, "number": row.number}
    if row.kind == PlanRow.Kind.NAMED:
        return [Why(_("《%(title)s》第 %(number)d 行指名列入。") % words, plan_url, icon="clipboard-list")]
    return [
        Why(
            _("《%(title)s》第 %(number)d 行抽查，从“%(frame)s”中抽中。") % {**words, "frame": frame_words(row)},
            reverse("inspections:draw", args=[row.plan_id, row.draw.pk]),
            "inspections.sampling_rates" if row.ratio_per_mille is None and row.quantity is None else "",
            icon="clipboard-list",
        )
    ]


def why_waiting(check: Check, *, on: date) -> list[Why]:
    """What the check waits for or is held by, judged by today's rules."""
    if check.status == CheckStatus.OFF_SITE_FIRST:
        text = _("这一事项可以非现场办理：请先非现场办结；确需到现场的，写明理由。")
        return [Why(text, rule_key="inspections.off_site_first", tone="caution", icon="device-floppy")]
    if check.status != CheckStatus.WAITING:
        return []
    found = []
    verdict = eligible_checks([check], start=check.earliest, end=check.latest, on=on)
    for hold in verdict.held.values():
        found.append(Why(hold.detail, rule_key=hold.rule_key, tone="caution", icon="clock-exclamation"))
    for hold in verdict.warnings.values():
        found.append(Why(hold.detail, rule_key=hold.rule_key, tone="warning", icon="alert-triangle"))
    left = (
        Leftover.objects.filter(check_task=check, kind=Leftover.Kind.UNPLACED)
        .select_related("round")
        .order_by("-round__created_at")
        .first()
    )
    if left:
        text = _("轮次 %(number)s 没有排入：%(detail)s") % {
            "number": left.round.number,
            "detail": left.detail or left.reason,
        }
        found.append(Why(text, reverse("inspections:round", args=[left.round_id]), tone="caution", icon="route"))
    if check.latest < on:
        found.append(Why(_("最晚日期已过，请尽快安排或办结。"), tone="urgent", icon="alert-circle"))
    return found or [Why(_("等待下一轮统筹。"), tone="neutral", icon="hourglass")]


def story_of(check: Check) -> list[Any]:
    """What happened to the check, newest first, beginning with how it came to be."""
    born = {"at": check.created_at, "title": _("形成任务 %(number)s") % {"number": check.number}, "icon": "plus"}
    acts: list[Any] = list(object_history("inspections.check", str(check.pk)))
    return [*acts, born]


def may_settle_off_site(check: Check) -> bool:
    """Whether the item can be done off-site at all."""
    return may_be_off_site(check.item_version)
