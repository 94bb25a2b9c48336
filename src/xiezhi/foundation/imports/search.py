"""What the desk's search finds here: imported sheets, by the file's name."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.imports.models import ImportBatch
from xiezhi.foundation.ui import words as said
from xiezhi.foundation.ui.search import Found, Hit, closest, first_of, holding, register
from xiezhi.foundation.ui.statuses import look


def imports(actor: Actor, words: Sequence[str], limit: int) -> Found:
    """The newest first."""
    seen = ImportBatch.objects.visible_to(actor).select_related("file")
    rows = closest(holding(seen, words, "file__display_name"), words, "file__display_name", "-created_at")
    return first_of(rows, limit, _import)


def _import(row: ImportBatch) -> Hit:
    page, status = reverse("imports:detail", args=[row.pk]), look(row.status, ImportBatch.Status)
    return Hit(row.file.display_name, page, said.moment(row.created_at), status)


register("imports.batch", _("数据导入"), "upload", find=imports, more="imports:list", order=220)
