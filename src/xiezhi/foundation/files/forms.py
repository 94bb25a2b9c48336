"""A form field for several files at once; what they are is looked at when they are stored."""

from typing import Any

from django import forms
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from xiezhi.foundation.files.kinds import CONTENT_TYPES, Kind


class _Several(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Up to `most` files of `kinds`. Cleans to a list of uploads, empty when nothing was chosen."""

    def __init__(self, *, kinds: tuple[Kind, ...], most: int, **kwargs: Any) -> None:
        super().__init__(widget=_Several, **kwargs)
        self.most = most
        self.widget.attrs["accept"] = ",".join(CONTENT_TYPES[kind].partition(";")[0] for kind in kinds)

    def clean(self, data: Any, initial: Any = None) -> list[File]:
        chosen: list[UploadedFile] = data if isinstance(data, list) else [data] if data else []
        if not chosen:
            super().clean(None, initial)
            return []
        if len(chosen) > self.most:
            raise forms.ValidationError(
                _("一次最多选 %(most)s 个文件，现在选了 %(count)s 个。") % {"most": self.most, "count": len(chosen)}
            )
        return [super(FilesField, self).clean(each, initial) for each in chosen]
