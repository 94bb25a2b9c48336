from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from xiezhi.foundation.files.sheets import Cell
from xiezhi.foundation.imports.models import ImportBatch, ImportRow
from xiezhi.foundation.imports.specs import ImportSpec, Outcome


def batch_rows(batch: ImportBatch, outcome: str) -> QuerySet[ImportRow]:
    """The rows of a batch (which the caller found through `visible_to`) with this outcome, in the sheet's order."""
    return batch.rows.filter(outcome=outcome).order_by("number")


def problem_header(batch: ImportBatch) -> list[str]:
    """The header of the sheet of refused rows: the sheet's own columns, so that it can be mended and uploaded as it is, and three more."""
    return [*batch.header, _("原行号"), _("问题"), _("如何改正")]


def problem_rows(batch: ImportBatch) -> Iterator[list[Cell]]:
    """The refused rows as they were, with what is wrong and how to mend it."""
    for row in batch_rows(batch, Outcome.REFUSED).iterator(chunk_size=500):
        reasons = [f"{column_label(batch.spec, each['column'])}{_('：')}{each['reason']}" for each in row.problems]
        mends = [each["mend"] for each in row.problems if each["mend"]]
        yield [*row.cells, row.number, "\n".join(reasons), "\n".join(dict.fromkeys(mends))]


def column_label(spec: ImportSpec, key: str) -> str:
    """What a column is called for the person; the whole row where `key` is empty."""
    return str(spec.column(key).label) if key else _("整行")
