"""What the desk's navigation offers. Apps register their items in `ready()`; a person sees only what they may use."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor

Text = str | Promise


@dataclass(frozen=True)
class Item:
    """One entry. `permission`: what the role must hold (any one of several; None: every signed-in person).

    `section`: a key that `register_section` made; `order` within it; `count(actor)`: how many wait there, shown when not 0.
    """

    label: Text
    url_name: str
    icon: str
    permission: str | Iterable[str] | None = None
    section: str = "work"
    order: int = 100
    count: Callable[[Actor], int] | None = None

    def open_to(self, actor: Actor) -> bool:
        """Whether `actor` may use it."""
        if self.permission is None:
            return True
        wanted = [self.permission] if isinstance(self.permission, str) else self.permission
        return any(actor.can(each) for each in wanted)


@dataclass
class Link:
    """An item as it is drawn."""

    label: Text
    url: str
    icon: str
    count: int = 0
    active: bool = False


@dataclass
class Section:
    """Items under one heading; the first section has none."""

    label: Text
    links: list[Link] = field(default_factory=list)


_items: dict[str, Item] = {}
_public: dict[str, Item] = {}
_sections: dict[str, tuple[int, Text]] = {
    "start": (0, ""),
    "work": (10, _("工作")),
    "records": (20, _("档案")),
    "figures": (30, _("数据")),
    "settings": (90, _("管理")),
}


def register(*items: Item) -> None:
    """Offer items. The same `url_name` again replaces the earlier one. Raises ValueError for an unknown section."""
    for item in items:
        if item.section not in _sections:
            raise ValueError(f"navigation: no section {item.section!r}; known: {', '.join(_sections)}")
        _items[item.url_name] = item


def register_section(key: str, label: Text, order: int) -> None:
    """Add a heading; lower `order` stands higher (work 10, records 20, figures 30, settings 90)."""
    _sections[key] = (order, label)


def register_public(*items: Item) -> None:
    """Offer pages to everybody, signed in or not: they stand at the foot of public pages and of the login page."""
    _public.update({item.url_name: item for item in items})


def public_links() -> list[Link]:
    """What `register_public` was told, in order."""
    ordered = sorted(_public.values(), key=lambda each: (each.order, each.url_name))
    return [Link(item.label, reverse(item.url_name), item.icon) for item in ordered]


def sections_for(actor: Actor, path: str) -> list[Section]:
    """The navigation for `actor`, sections and items in order; the item whose address is the longest start of `path` is active."""
    found: dict[str, Section] = {}
    links: list[Link] = []
    for item in sorted(_items.values(), key=lambda each: (_sections[each.section][0], each.order, each.url_name)):
        if not item.open_to(actor):
            continue
        link = Link(item.label, reverse(item.url_name), item.icon, item.count(actor) if item.count else 0)
        found.setdefault(item.section, Section(_sections[item.section][1])).links.append(link)
        links.append(link)
    home = reverse("desk:home")
    under = [link for link in links if path == link.url or (path.startswith(link.url) and link.url != home)]
    if under:
        max(under, key=lambda link: len(link.url)).active = True
    return list(found.values())
