"""Which version of an item holds when: the one place that knows 清单之外无检查 (R01)."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import CatalogueItem, ItemVersion
from xiezhi.foundation.workflow.errors import Refused


class Shelf:
    """Versions of some items, loaded in one query, to ask which one holds for a window."""

    def __init__(self, item_ids: Iterable[int]) -> None:
        self._versions: dict[int, list[ItemVersion]] = {}
        rows = ItemVersion.objects.filter(item_id__in=set(item_ids)).select_related("item__department")
        for version in rows.order_by("item_id", "effective_from"):
            self._versions.setdefault(version.item_id, []).append(version)

    def version_for(self, item: CatalogueItem, earliest: date, latest: date) -> ItemVersion:
        """The version in force on `earliest`. Raises Refused (R01) when the item is out of the list on any day of the window."""
        day, found = earliest, None
        for version in self._versions.get(item.pk, []):
            if version.effective_from <= day and (version.effective_to is None or version.effective_to >= day):
                found = found or version
                if version.effective_to is None or version.effective_to >= latest:
                    return found
                day = version.effective_to + timedelta(days=1)
        raise Refused(
            _("事项 %(code)s 在 %(day)s 不在已公布的清单内，清单之外不得检查（R01）。")
            % {"code": item.code, "day": day.isoformat()}
        )


def version_for(item: CatalogueItem, earliest: date, latest: date) -> ItemVersion:
    """`Shelf.version_for` for a single item."""
    return Shelf([item.pk]).version_for(item, earliest, latest)
