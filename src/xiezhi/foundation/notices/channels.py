"""Where messages can go beside the inbox: one channel of each kind, told by an apprise address, from the environment or from the page."""

import re
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from xiezhi.foundation.notices.models import Channel, ChannelKind, Notice
from xiezhi.foundation.notices.sealing import unseal
from xiezhi.foundation.notices.sending import PLACE, ChannelMissing

__all__ = ["ChannelKind", "Way", "fits", "personal_template_of", "way_to_person", "ways"]

PHONE = re.compile(r"\+?\d{5,15}")
MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
NAME = re.compile(r"[\w.@-]{1,120}")


@dataclass(frozen=True)
class Way:
    """One configured channel. `fixed`: set in the environment, so that the page cannot change its address."""

    kind: ChannelKind
    template: str
    fixed: bool
    least_level: str
    left_out: frozenset[str]

    @property
    def personal(self) -> bool:
        """It reaches one person, told by `{to}`, and not a group."""
        return PLACE in self.template


def ways() -> dict[ChannelKind, Way]:
    """The configured channels, in one query."""
    rows = {row.kind: row for row in Channel.objects.all()}
    found = {}
    for kind in ChannelKind:
        row, told = rows.get(kind.value), str(settings.NOTICE_CHANNELS.get(kind.value, ""))
        template = told or (unseal(row.sealed_address) if row and row.sealed_address else "")
        if template:
            level = row.least_level if row else Notice.Level.URGENT.value
            found[kind] = Way(kind, template, bool(told), level, frozenset(row.left_out if row else ()))
    return found


def way_to_person(kind: ChannelKind) -> Way:
    """The channel of this kind. Raises ChannelMissing when none is configured, or it reaches only a group."""
    way = ways().get(kind)
    if way is None:
        raise ChannelMissing(_("还没有配置%(channel)s通道，请联系管理员。") % {"channel": kind.label})
    if not way.personal:
        raise ChannelMissing(
            _("%(channel)s通道的地址里没有 {to}，发不到个人，请联系管理员。") % {"channel": kind.label}
        )
    return way


def personal_template_of(kind: ChannelKind) -> str:
    """The apprise address of a channel that reaches one person. Raises ChannelMissing as `way_to_person` does."""
    return way_to_person(kind).template


def fits(kind: ChannelKind, to: str) -> bool:
    """Whether `to` can be somebody's place on such a channel: a number, a mail address, or an account's name."""
    pattern = {ChannelKind.SMS: PHONE, ChannelKind.MAIL: MAIL}.get(kind, NAME)
    return pattern.fullmatch(to) is not None
