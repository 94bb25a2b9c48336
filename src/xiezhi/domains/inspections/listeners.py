"""What this room does when others tell of something (after commit, by the worker). Hearing it twice changes nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from xiezhi.domains.inspections.services import telling
from xiezhi.domains.inspections.services.checks import stop_checks_of_closed
from xiezhi.domains.inspections.services.named_rows import ORIGIN, add_matched_row
from xiezhi.domains.registry.models import PendingMatch, Premises, Subject


def subject_closed(payload: Mapping[str, Any], at: datetime) -> None:
    """A subject was deregistered, revoked or moved out: nobody is left to inspect."""
    subject = Subject.objects.filter(pk=payload["subject_id"]).first()
    if subject and not subject.is_open:
        stop_checks_of_closed(premises=Q(premises__subject=subject), at=at)


def premises_closed(payload: Mapping[str, Any], at: datetime) -> None:
    """One door was closed."""
    door = Premises.objects.filter(pk=payload["premises_id"]).first()
    if door and not door.is_open:
        stop_checks_of_closed(premises=Q(premises=door), at=at)


def name_matched(payload: Mapping[str, Any], at: datetime) -> None:
    """Somebody said which subject a row of a plan meant: the row joins its plan."""
    if payload["origin"] != ORIGIN:
        return
    pending = PendingMatch.objects.select_related("premises").get(pk=payload["pending_match_id"])
    if pending.status == PendingMatch.Status.MATCHED and pending.premises:
        add_matched_row(pending=pending, premises=pending.premises, at=at)


def joint_choice_changed(payload: Mapping[str, Any], at: datetime) -> None:
    """A firm chose to have no joint visits (R08): the coordinators hear which of theirs are still open, to take them apart."""
    subject = Subject.objects.filter(pk=payload["subject_id"]).first()
    if subject and subject.joint_opt_out:
        telling.tell_opted_out(subject, at=at)
