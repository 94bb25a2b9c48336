"""The two long steps. Both read the clock and the person from outside and talk to whoever watches through `Progress`."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from math import isfinite
from typing import Any, Protocol

from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import SYSTEM, Actor
from xiezhi.foundation.files.sheets import Cell, Sheet, SheetRow, read_sheet
from xiezhi.foundation.files.sheets.cells import as_text, is_blank
from xiezhi.foundation.imports.columns import CellRefused
from xiezhi.foundation.imports.models import ImportBatch, ImportRow
from xiezhi.foundation.imports.specs import TO_SAVE, CheckedRow, ImportContext, ImportSpec, Outcome, Row
from xiezhi.foundation.imports.workflow import import_workflow
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance


class Progress(Protocol):
    """A job's context, or nobody at all."""

    def report(self, phase: str, done: int, total: int) -> None:
        """Tell how far the work is; may raise to stop it. Outside transactions only."""

    def fence(self) -> None:
        """Inside a transaction, before it commits: raise when the outcome must not be saved."""


class Unwatched:
    """Progress for work done in the caller's own process."""

    def report(self, phase: str, done: int, total: int) -> None:
        pass

    def fence(self) -> None:
        pass


def context_of(batch: ImportBatch, *, actor: Actor, at: datetime) -> ImportContext:
    """What the spec is given for this batch."""
    return ImportContext(actor, at, batch.organisation, batch.options, batch.pk)


def run_check(batch: ImportBatch, *, progress: Progress, actor: Actor, at: datetime) -> dict[str, int]:
    """Check every row of a batch in status checking and stage the verdicts, in short commits; then move it to checked.

    Starts from scratch whatever an earlier run left. Returns {outcome: rows}. Raises Refused for a sheet that cannot be read to its end.
    """
    spec = batch.spec
    with transaction.atomic():
        progress.fence()
        batch.rows.all().delete()
    context = context_of(batch, actor=actor, at=at)
    spec.prepare(context)
    checker = Checker(batch, spec, context)
    done = 0
    with read_sheet(batch.file.path, sheet=batch.sheet_name or None, labels=spec.labels()) as sheet:
        _same_header(batch, sheet)
        while piece := list(islice(sheet.rows, spec.chunk_rows)):
            staged = checker.check(piece)
            with transaction.atomic():
                progress.fence()
                ImportRow.objects.bulk_create(staged)
            done += len(piece)
            progress.report(_("核对"), done, max(sheet.row_estimate, done))
    if not done:
        raise Refused(_("表头下面没有数据。请填写后重新上传。"))
    for again in checker.first_of_twins():
        with transaction.atomic():
            progress.fence()
            _replace(again)
    with transaction.atomic():
        progress.fence()
        counts = {outcome.value: checker.counts[outcome] for outcome in Outcome}
        advance(
            import_workflow(spec.permission),
            batch,
            "finish_check",
            actor=SYSTEM,
            at=at,
            changes={"counts": counts, "error": ""},
            counts=counts,
        )
    return counts


def _same_header(batch: ImportBatch, sheet: Sheet) -> None:
    if list(sheet.header) != batch.header or sheet.header_number != batch.header_number:
        raise Refused(_("表头的识别结果变了，请放弃这次导入，重新上传文件。"))


def _replace(rows: list[ImportRow]) -> None:
    ImportRow.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["batch", "number"],
        update_fields=["outcome", "cleaned", "changes", "problems", "sealed"],
    )


class Checker:
    """Turns rows of the sheet into staged rows, chunk by chunk, and remembers who was seen before."""

    def __init__(self, batch: ImportBatch, spec: ImportSpec, context: ImportContext) -> None:
        self.batch, self.spec, self.context = batch, spec, context
        self.columns = [(spec.column(key), index) for key, index in batch.mapping.items()]
        self.width = len(batch.header)
        self.seen: dict[tuple[Any, ...], int] = {}
        self.twins: dict[int, list[int]] = {}
        self.counts: Counter[str] = Counter()

    def check(self, piece: list[SheetRow]) -> list[ImportRow]:
        """Parse, check and stage one chunk."""
        rows = [self._parsed(each) for each in piece]
        sound = [row for row in rows if not row.problems]
        if sound:
            self.spec.check_chunk(sound, self.context)
        for row in rows:
            self._compare_with_seen(row)
        return [self._staged(row, source) for row, source in zip(rows, piece, strict=True)]

    def _parsed(self, source: SheetRow) -> Row:
        cells = {
            column.key: source.values[index] if index < len(source.values) else None for column, index in self.columns
        }
        row = Row(source.number, cells)
        for column, index in self.columns:
            value, trouble = cells[column.key], source.troubles.get(index)
            if trouble:
                row.refuse(column.key, trouble.reason, trouble.mend, shown=trouble.shown)
            elif is_blank(value):
                row.values[column.key] = None
                if column.required:
                    row.refuse(column.key, _("必填项是空的。"), _("请填写。"))
            else:
                try:
                    row.values[column.key] = column.parse(value, self.context)
                except CellRefused as refusal:
                    row.refuse(column.key, refusal.reason, refusal.mend)
        return row

    def _compare_with_seen(self, row: Row) -> None:
        if not self.spec.identity or any(key in self._mapped and key not in row.values for key in self.spec.identity):
            return
        values = [row[key] for key in self.spec.identity]
        if all(value is None for value in values):
            return
        identity = tuple(tuple(value) if isinstance(value, list) else value for value in values)
        first = self.seen.setdefault(identity, row.number)
        if first != row.number:
            row.refuse(self.spec.identity[0], _("与第 %(row)s 行重复。") % {"row": first}, _("请只保留其中一行。"))
            self.twins.setdefault(first, []).append(row.number)

    @property
    def _mapped(self) -> dict[str, int]:
        mapping: dict[str, int] = self.batch.mapping
        return mapping

    def _staged(self, row: Row, source: SheetRow) -> ImportRow:
        outcome = Outcome.REFUSED if row.problems else row.outcome
        if outcome is None:
            raise RuntimeError(f"{self.spec.key}: check_chunk left row {row.number} without a verdict")
        self.counts[outcome] += 1
        for told in (*row.problems, *row.warnings):
            told["value"] = self.spec.masked(told["column"], told["value"])
        staged = ImportRow(
            batch=self.batch,
            number=row.number,
            outcome=outcome,
            raw=self._raw(source),
            cleaned=row.clean if outcome in TO_SAVE else {},
            changes=row.changes if outcome == Outcome.CHANGED else {},
            problems=row.problems,
            warnings=row.warnings,
        )
        return staged.seal() if self.spec.personal else staged

    def _raw(self, source: SheetRow) -> list[Any]:
        shown = [_plain(value) for value in source.values[: self.width]]
        shown += [None] * (self.width - len(shown))
        for index, trouble in source.troubles.items():
            if index < self.width and trouble.shown:
                shown[index] = trouble.shown
        return shown

    def first_of_twins(self) -> Iterator[list[ImportRow]]:
        """The earlier rows of each pair, refused now too, in chunks to save. The counts follow."""
        numbers = sorted(self.twins)
        for start in range(0, len(numbers), 500):
            rows = list(self.batch.rows.filter(number__in=numbers[start : start + 500]))
            for row in rows:
                self.counts[row.outcome] -= 1
                self.counts[Outcome.REFUSED] += 1
                self._refuse_first(row)
            yield rows

    def _refuse_first(self, row: ImportRow) -> None:
        key = self.spec.identity[0]
        others = self.twins[row.number]
        listed = _("、").join(str(number) for number in others[:10])
        index, cells = self._mapped.get(key), row.cells
        shown = as_text(cells[index])[:100] if index is not None else ""
        row.problems = [
            *row.problems,
            {
                "column": key,
                "value": self.spec.masked(key, shown),
                "reason": _("与第 %(rows)s 行重复。") % {"rows": listed},
                "mend": _("请只保留其中一行。"),
            },
        ]
        row.outcome, row.raw, row.cleaned, row.changes = Outcome.REFUSED, cells, {}, {}
        if self.spec.personal:
            row.seal()


def _plain(value: Cell) -> Any:
    """A cell as JSON keeps it: text, whole and broken numbers, truth values; all else as text."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    return as_text(value)


def run_apply(batch: ImportBatch, *, progress: Progress, actor: Actor, at: datetime) -> dict[str, int]:
    """Save every row that is to be saved and move the batch to applied, in one transaction. Returns the spec's numbers.

    The batch's row is locked first, so a second worker waits and then finds it done; the fence comes last, so heartbeats and a
    cancellation get through until the end.
    """
    spec = batch.spec
    progress.report(_("写入"), 0, batch.to_save)
    result: Counter[str] = Counter()
    with transaction.atomic():
        locked = ImportBatch.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=batch.pk)
        if locked.status == ImportBatch.Status.APPLIED:
            return dict(locked.result)
        context = context_of(locked, actor=actor, at=at)
        spec.prepare(context)
        for piece in _to_save(locked, spec.chunk_rows):
            result.update(spec.apply_chunk(piece, context) or {})
        result.update(spec.finish(context) or {})
        progress.fence()
        advance(
            import_workflow(spec.permission),
            locked,
            "finish_apply",
            actor=SYSTEM,
            at=at,
            changes={"result": dict(result), "error": ""},
            result=dict(result),
        )
    return dict(result)


def _to_save(batch: ImportBatch, size: int) -> Iterator[list[CheckedRow]]:
    """Page by number: reading on with an open cursor while writing is not the same thing on every database."""
    last = 0
    waiting = batch.rows.filter(outcome__in=TO_SAVE).order_by("number").defer("raw", "changes", "problems", "warnings")
    while piece := [
        CheckedRow(each.number, each.outcome, each.to_save) for each in waiting.filter(number__gt=last)[:size]
    ]:
        last = piece[-1].number
        yield piece
