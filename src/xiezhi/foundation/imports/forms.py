"""Step one (file and questions) and step two (which column is which), both made from the spec."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.files.uploads import Oversized
from xiezhi.foundation.imports.models import ImportBatch
from xiezhi.foundation.imports.specs import ImportSpec
from xiezhi.foundation.orgs.models import Organisation

Fields = dict[str, forms.Field]


class OwnerField(forms.ModelChoiceField):
    """A department that the sheet is uploaded for."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


def start_form(
    spec: ImportSpec, actor: Actor, data: Any = None, files: Any = None, oversized: Oversized | None = None
) -> forms.Form:
    """The spec's own questions, the department where one must be chosen, and the file.

    A file too large to be kept is an error of its field, in the words of the upload limit.
    """
    options = (spec.options_form or forms.Form)(data, files)
    if spec.owned_by_department and actor.district_wide:
        owners = [each.pk for each in Organisation.objects.all() if spec.may_own(each)]
        options.fields["import_owner"] = OwnerField(
            Organisation.objects.filter(pk__in=owners).order_by("code"), label=_("部门"), empty_label=_("请选择")
        )
    field = forms.FileField(
        label=_("表格文件"),
        help_text=_(".xlsx 或 .csv，最大 %(limit)s MB。") % {"limit": _limit()},
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}),
        error_messages={"required": oversized.message} if oversized else {"required": _("请选择一个文件。")},
    )
    options.fields["import_file"] = field
    return options


def _limit() -> int:
    from django.conf import settings

    return int(settings.UPLOAD_LIMIT_MB)


class ColumnsForm(forms.Form):
    """One select per column of the spec: which column of the sheet it is. `mapping()` after validation."""

    NOT_THERE = ""

    def __init__(self, batch: ImportBatch, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch = batch
        choices = [(self.NOT_THERE, _("（表里没有）")), *self._places()]
        for column in batch.spec.columns:
            self.fields[column.key] = forms.TypedChoiceField(
                label=str(column.label),
                help_text=str(column.help),
                required=column.required,
                choices=choices,
                coerce=int,
                empty_value=None,
                initial=batch.mapping.get(column.key, self.NOT_THERE),
                error_messages={"required": _("请选择表里的哪一列是“%(label)s”。") % {"label": column.label}},
            )
        required = tuple(column.key for column in batch.spec.columns if column.required)
        self.groups = (
            (_("必需的列"), required),
            (_("其他列"), tuple(key for key in self.fields if key not in required)),
        )

    def _places(self) -> list[tuple[str, str]]:
        places = []
        for index, title in enumerate(self.batch.header):
            examples = _("、").join(row[index] for row in self.batch.sample if index < len(row) and row[index])
            name = title or _("第 %(number)s 列（没有列名）") % {"number": index + 1}
            if title or examples:
                places.append((str(index), f"{name}　" + _("例：") + examples[:40] if examples else name))
        return places

    def mapping(self) -> dict[str, int]:
        """{column key: index} of the columns that were given a place."""
        return {key: index for key, index in self.cleaned_data.items() if index is not None}
