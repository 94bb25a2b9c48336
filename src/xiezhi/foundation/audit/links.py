"""Where an object of the audit has its own page. Rooms say so in `ready()`; kinds without a page have only their history."""

from collections.abc import Callable, Mapping

from django.urls import NoReverseMatch, reverse

Page = str | Callable[[str], str | None]
"""A URL name that takes the object's key as `pk`, or a function from the key to an address (None: no page)."""
_pages: dict[str, Page] = {}


def register(pages: Mapping[str, Page]) -> None:
    """Say where objects have their page: `register({"inspections.plan": "inspections:plan"})`."""
    _pages.update({kind.lower(): page for kind, page in pages.items()})


def page_of(kind: str, object_id: str) -> str | None:
    """The address of the object's own page; None when it has none."""
    page = _pages.get(kind)
    if page is None:
        return None
    if callable(page):
        return page(object_id)
    try:
        return reverse(page, args=[object_id])
    except NoReverseMatch:
        return None
