"""What every desk page shows about posts: `{% load access %}`."""

from django import template
from django.utils.functional import Promise

from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.roles import roles

register = template.Library()


@register.simple_tag
def elevated_label(membership: Membership) -> str | Promise:
    """The name of the role whose permissions are granted to `membership` for a while."""
    return roles()[membership.elevated_role].label  # type: ignore[attr-defined]  # read with_elevation
