"""{% reveal row %}: the button that opens a row's personal data in full, with a trace; nothing for posts that may not."""

from typing import Any

from django import template
from django.urls import reverse

from xiezhi.foundation.privacy.holdings import holding_of

register = template.Library()


@register.inclusion_tag("privacy/reveal.html", takes_context=True)
def reveal(context: template.Context, row: Any) -> dict[str, Any]:
    """The button for whoever may open this row, as the room says on the map. Raises LookupError for a row that is not on it."""
    label = row._meta.label_lower
    holding = holding_of(label)
    if holding is None or holding.openable is None:
        raise LookupError(f"{label} cannot be opened so")
    may = holding.openable(context["request"].actor).filter(pk=row.pk).exists()
    url = reverse("privacy:open", args=[label, row.pk]) if may else ""
    return {"url": url, "csrf_token": context.get("csrf_token")}
