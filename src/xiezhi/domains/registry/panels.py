"""What other rooms show on a subject's page, without the register knowing them: panels, and where timeline entries lead.

A room registers in its app's `ready()`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise

from xiezhi.domains.registry.models import PendingMatch, Subject, TimelineEntry
from xiezhi.foundation.access.actors import Actor


@dataclass(frozen=True)
class Panel:
    """One card among the related things: `template` is drawn with `context` (and the page's own)."""

    title: str | Promise
    template: str
    context: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Leads:
    """Where a timeline entry of some object kind leads: `url_name` is given the object's id; and its icon."""

    url_name: str
    icon: str = "circle-dashed"
    permission: str | None = None


Provider = Callable[[Subject, Actor], Panel | None]
_panels: dict[str, tuple[int, Provider]] = {}
_leads: dict[str, Leads] = {}
_origins: dict[str, str | Promise] = {}
_ICONS = {
    "registry.registered": ("plus", "good"),
    "registry.updated": ("pencil", "neutral"),
    "registry.premises": ("map-pin", "neutral"),
    "registry.joint_choice": ("users-group", "caution"),
    "registry.name_matched": ("link", "neutral"),
    "registry.deregistered": ("circle-x", "neutral"),
    "registry.revoked": ("ban", "urgent"),
    "registry.moved_out": ("arrow-right", "neutral"),
    "registry.suspended": ("clock", "caution"),
    "registry.active": ("circle-check", "good"),
}


def register(key: str, panel: Provider, *, order: int = 100) -> None:
    """Let `panel(subject, actor)` add a card, lower `order` first; it returns None for roles it does not concern, and starts at
    `visible_to(actor)` for what it shows."""
    _panels[key] = (order, panel)


def register_lead(object_kind: str, leads: Leads) -> None:
    """Say where timeline entries about `object_kind` lead."""
    _leads[object_kind] = leads


def register_origin(origin: str, label: str | Promise) -> None:
    """Say what rows of `origin` are called in the match queue."""
    _origins[origin] = label


def origin_label(pending: PendingMatch) -> str:
    """What the row's origin is called; its key when nobody registered a word."""
    return str(_origins.get(pending.origin, pending.origin))


def origins() -> list[tuple[str, str]]:
    """Every registered origin and its word."""
    return [(key, str(label)) for key, label in _origins.items()]


def panels_for(subject: Subject, actor: Actor) -> list[Panel]:
    """The cards for this person, in order."""
    made = (panel(subject, actor) for _order, panel in sorted(_panels.values(), key=lambda each: each[0]))
    return [panel for panel in made if panel]


def story(lines: Iterable[TimelineEntry], actor: Actor) -> list[dict[str, Any]]:
    """Timeline entries as the interface draws them; a link only where the person may follow it."""
    told = []
    for line in lines:
        leads = _leads.get(line.object_kind)
        usable = leads and line.object_id and (leads.permission is None or actor.can(leads.permission))
        where = str(line.premises) if line.premises else ""
        icon, tone = _ICONS.get(line.kind, (leads.icon if leads else "circle-dashed", "neutral"))
        told.append(
            {
                "at": line.at,
                "title": line.title,
                "text": where if where not in line.title else "",
                "icon": icon,
                "tone": tone,
                "url": reverse(leads.url_name, args=[line.object_id]) if leads and usable else "",
            }
        )
    return told
