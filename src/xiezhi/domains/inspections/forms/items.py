from typing import Any

from django import forms


class ItemChoice(forms.ModelChoiceField):
    """Items by code, name and department; the queryset is `queries.catalogue.items_with_names`."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.code} {getattr(obj, 'version_name', '') or ''}（{obj.department}）"
