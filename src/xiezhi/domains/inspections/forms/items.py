from django import forms
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import CatalogueItem


class ItemChoice(forms.ModelChoiceField[CatalogueItem]):
    """Items by code, name and department; the queryset is `queries.catalogue.items_with_names`."""

    def label_from_instance(self, obj: CatalogueItem) -> str:
        return f"{obj.code} {getattr(obj, 'version_name', '') or ''}{_('（')}{obj.department}{_('）')}"
