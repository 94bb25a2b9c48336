"""Which column of the sheet is which of ours: by title, by alias, or as the organisation chose last time."""

import hashlib
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from xiezhi.foundation.files.sheets.cells import label_key
from xiezhi.foundation.imports.models import RememberedMapping
from xiezhi.foundation.imports.specs import ImportSpec
from xiezhi.foundation.workflow.errors import Refused


def header_digest(header: Sequence[str]) -> str:
    """What a header is remembered by: its titles in order, however they are spaced or starred."""
    return hashlib.sha256("\n".join(label_key(title) for title in header).encode()).hexdigest()


def matched_by_title(spec: ImportSpec, header: Sequence[str]) -> dict[str, int]:
    """{column key: index} for the columns whose label, alias or key stands in the header; the first of equal titles."""
    places: dict[str, int] = {}
    for index, title in enumerate(header):
        if title:
            places.setdefault(label_key(title), index)
    mapping: dict[str, int] = {}
    for column in spec.columns:
        for word in (column.label, *column.aliases, column.key):
            index = places.get(label_key(str(word)), -1)
            if index >= 0 and index not in mapping.values():
                mapping[column.key] = index
                break
    return mapping


def proposed_mapping(spec: ImportSpec, header: Sequence[str], organisation_id: int) -> dict[str, int]:
    """The remembered mapping of this header, as far as its columns still exist; else the match by title."""
    remembered = RememberedMapping.objects.filter(
        spec_key=spec.key, organisation_id=organisation_id, header_digest=header_digest(header)
    ).first()
    if remembered is None:
        return matched_by_title(spec, header)
    known = {column.key for column in spec.columns}
    return {key: index for key, index in remembered.mapping.items() if key in known}


def checked_mapping(spec: ImportSpec, header: Sequence[str], mapping: Mapping[str, int]) -> dict[str, int]:
    """The mapping if it can be used. Raises Refused naming required columns without a place and places used twice."""
    known = {column.key: column for column in spec.columns}
    chosen = {key: index for key, index in mapping.items() if key in known and 0 <= index < len(header)}
    missing = [str(column.label) for column in spec.columns if column.required and column.key not in chosen]
    if missing:
        raise Refused(_("还没有对应必需的列：%(columns)s。") % {"columns": _("、").join(missing)})
    twice = sorted({index for index in chosen.values() if list(chosen.values()).count(index) > 1})
    if twice:
        titles = _("、").join(header[index] or str(index + 1) for index in twice)
        raise Refused(_("表里的“%(titles)s”对应了两个项目，请只留一个。") % {"titles": titles})
    if not chosen:
        raise Refused(_("至少要对应一列。"))
    return chosen
