"""`{% load calendar %}`: 待通知 beside a plain date, and how notices moved a deadline."""

from datetime import date, datetime
from typing import Any

from django import template
from django.db import models
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from xiezhi.foundation.calendar.queries import changes_of
from xiezhi.foundation.ui.clocks import years_waiting
from xiezhi.foundation.ui.templatetags.ui import pending_mark

register = template.Library()


@register.simple_tag
def pending(value: date | datetime | None) -> SafeString | str:
    """待通知 where the day counted from today falls into or runs through a year whose notice is not known; else nothing."""
    return pending_mark(years_waiting(value)) if value else ""


@register.simple_tag
def deadline_changes(row: models.Model) -> SafeString | str:
    """The former values of a row's deadline and why each was changed; nothing when no notice moved it."""
    changes = changes_of(row)
    return SafeString(render_to_string("calendar/changes.html", {"changes": changes})) if changes else ""


@register.inclusion_tag("calendar/months.html")
def months(months: Any, today: date) -> dict[str, Any]:
    """Twelve small months."""
    return {"months": months, "today": today}
