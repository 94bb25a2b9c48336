import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, models, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import SYSTEM, Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.files.kinds import SHEETS
from xiezhi.foundation.files.models import content_path
from xiezhi.foundation.files.services import Received, receive, store_received, tie
from xiezhi.foundation.files.sheets import Sheet, SheetRow, read_sheet
from xiezhi.foundation.files.sheets.cells import as_text
from xiezhi.foundation.imports.matching import checked_mapping, header_digest, proposed_mapping
from xiezhi.foundation.imports.models import ImportBatch, RememberedMapping
from xiezhi.foundation.imports.running import Unwatched, run_apply, run_check
from xiezhi.foundation.imports.specs import ImportSpec, spec_for
from xiezhi.foundation.imports.workflow import import_workflow
from xiezhi.foundation.jobs import services as jobs
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.ui.words import masked
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance

SAMPLE_ROWS = 3
KEPT_DAYS = 90
"""How long a finished batch's rows and an untouched open batch are kept (working default)."""


def owner_for(spec: ImportSpec, organisation: Organisation | None, actor: Actor) -> Organisation:
    """Whose batch it will be. Raises Refused when a department must be chosen, PermissionRefused for another's."""
    home = actor.department_id or actor.organisation_id
    if home is None:
        raise PermissionRefused(_("请先登录。"))
    if spec.owned_by_department and actor.district_wide:
        if organisation is None or not spec.may_own(organisation):
            raise Refused(_("请选择这份表属于哪个部门。"))
        return organisation
    if organisation is not None and organisation.pk != home:
        raise PermissionRefused(_("只能为自己的机构导入。"))
    if spec.owned_by_department and actor.department_id is None:
        raise PermissionRefused(_("这份表由部门导入，您所在的机构不是部门。"))
    return Organisation.objects.get(pk=home)


def plain_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """A form's cleaned data as JSON values: dates as ISO text, model instances as their id."""
    ids = {key: value.pk if isinstance(value, models.Model) else value for key, value in options.items()}
    plain: dict[str, Any] = json.loads(json.dumps(ids, cls=DjangoJSONEncoder))
    return plain


def start_import(
    spec_key: str,
    *,
    upload: File,
    actor: Actor,
    at: datetime,
    organisation: Organisation | None = None,
    options: Mapping[str, Any] | None = None,
) -> tuple[ImportBatch, bool]:
    """Take in a sheet and propose its columns. Returns the batch and whether it is new: the same file with the same options leads to the
    batch that is still open. Raises KeyError for an unknown spec, Refused for a file that cannot be used, PermissionRefused."""
    spec = spec_for(spec_key)
    actor.require(spec.permission)
    owner = owner_for(spec, organisation, actor)
    received = receive(upload, kinds=SHEETS)
    plain = plain_options(options or {})
    key = json.dumps([received.digest, plain], sort_keys=True, ensure_ascii=False)
    fingerprint = hashlib.sha256(key.encode()).hexdigest()
    still_open = ImportBatch.objects.filter(
        spec_key=spec.key, organisation=owner, fingerprint=fingerprint, status__in=ImportBatch.OPEN
    )
    if batch := still_open.first():
        return batch, False
    with read_sheet(content_path(received.digest), labels=spec.labels()) as sheet:
        seen = _what_was_read(spec, sheet, owner.pk)
    try:
        return _create(spec, received, owner, fingerprint, plain, seen, actor=actor, at=at), True
    except IntegrityError:  # the same click twice at once
        if batch := still_open.first():
            return batch, False
        raise


def _what_was_read(spec: ImportSpec, sheet: Sheet, organisation_id: int) -> dict[str, Any]:
    return {
        "sheet_name": sheet.name,
        "sheet_names": list(sheet.names),
        "header": list(sheet.header),
        "header_number": sheet.header_number,
        "notes": list(sheet.notes),
        "sample": [_shown(spec, row, len(sheet.header)) for row in islice(sheet.rows, SAMPLE_ROWS)],
        "mapping": proposed_mapping(spec, sheet.header, organisation_id),
    }


def _shown(spec: ImportSpec, row: SheetRow, width: int) -> list[str]:
    """The cells of a sample. Where persons are told of every cell is masked, since nobody has said yet which column holds what."""
    texts = [as_text(value)[:40] for value in row.values[:width]]
    if spec.personal:
        texts = [masked(text) if text else "" for text in texts]
    return texts + [""] * (width - len(texts))


@transaction.atomic
def _create(
    spec: ImportSpec,
    received: Received,
    owner: Organisation,
    fingerprint: str,
    options: dict[str, Any],
    seen: dict[str, Any],
    *,
    actor: Actor,
    at: datetime,
) -> ImportBatch:
    stored = store_received(received, actor=actor, at=at)
    assert stored.uploaded_by_id is not None and stored.membership_id is not None  # without an owner only people store
    batch = ImportBatch.objects.create(
        spec_key=spec.key,
        file=stored,
        fingerprint=fingerprint,
        organisation=owner,
        created_by_id=stored.uploaded_by_id,
        membership_id=stored.membership_id,
        options=options,
        created_at=at,
        **seen,
    )
    tie(stored, to=batch, actor=actor, at=at)
    record("imports.start", batch, actor=actor, at=at, spec=spec.key, file=stored.pk, organisation=owner.code)
    return batch


@transaction.atomic
def choose_sheet(
    *, batch: ImportBatch, name: str, actor: Actor, at: datetime, seen_status: str | None = None
) -> ImportBatch:
    """Read another worksheet of the same workbook. Raises Refused when there is none of that name."""
    spec = batch.spec
    with read_sheet(batch.file.path, sheet=name, labels=spec.labels()) as sheet:
        seen = _what_was_read(spec, sheet, batch.organisation_id)
    return advance(
        import_workflow(spec.permission),
        batch,
        "choose_sheet",
        actor=actor,
        at=at,
        changes=seen,
        seen_status=seen_status,
    )


@transaction.atomic
def choose_columns(
    *, batch: ImportBatch, mapping: Mapping[str, int], actor: Actor, at: datetime, seen_status: str | None = None
) -> ImportBatch:
    """Settle which column is which, and remember it for this header. Raises Refused naming what is missing or used twice."""
    spec = batch.spec
    chosen = checked_mapping(spec, batch.header, mapping)
    moved = advance(
        import_workflow(spec.permission),
        batch,
        "map",
        actor=actor,
        at=at,
        changes={"mapping": chosen, "counts": {}, "error": ""},
        seen_status=seen_status,
    )
    RememberedMapping.objects.update_or_create(
        spec_key=spec.key,
        organisation_id=batch.organisation_id,
        header_digest=header_digest(batch.header),
        defaults={"mapping": chosen, "remembered_at": at},
    )
    return moved


@transaction.atomic
def map_and_check(
    *, batch: ImportBatch, mapping: Mapping[str, int], actor: Actor, at: datetime, seen_status: str | None = None
) -> ImportBatch:
    """`choose_columns` and `check_import` in one act: both or neither."""
    moved = choose_columns(batch=batch, mapping=mapping, actor=actor, at=at, seen_status=seen_status)
    return check_import(batch=moved, actor=actor, at=at)


@transaction.atomic
def check_import(*, batch: ImportBatch, actor: Actor, at: datetime, seen_status: str | None = None) -> ImportBatch:
    """Queue the check of every row; the batch is `checking` until the job is done."""
    return _start_job(batch, "check", _("核对：%(what)s"), actor=actor, at=at, seen_status=seen_status)


@transaction.atomic
def apply_import(*, batch: ImportBatch, actor: Actor, at: datetime, seen_status: str | None = None) -> ImportBatch:
    """Queue the saving of what was checked. Raises Refused when another sheet of this kind was saved since the check."""
    others = ImportBatch.objects.filter(spec_key=batch.spec_key, applied_at__gt=batch.checked_at or at)
    if batch.spec.owned_by_department:
        others = others.filter(organisation_id=batch.organisation_id)
    later = others.exclude(pk=batch.pk).select_related("file").first()
    if later:
        raise Refused(
            _("核对之后，另一份表“%(file)s”已经导入，核对结果可能不再准确。请重新核对后再导入。")
            % {"file": later.file.display_name}
        )
    return _start_job(batch, "apply", _("导入：%(what)s"), actor=actor, at=at, seen_status=seen_status)


def _start_job(
    batch: ImportBatch, step: str, title: str, *, actor: Actor, at: datetime, seen_status: str | None
) -> ImportBatch:
    job = jobs.enqueue(
        f"imports.{step}",
        title=(title % {"what": f"{batch.spec.title} · {batch.file.display_name}"})[:200],
        actor=actor,
        at=at,
        link=reverse("imports:detail", args=[batch.pk]),
        batch=batch.pk,
    )
    return advance(
        import_workflow(batch.spec.permission),
        batch,
        step,
        actor=actor,
        at=at,
        changes={"job": job, "error": ""},
        seen_status=seen_status,
    )


@transaction.atomic
def abandon_import(*, batch: ImportBatch, actor: Actor, at: datetime, seen_status: str | None = None) -> ImportBatch:
    """Close a batch without saving anything; its staged rows are dropped, the file stays in the books."""
    moved = advance(
        import_workflow(batch.spec.permission), batch, "abandon", actor=actor, at=at, seen_status=seen_status
    )
    moved.rows.all().delete()
    return moved


@transaction.atomic
def settle(*, batch: ImportBatch, at: datetime) -> ImportBatch:
    """Bring a batch whose job ended without it (cancelled in the queue, its worker died for good) back to rest."""
    locked = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if locked.status not in ImportBatch.BUSY:
        return locked
    job = locked.job
    if job and job.is_open:
        return locked
    workflow = import_workflow(locked.spec.permission)
    if job and job.status == Job.Status.CANCELLED:
        move = "stop_check" if locked.status == ImportBatch.Status.CHECKING else "stop_apply"
        return advance(workflow, locked, move, actor=SYSTEM, at=at)
    error = (job.error if job else "") or _("处理这一步的程序中断了，没有保存任何结果。请重新核对。")
    return advance(workflow, locked, "fail", actor=SYSTEM, at=at, changes={"error": error})


def settle_all(*, at: datetime) -> int:
    """The ticker's duty: `settle` every busy batch whose job is over; returns how many."""
    over = ImportBatch.objects.filter(status__in=ImportBatch.BUSY).exclude(
        job__status__in=[Job.Status.QUEUED, Job.Status.RUNNING]
    )
    return len([settle(batch=batch, at=at) for batch in over])


def tidy(*, at: datetime) -> int:
    """The ticker's daily duty: drop staged rows of batches closed KEPT_DAYS ago, and close open ones untouched as long; returns how many."""
    before = at - timedelta(days=KEPT_DAYS)
    count = 0
    for batch in ImportBatch.objects.filter(
        created_at__lt=before, status__in=[status for status in ImportBatch.OPEN if status not in ImportBatch.BUSY]
    ):
        with transaction.atomic():
            moved = advance(import_workflow(batch.spec.permission), batch, "expire", actor=SYSTEM, at=at)
            moved.rows.all().delete()
            count += 1
    done = ImportBatch.objects.filter(status=ImportBatch.Status.APPLIED, applied_at__lt=before, rows__isnull=False)
    for batch in done.distinct():
        with transaction.atomic():
            batch.rows.all().delete()
            count += 1
    return count


def import_now(
    spec_key: str,
    *,
    path: Path,
    actor: Actor,
    at: datetime,
    organisation: Organisation | None = None,
    options: Mapping[str, Any] | None = None,
) -> ImportBatch:
    """All steps in this process, for demo data, commands and tests: the same functions, no job. Columns are matched by title.

    Returns the batch: applied, or checked when there was nothing to save. Raises Refused as the steps do.
    """
    with path.open("rb") as file:
        batch, _new = start_import(
            spec_key, upload=File(file, name=path.name), actor=actor, at=at, organisation=organisation, options=options
        )
    batch = choose_columns(batch=batch, mapping=batch.mapping, actor=actor, at=at)
    workflow, watcher = import_workflow(batch.spec.permission), Unwatched()
    with transaction.atomic():
        batch = advance(workflow, batch, "check", actor=actor, at=at)
    try:
        run_check(batch, progress=watcher, actor=actor, at=at)
        batch.refresh_from_db()
        if batch.to_save:
            with transaction.atomic():
                batch = advance(workflow, batch, "apply", actor=actor, at=at)
            run_apply(batch, progress=watcher, actor=actor, at=at)
            batch.refresh_from_db()
    except Exception as error:
        with transaction.atomic():
            advance(workflow, batch, "fail", actor=SYSTEM, at=at, changes={"error": str(error)})
        raise
    return batch
