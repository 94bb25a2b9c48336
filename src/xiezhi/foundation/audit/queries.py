import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.audit.labels import actions_called, field_label, label, state_label
from xiezhi.foundation.audit.models import Entry


@dataclass(frozen=True)
class Act:
    """An audit entry in words, in the shape that the timeline component draws."""

    at: datetime
    title: str
    who: str
    action: str
    details: dict[str, Any]
    sealed: int | None
    icon: str = "history"
    tone: str = "neutral"

    @property
    def words(self) -> list[tuple[str, str]]:
        """The details as label and value."""
        return details_in_words(self.details, self.action)

    @property
    def text(self) -> str:
        """The details in one line."""
        return _("；").join(f"{name} {value}" for name, value in self.words)


def details_in_words(details: dict[str, Any], action: str = "") -> list[tuple[str, str]]:
    """A payload as label and value: states of the action's workflow in their words, lists and tables as compact JSON."""
    return [(field_label(name), _in_words(name, value, action)) for name, value in details.items()]


def _in_words(name: str, value: Any, action: str) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    state = state_label(action, value) if name in {"from", "to"} else None
    return state or _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return _("是") if value else _("否")
    return str(value)


def visible_object(kind: str, object_id: str, actor: Actor) -> models.Model | None:
    """The object that `kind` (`app.model`) and key name, if `actor` may see it: through its `visible_to`, or in a district-wide post."""
    try:
        model = apps.get_model(kind)
    except (LookupError, ValueError):
        return None
    rows: QuerySet[Any] = model._default_manager.all()
    if hasattr(rows, "visible_to"):
        rows = rows.visible_to(actor)
    elif not actor.district_wide:
        return None
    try:
        found: models.Model | None = rows.filter(pk=object_id).first()
    except (ValueError, OverflowError):
        return None
    return found


def object_history(kind: str, object_id: str, *, limit: int | None = None) -> list[Act]:
    """Every entry about one object, newest first, in three queries."""
    entries = Entry.objects.filter(object_kind=kind, object_id=object_id).select_related("seal").order_by("-at", "-pk")
    found = list(entries[:limit] if limit else entries)
    users = User.objects.in_bulk({each.actor_user_id for each in found if each.actor_user_id})
    posts = Membership.objects.select_related("organisation").in_bulk(
        {each.actor_membership_id for each in found if each.actor_membership_id}
    )
    return [
        Act(
            at=each.at,
            title=label(each.action),
            who=_who(users.get(each.actor_user_id or 0), posts.get(each.actor_membership_id or 0)),
            action=each.action,
            details=each.payload,
            sealed=each.seal.sequence if hasattr(each, "seal") else None,
        )
        for each in found
    ]


def _who(user: User | None, post: Membership | None) -> str:
    if user is None:
        return _("系统")
    return f"{user}{_('（')}{post}{_('）')}" if post else str(user)


def entries_for(actor: Actor) -> QuerySet[Entry]:
    """The audit as a list, newest first: each entry with its seal and, as `who_name`, `who_role` and `who_where`, who acted."""
    users = User.objects.filter(pk=OuterRef("actor_user_id"))
    posts = Membership.objects.filter(pk=OuterRef("actor_membership_id"))
    return (
        Entry.objects.visible_to(actor)
        .select_related("seal")
        .annotate(
            who_name=Subquery(users.values("display_name")[:1]),
            who_role=Subquery(posts.values("role")[:1]),
            who_where=Subquery(posts.values("organisation__short_name")[:1]),
        )
        .order_by("-pk")
    )


def matching_entries(entries: QuerySet[Entry], words: str) -> QuerySet[Entry]:
    """Entries in which every word occurs: in the action's word or code, the object's key, a detail, or the name of who acted."""
    for word in words.split():
        people = User.objects.filter(Q(display_name__icontains=word) | Q(username__iexact=word)).values("pk")
        entries = entries.filter(
            Q(action__in=actions_called(word))
            | Q(action__icontains=word)
            | Q(object_kind__icontains=word)
            | Q(object_id=word)
            | Q(payload__icontains=word)
            | Q(actor_user_id__in=people)
        )
    return entries
